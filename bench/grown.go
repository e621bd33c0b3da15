package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/esgen/esgen/bench/internal/measure"
	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/runtime/store"
)

// small is the size that others are compared with.
const small = 100_000

// fill makes the store one of n events, each in a stream of its own, half of them
// named in order and half at random, as two applications would.
func (st *stage) fill(ctx context.Context, n int) error {
	const connections = 2
	conns, err := st.connect(ctx, connections)
	if err != nil {
		return err
	}
	if err := st.log.Begin(ctx, st.admin); err != nil {
		return err
	}
	var g errgroup.Group
	for i, c := range conns {
		name := []func() string{ordered, random}[i]
		g.Go(func() error { return st.log.Fill(ctx, c, n/connections, name) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("load %d events: %w", n, err)
	}
	if err := st.log.End(ctx, st.admin); err != nil {
		return err
	}
	for _, table := range []string{"streams", "events"} {
		if _, err := st.admin.Exec(ctx, "VACUUM ANALYZE "+st.schema+"."+table); err != nil {
			return err
		}
	}
	return nil
}

// grown is append/one at a number of stored events, in turns with the same at
// [small]. The small store is made anew for each turn, the large one goes on from a
// single checkpoint, after which PostgreSQL writes each page whole once more.
func grown(name string, stored int, turns int) func(context.Context, *bench) ([]result.Row, error) {
	const writers = 50
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		large, err := b.stage(ctx, settings{})
		if err != nil {
			return nil, err
		}
		defer large.close(ctx)
		at := time.Now()
		if err := large.fill(ctx, stored); err != nil {
			return nil, err
		}
		b.sayf("  loaded %d events in %s", stored, time.Since(at).Round(time.Second))

		var little *stage
		lim := side{
			name:   fmt.Sprintf("the same at %d stored events", small),
			length: b.flags.long,
			run: func(ctx context.Context, length time.Duration) (measure.Result, error) {
				return ours("", writers, little.appendTo(little.db, 1, store.NoStream, ordered)).run(ctx, length)
			},
			before: func(ctx context.Context) (err error) {
				if little, err = b.stage(ctx, settings{dirty: true}); err != nil {
					return err
				}
				return little.fill(ctx, small)
			},
			after: func(ctx context.Context) error {
				little.close(ctx)
				return nil
			},
		}
		large.plan.rounds = turns
		var rows []result.Row
		for _, kind := range []struct {
			name string
			of   func() string
		}{{name, ordered}, {name + "/v4", random}} {
			if _, err := large.admin.Exec(ctx, "CHECKPOINT"); err != nil {
				return nil, err
			}
			us := ours(kind.name, writers, large.appendTo(large.db, 1, store.NoStream, kind.of))
			us.length = b.flags.long
			some, err := large.duel(ctx, result.PerSecond, []side{us}, lim)
			if err != nil {
				return nil, err
			}
			rows = append(rows, some...)
		}
		return rows, nil
	}
}

// ordered names a new stream as an application does that makes its ids so.
func ordered() string { return "purse-" + uuid.Must(uuid.NewV7()).String() }

// random names one by an id that may fall anywhere.
func random() string { return "purse-" + uuid.NewString() }
