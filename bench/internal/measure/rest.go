package measure

import (
	"context"
	"time"
)

// rest is the time of an operation that is not its own.
type rest struct{ sum time.Duration }

type restKey struct{}

func resting(ctx context.Context) (context.Context, *rest) {
	r := new(rest)
	return context.WithValue(ctx, restKey{}, r), r
}

// taken returns what has come together since the last call.
func (r *rest) taken() time.Duration {
	sum := r.sum
	r.sum = 0
	return sum
}

// Rest waits until a time, or until ctx ends, and counts that for nothing in the
// latency of the operation that calls it: between operations that come at a pace. It
// counts in the rate.
func Rest(ctx context.Context, until time.Time) {
	at := time.Now()
	timer := time.NewTimer(until.Sub(at))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	if r, ok := ctx.Value(restKey{}).(*rest); ok {
		r.sum += time.Since(at)
	}
}
