package runtime

import (
	"context"

	"github.com/esgen/esgen/runtime/store"
)

// Cause is a [Meta] or a [Recorded] of any family.
type Cause interface{ recorded() store.Recorded }

func (m Meta[ID]) recorded() store.Recorded {
	return store.Recorded{ID: m.EventID, Correlation: m.Correlation}
}

// CausedBy returns a context in which appended events are caused by r: their
// causation is r's id, and their correlation r's, or r's id if it has none. The
// contexts of handlers are so already; use it where one call works on several
// events. With a nil r the context stays as it is.
func CausedBy(ctx context.Context, r Cause) context.Context {
	if r == nil {
		return ctx
	}
	return store.CausedBy(ctx, r.recorded())
}
