package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/bench/internal/measure"
	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/bench/limit"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// appendTo appends n events per operation.
func (st *stage) appendTo(db store.Streams, n int, expected store.Version, name func() string) measure.Op {
	return func(ctx context.Context) (int, error) {
		_, err := db.Append(ctx, store.Batch{Stream: name(), Expected: expected, Events: st.events(n)})
		return n, err
	}
}

// events are n new ones.
func (st *stage) events(n int) []store.Event {
	p := st.payload
	events := make([]store.Event, n)
	for i := range events {
		events[i] = store.Event{
			Type: p.Type, Format: store.Format(p.Format), Data: p.Data, Metadata: p.Metadata,
			Correlation: p.Correlation, Causation: p.Causation,
		}
		if p.RandomIDs {
			events[i].ID = uuid.New()
		}
	}
	return events
}

// batches is append/batch100/wN, and beside it the same against COPY by hand.
func batches(writers int) func(context.Context, *bench) ([]result.Row, error) {
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		st, err := b.stage(ctx, settings{})
		if err != nil {
			return nil, err
		}
		defer st.close(ctx)
		lim, err := st.copies(ctx, writers, 100, (*limit.Log).Copy)
		if err != nil {
			return nil, err
		}
		hand, err := st.copies(ctx, writers, 100, (*limit.Log).CopyBytes)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("append/batch100/w%d", writers)
		us := ours(name, writers, st.appendTo(st.db, 100, store.NoStream, ordered))
		rows, err := st.duel(ctx, result.PerSecond, []side{us, hand}, lim)
		if err != nil {
			return nil, err
		}
		rows[1] = result.NewRow(name+"/bytes", hand.name+", encoded by hand, without pgx's look-up of types",
			result.PerSecond, rows[0].Samples, rows[1].Samples)
		return rows, nil
	}
}

// singles is append/one/wN, and beside it the same without group commit.
func singles(writers int, of result.Metric, ungrouped bool) func(context.Context, *bench) ([]result.Row, error) {
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		st, err := b.stage(ctx, settings{})
		if err != nil {
			return nil, err
		}
		defer st.close(ctx)
		lim, err := st.inserts(ctx, writers)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("append/one/w%d", writers)
		sides := []side{ours(name, writers, st.appendTo(st.db, 1, store.NoStream, ordered))}
		if ungrouped {
			alone, err := postgres.New(st.pool, postgres.Config{Schema: st.schema, NoGroupCommit: true})
			if err != nil {
				return nil, err
			}
			sides = append(sides, ours(name+"/ungrouped", writers, st.appendTo(alone, 1, store.NoStream, ordered)))
		}
		return st.duel(ctx, of, sides, lim)
	}
}

// inTx is append/tx/wN: appends in the caller's transaction, which group commit
// does not reach.
func inTx(writers int) func(context.Context, *bench) ([]result.Row, error) {
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		st, err := b.stage(ctx, settings{pool: int32(writers)})
		if err != nil {
			return nil, err
		}
		defer st.close(ctx)
		conns, err := st.connect(ctx, writers)
		if err != nil {
			return nil, err
		}
		ops := make([]measure.Op, writers)
		for i, c := range conns {
			op, err := st.log.InsertInTx(ctx, c)
			if err != nil {
				return nil, err
			}
			ops[i] = measure.Op(op)
		}
		lim := st.writes(sideOf(fmt.Sprintf("BEGIN, prepared INSERT of one row, COMMIT, connections: %d", writers), ops))
		us := ours(fmt.Sprintf("append/tx/w%d", writers), writers, func(ctx context.Context) (int, error) {
			_, err := postgres.InTx(ctx, st.db, func(ctx context.Context, _ pgx.Tx, tx *postgres.Tx) error {
				_, err := st.appendTo(tx, 1, store.NoStream, ordered)(ctx)
				return err
			})
			return 1, err
		})
		return st.duel(ctx, result.PerSecond, []side{us}, lim)
	}
}
