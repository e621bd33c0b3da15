package sqlite

import (
	"context"
	"fmt"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// held returns the subscription's number and where the lane is, if h is its.
func (t *tx) held(h store.Hold) (id int64, at uint64, held bool) {
	var place int64
	held = t.row(heldLaneSQL, []any{h.Subscription, h.Lane, int64(h.Token)}, &id, &place)
	return id, uint64(place), held
}

// Release gives lanes up.
func (k subscriptions) Release(ctx context.Context, holds ...store.Hold) error {
	for _, h := range holds {
		if err := h.Check(); err != nil {
			return err
		}
	}
	return k.write(ctx, fmt.Sprintf("release %d lanes", len(holds)), func(t *tx, _ int64) error { //nolint:contextcheck // a flush is no caller's to interrupt
		for _, h := range holds {
			if id, _, held := t.held(h); held {
				t.exec(freeLaneSQL, id, h.Lane)
			}
		}
		return nil
	})
}

// Advance moves checkpoints.
func (k subscriptions) Advance(ctx context.Context, moves ...store.Move) error {
	if err := store.CheckMoves(moves); err != nil {
		return err
	}
	op := fmt.Sprintf("advance %d checkpoints", len(moves))
	if len(moves) == 1 {
		op = "advance subscription " + printable.Name(moves[0].Subscription)
	}
	var fenced []store.Hold
	err := k.write(ctx, op, func(t *tx, now int64) error { //nolint:contextcheck // a flush is no caller's to interrupt
		fenced = nil
		for _, m := range moves {
			if !t.move(m, now, true) {
				fenced = append(fenced, m.Hold)
			}
		}
		return nil
	})
	if err == nil && fenced != nil {
		return &store.FencedError{Holds: fenced}
	}
	return err
}

// move moves a lane. again tells that one which is there already is moved.
func (t *tx) move(m store.Move, now int64, again bool) bool {
	id, at, held := t.held(m.Hold)
	switch {
	case held && again && at == m.To:
		return true
	case !held || at != m.From:
		return false
	}
	t.exec(moveLaneSQL, id, m.Lane, int64(m.To), now)
	return true
}

// Report stores what the owner could not do.
func (k subscriptions) Report(ctx context.Context, h store.Hold, message string) error {
	if err := h.Check(); err != nil {
		return err
	}
	return k.under(ctx, "report on", h, func(t *tx, id, now int64) { //nolint:contextcheck // a flush is no caller's to interrupt
		var problem any
		if message != "" {
			problem = store.CutError(message)
		}
		t.exec(reportLaneSQL, id, h.Lane, problem, now)
	})
}

// under changes something if h is its lane's.
func (k subscriptions) under(ctx context.Context, verb string, h store.Hold, f func(t *tx, id, now int64)) error {
	return k.write(ctx, verb+" subscription "+printable.Name(h.Subscription), func(t *tx, now int64) error { //nolint:contextcheck // a flush is no caller's to interrupt
		id, _, held := t.held(h)
		if !held {
			return &store.FencedError{Holds: []store.Hold{h}}
		}
		f(t, id, now)
		return nil
	})
}
