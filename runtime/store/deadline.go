package store

import (
	"context"
	"time"
)

// DefaultTimeout bounds calls whose context has no deadline.
const DefaultTimeout = 15 * time.Second

// WithTimeout returns ctx, or, if ctx has no deadline, a copy that ends after d.
// 0 means [DefaultTimeout], a negative d no timeout. Call cancel when done.
func WithTimeout(ctx context.Context, d time.Duration) (_ context.Context, cancel context.CancelFunc) {
	if d == 0 {
		d = DefaultTimeout
	}
	if _, ok := ctx.Deadline(); ok || d < 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, d, &TimeoutError{After: d})
}
