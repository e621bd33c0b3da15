package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Release gives lanes up.
func (k subscriptions) Release(ctx context.Context, holds ...store.Hold) error {
	for _, h := range holds {
		if err := h.Check(); err != nil {
			return err
		}
	}
	names, lanes, tokens := encodeHolds(len(holds), func(i int) store.Hold { return holds[i] })
	var locked []int32
	err := k.s.call(ctx, fmt.Sprintf("release %d lanes", len(holds)), func(ctx context.Context, conn *pgx.Conn) error {
		locked = nil
		return conn.QueryRow(ctx, k.s.sql.laneRelease, names, lanes, tokens).Scan(&locked)
	})
	if err != nil || len(locked) == 0 {
		return err
	}
	held := &store.LockedError{}
	for _, i := range locked {
		held.Holds = append(held.Holds, holds[i])
	}
	return held
}

func encodeHolds(n int, hold func(i int) store.Hold) (names []string, lanes []int32, tokens []int64) {
	names, lanes, tokens = make([]string, n), make([]int32, n), make([]int64, n)
	for i := range n {
		h := hold(i)
		names[i], lanes[i], tokens[i] = h.Subscription, int32(h.Lane), int64(h.Token)
	}
	return names, lanes, tokens
}

// Advance moves checkpoints.
func (k subscriptions) Advance(ctx context.Context, moves ...store.Move) error {
	if err := store.CheckMoves(moves); err != nil {
		return err
	}
	names, lanes, tokens := encodeHolds(len(moves), func(i int) store.Hold { return moves[i].Hold })
	from, to := make([]int64, len(moves)), make([]int64, len(moves))
	for i, m := range moves {
		from[i], to[i] = int64(m.From), int64(m.To)
	}
	op := fmt.Sprintf("advance %d checkpoints", len(moves))
	if len(moves) == 1 {
		op = "advance subscription " + printable.Name(moves[0].Subscription)
	}
	var made, locked []int32
	err := k.s.call(ctx, op, func(ctx context.Context, conn *pgx.Conn) error {
		made, locked = nil, nil
		return conn.QueryRow(ctx, k.s.sql.laneAdvance, names, lanes, tokens, from, to).Scan(&made, &locked)
	})
	if err != nil || len(made) == len(moves) {
		return err
	}
	known := make([]bool, len(moves))
	for _, i := range made {
		known[i] = true
	}
	busy := &store.LockedError{}
	for _, i := range locked {
		known[i] = true
		busy.Holds = append(busy.Holds, moves[i].Hold)
	}
	fenced := &store.FencedError{}
	for i, m := range moves {
		if !known[i] {
			fenced.Holds = append(fenced.Holds, m.Hold)
		}
	}
	switch {
	case len(busy.Holds) == 0:
		return fenced
	case len(fenced.Holds) == 0:
		return busy
	}
	return errors.Join(fenced, busy)
}

// Report stores what the owner could not do.
func (k subscriptions) Report(ctx context.Context, h store.Hold, message string) error {
	if err := h.Check(); err != nil {
		return err
	}
	var held bool
	err := k.call(ctx, "report on", h.Subscription, func(ctx context.Context, conn *pgx.Conn) error {
		tag, err := conn.Exec(ctx, k.s.sql.laneReport, h.Subscription, int32(h.Lane), int64(h.Token), store.CutError(message))
		held = tag.RowsAffected() > 0
		return err
	})
	return fencedUnless(held, h, err)
}

func fencedUnless(held bool, h store.Hold, err error) error {
	if err == nil && !held {
		return &store.FencedError{Holds: []store.Hold{h}}
	}
	return err
}
