package store

import (
	"context"

	"github.com/google/uuid"
)

type causeKey struct{}

type cause struct{ correlation, causation uuid.UUID }

// CausedBy returns a context in which appended events are caused by r: their
// causation is r's id, and their correlation r's, or r's id if it has none.
// Subscriptions call handlers with such a context.
func CausedBy(ctx context.Context, r Recorded) context.Context {
	correlation := r.Correlation
	if correlation == uuid.Nil {
		correlation = r.ID
	}
	return WithCause(ctx, correlation, r.ID)
}

// WithCause returns a context in which appended events get these ids, unless
// they carry their own. Use it where a command or a request is the cause.
func WithCause(ctx context.Context, correlation, causation uuid.UUID) context.Context {
	return &causeContext{ctx, cause{correlation, causation}}
}

// causeContext is a context.WithValue in one allocation: there is one per event that
// is handled.
type causeContext struct {
	context.Context //nolint:containedctx // it is one
	cause           cause
}

func (c *causeContext) Value(key any) any {
	if key == (causeKey{}) {
		return &c.cause
	}
	return c.Context.Value(key)
}

func causeOf(ctx context.Context) cause {
	if c, ok := ctx.Value(causeKey{}).(*cause); ok {
		return *c
	}
	return cause{}
}
