package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Park stores events that were not handled.
func (k subscriptions) Park(ctx context.Context, h store.Hold, events ...store.Parked) error {
	if err := store.CheckPark(h, events); err != nil {
		return err
	}
	var c parkedColumns
	for _, p := range events {
		c.add(p)
	}
	args := append([]any{h.Subscription, int32(h.Lane), int64(h.Token)}, c.args()...)
	return k.held(ctx, "park events of", h, k.s.sql.parkedInsert, args...)
}

type parkedColumns struct {
	keys, streams, types, states, errors, reasons []string
	at, versions, positions                       []int64
	attempts                                      []int32
	ids                                           []pgtype.UUID
}

func (c *parkedColumns) add(p store.Parked) {
	c.keys, c.at, c.streams = append(c.keys, p.Key), append(c.at, int64(p.At)), append(c.streams, p.Stream)
	c.versions, c.positions = append(c.versions, int64(p.Version)), append(c.positions, int64(p.Position))
	c.ids, c.types = append(c.ids, pgtype.UUID{Bytes: p.EventID, Valid: true}), append(c.types, p.Type)
	c.states, c.attempts = append(c.states, string(p.State)), append(c.attempts, int32(p.Attempts))
	c.errors, c.reasons = append(c.errors, store.CutError(p.Error)), append(c.reasons, store.CutError(p.Reason))
}

func (c *parkedColumns) args() []any {
	return []any{c.keys, c.at, c.streams, c.versions, c.positions, c.ids, c.types, c.states, c.attempts, c.errors, c.reasons}
}

// Unpark removes an event that has been handled.
func (k subscriptions) Unpark(ctx context.Context, h store.Hold, key string, at uint64) error {
	if err := store.CheckUnpark(h, key, at); err != nil {
		return err
	}
	return k.held(ctx, "unpark an event of", h, k.s.sql.parkedDelete, h.Subscription, int32(h.Lane), int64(h.Token), key, int64(at))
}

// held runs a statement that returns whether the lane is held.
func (k subscriptions) held(ctx context.Context, verb string, h store.Hold, sql string, args ...any) error {
	var n int64
	if tx := k.tx(ctx); tx != nil {
		err := tx.QueryRow(ctx, sql, args...).Scan(&n)
		if err != nil {
			return k.s.explain(ctx, verb+" subscription "+printable.Name(h.Subscription), err)
		}
		return fencedUnless(n > 0, h, nil)
	}
	err := k.call(ctx, verb, h.Subscription, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, sql, args...).Scan(&n)
	})
	return fencedUnless(n > 0, h, err)
}

// tx is the transaction of this store in which ctx's handler works, or nil.
func (k subscriptions) tx(ctx context.Context) pgx.Tx {
	in, _ := store.StreamsFrom(ctx)
	if t, ok := in.(*Tx); ok && t.s == k.s && !t.over.Load() {
		return t.tx
	}
	return nil
}

// Parked returns a page of parked events.
func (k subscriptions) Parked(ctx context.Context, q store.ParkedQuery) ([]store.Parked, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	lane := int32(max(q.Lane, -1))
	sql := k.s.sql.parkedList
	key := pgtype.Text{String: q.Key, Valid: q.HasKey}
	var states []string // nil is NULL
	for _, s := range q.States {
		states = append(states, string(s))
	}
	args := []any{q.Subscription, lane, key, states, q.AfterKey, int64(q.AfterAt), q.More, int32(q.Limit)}
	if !q.HasKey && slices.Equal(q.States, []store.ParkedState{store.ParkedRetry}) {
		sql = k.s.sql.parkedRetry
		args = []any{q.Subscription, lane, q.AfterKey, int64(q.AfterAt), q.More, int32(q.Limit)}
	}
	var page []store.Parked
	var found bool
	list := func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		page, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (store.Parked, error) {
			p := store.Parked{Subscription: q.Subscription}
			var at pgtype.Timestamptz
			var id pgtype.UUID
			err := row.Scan(&p.Lane, &p.Key, &p.At, &p.Stream, (*int64)(&p.Version), (*uint64)(&p.Position), &id,
				&p.Type, (*string)(&p.State), &p.Attempts, &p.Error, &p.Reason, &at)
			p.EventID, p.Time = id.Bytes, utc(at)
			return p, err
		})
		found = len(page) > 0
		if err == nil && !found {
			err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+k.s.schema+".subscriptions WHERE name = $1::text)", q.Subscription).Scan(&found)
		}
		return err
	}
	const verb = "list parked events of"
	var err error
	if tx := k.tx(ctx); tx != nil {
		if err = list(ctx, tx.Conn()); err != nil {
			err = k.s.explain(ctx, verb+" subscription "+printable.Name(q.Subscription), err)
		}
	} else {
		err = k.call(ctx, verb, q.Subscription, list)
	}
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, &store.SubscriptionNotFoundError{Name: q.Subscription}
	}
	return page, nil
}

// Mark gives the waiting events of a key another state.
func (k subscriptions) Mark(ctx context.Context, name, key string, state store.ParkedState, reason string) (int, error) {
	if err := store.CheckMark(name, key, state); err != nil {
		return 0, err
	}
	var found bool
	var marked int
	err := k.call(ctx, "mark parked events of", name, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, k.s.sql.parkedMark, name, key, string(state), store.CutError(reason)).Scan(&found, &marked)
	})
	switch {
	case err != nil:
		return 0, err
	case !found:
		return 0, &store.SubscriptionNotFoundError{Name: name}
	}
	return marked, nil
}
