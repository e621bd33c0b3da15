package sqlite

import (
	"context"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// observable makes an append one that flushes tell the observer of.
func (s *Store) observable(ctx context.Context, c *change) *change {
	if s.observed != nil {
		c.ctx, c.since = ctx, time.Now()
	}
	return c
}

// tell tells the observer that a flush begins, if there are appends in it. Call end
// when it is over, before its callers learn their outcomes.
func (w *writer) tell(changes []*change, waited time.Duration) (end func(error)) {
	if w.observed == nil {
		return func(error) {}
	}
	op := store.Operation{Kind: store.OperationFlush}
	for _, c := range changes {
		if c.ctx != nil {
			op.Appends = append(op.Appends, store.Queued{Context: c.ctx, For: time.Since(c.since)})
			op.Streams += c.streams
			op.Events += c.events
		}
	}
	if len(op.Appends) == 0 {
		return func(error) {}
	}
	_, call := w.observed.Begin(context.Background(), op)
	return func(err error) { call.End(store.Result{Err: err, HeadWait: waited}) }
}
