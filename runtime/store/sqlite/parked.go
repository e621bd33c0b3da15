package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Park stores events that were not handled.
func (k subscriptions) Park(ctx context.Context, h store.Hold, events ...store.Parked) error {
	if err := store.CheckPark(h, events); err != nil {
		return err
	}
	return k.under(ctx, "park events of", h, func(t *tx, id, now int64) { //nolint:contextcheck // a flush is no caller's to interrupt
		for _, p := range events {
			t.exec(parkSQL, id, p.Key, int64(p.At), h.Lane, p.Stream, int64(p.Version), int64(p.Position), p.EventID[:],
				p.Type, string(p.State), p.Attempts, store.CutError(p.Error), store.CutError(p.Reason), now)
		}
	})
}

// Unpark removes an event that has been handled.
func (k subscriptions) Unpark(ctx context.Context, h store.Hold, key string, at uint64) error {
	if err := store.CheckUnpark(h, key, at); err != nil {
		return err
	}
	if in, ok := ctx.Value(txKey{}).(*Tx); ok && in.s == k.s {
		return in.unpark(h, key, at) //nolint:contextcheck // statements of the transaction are not interrupted
	}
	return k.under(ctx, "unpark an event of", h, func(t *tx, id, _ int64) { t.exec(unparkSQL, id, key, int64(at)) }) //nolint:contextcheck // a flush is no caller's to interrupt
}

// Parked returns a page of parked events.
func (k subscriptions) Parked(ctx context.Context, q store.ParkedQuery) ([]store.Parked, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	op := "list parked events of subscription " + printable.Name(q.Subscription)
	var id int64
	var found bool
	err := k.s.rows(ctx, op, subscriptionSQL, []any{q.Subscription}, func(rows *sql.Rows) error {
		var paused bool
		found = true
		return rows.Scan(&id, &paused)
	})
	if err == nil && !found {
		err = &store.SubscriptionNotFoundError{Name: q.Subscription}
	}
	if err != nil {
		return nil, err
	}
	lane, afterKey, afterAt := max(q.Lane, -1), "", int64(-1)
	if q.More {
		afterKey, afterAt = q.AfterKey, int64(q.AfterAt)
	}
	var key, states any
	if q.HasKey {
		key = q.Key
	}
	if len(q.States) > 0 {
		list, err := json.Marshal(q.States)
		if err != nil {
			return nil, opError(op, err)
		}
		states = string(list)
	}
	query, args := listParkedSQL, []any{id, lane, key, states, afterKey, afterAt, q.Limit}
	if !q.HasKey && slices.Equal(q.States, []store.ParkedState{store.ParkedRetry}) {
		query, args = listRetriesSQL, []any{id, lane, afterKey, afterAt, q.Limit}
	}
	var page []store.Parked
	err = k.s.rows(ctx, op, query, args, func(rows *sql.Rows) error {
		p := store.Parked{Subscription: q.Subscription}
		var event []byte
		var micros int64
		err := rows.Scan(&p.Lane, &p.Key, &p.At, &p.Stream, &p.Version, &p.Position, &event,
			&p.Type, &p.State, &p.Attempts, &p.Error, &p.Reason, &micros)
		copy(p.EventID[:], event)
		p.Time = instant(micros)
		page = append(page, p)
		return err
	})
	return page, err
}

// Mark gives the waiting events of a key another state.
func (k subscriptions) Mark(ctx context.Context, name, key string, state store.ParkedState, reason string) (int, error) {
	if err := store.CheckMark(name, key, state); err != nil {
		return 0, err
	}
	var marked int64
	err := k.edit(ctx, "mark parked events of", name, func(t *tx, id, now int64) { //nolint:contextcheck // a flush is no caller's to interrupt
		result, ok := t.exec(markParkedSQL, id, key, string(state), store.CutError(reason), now)
		if ok {
			marked, _ = result.RowsAffected() // the driver always knows
		}
	})
	if err != nil {
		return 0, err
	}
	return int(marked), nil
}
