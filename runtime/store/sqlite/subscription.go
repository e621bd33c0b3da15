package sqlite

import (
	"context"
	"errors"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/internal/borrowed"
)

// Subscriptions returns where subscriptions are kept: beside the events, and as
// durable.
func (s *Store) Subscriptions() store.Subscriptions {
	return borrowed.Subscriptions{With: func(ctx context.Context, op string, f func(*store.Ledger) error) error {
		op += " subscription"
		ctx, cancel, err := s.begin(ctx, op)
		if err != nil {
			return err
		}
		defer cancel()
		return s.change(ctx, op, func(t *tx) error { //nolint:contextcheck // a flush is no caller's to interrupt
			var text string
			var place, micros int64
			t.row(checkpointSQL, []any{"$ledger"}, &text, &place, &micros)
			kept, err := borrowed.Decode(text)
			if err != nil {
				return err
			}
			l := store.NewLedger(kept, s.config.Now, nil)
			answer := f(l)
			if answer != nil && !errors.Is(answer, store.ErrFenced) {
				return answer
			}
			if text, err = borrowed.Encode(l); err != nil {
				return err
			}
			t.exec(insertCheckpointSQL, "$ledger", text, int64(0), int64(0))
			return answer
		})
	}}
}

// change writes through the writer. Unlike an append it may simply be made again
// when its outcome is unknown, so that is a [*store.UnavailableError].
func (s *Store) change(ctx context.Context, op string, apply func(*tx) error) error {
	err := s.writer.do(ctx, &change{op: op, apply: apply})
	if err == nil {
		return nil
	}
	if _, doubt := errors.AsType[*doubtError](err); doubt {
		return &store.UnavailableError{Op: op, Err: err}
	}
	return s.outcome(op, err)
}
