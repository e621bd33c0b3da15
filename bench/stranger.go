package main

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/runtime/store"
)

// openTx is append/one/open-tx: writers while a transaction of somebody else has
// appended to a stream of its own and does not commit, in turns with the same
// without it.
func openTx(ctx context.Context, b *bench) ([]result.Row, error) {
	const writers = 50
	st, err := b.stage(ctx, settings{})
	if err != nil {
		return nil, err
	}
	defer st.close(ctx)
	conns, err := st.connect(ctx, 1)
	if err != nil {
		return nil, err
	}
	st.plan.rounds = 3
	op := st.appendTo(st.db, 1, store.NoStream, ordered)
	with := ours("append/one/open-tx", writers, op)
	with.length = b.flags.long
	var tx pgx.Tx
	with.before = func(ctx context.Context) (err error) {
		if tx, err = conns[0].Begin(ctx); err != nil {
			return err
		}
		_, err = st.appendTo(st.db.WithTx(tx), 1, store.NoStream, ordered)(ctx)
		return err
	}
	with.after = func(ctx context.Context) error { return tx.Rollback(ctx) }
	without := ours("the same without the transaction", writers, op)
	without.length = with.length
	return st.duel(ctx, result.P99, []side{with}, without)
}

// snapshot is append/one/snapshot: writers while a transaction holds an old
// snapshot. Its first ten seconds are the limit of its last.
func snapshot(ctx context.Context, b *bench) ([]result.Row, error) {
	const writers, turns = 50, 6
	st, err := b.stage(ctx, settings{})
	if err != nil {
		return nil, err
	}
	defer st.close(ctx)
	conns, err := st.connect(ctx, 1)
	if err != nil {
		return nil, err
	}
	us := ours("append/one/snapshot", writers, st.appendTo(st.db, 1, store.NoStream, ordered))
	us.length = b.flags.long
	if _, err := us.run(ctx, b.plan.warm); err != nil {
		return nil, err
	}
	st.plan.warm = 0
	more := make(map[string]float64)
	var samples []result.Sample
	err = pgx.BeginTxFunc(ctx, conns[0], pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		// The snapshot is taken by the first statement.
		var events int64
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+st.schema+".events").Scan(&events); err != nil {
			return err
		}
		for i := range turns {
			s, err := st.turn(ctx, us)
			if err != nil {
				return err
			}
			samples = append(samples, s)
			more["per_second_"+[turns]string{"00s", "10s", "20s", "30s", "40s", "50s"}[i]] = s.PerSecond
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	row := result.NewRow(us.name, "the first ten seconds of the sixty", result.PerSecond, samples[turns-1:], samples[:1])
	row.More = more
	return []result.Row{row}, nil
}
