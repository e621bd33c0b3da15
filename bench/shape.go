package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/esgen/esgen/bench/internal/measure"
	"github.com/esgen/esgen/bench/internal/purse"
	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/bench/limit"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
)

// existing is append/existing/wN: each writer adds to its own stream and states
// the version that it knows, as an aggregate does.
func existing(writers int) func(context.Context, *bench) ([]result.Row, error) {
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
		ops := make([]measure.Op, writers)
		for i := range ops {
			version := store.NoStream
			ops[i] = func(ctx context.Context) (int, error) {
				a, err := st.db.Append(ctx, store.Batch{Stream: "purse-" + strconv.Itoa(i), Expected: version, Events: st.events(1)})
				if err != nil {
					return 0, err
				}
				version = a[0].Version
				return 1, nil
			}
		}
		return st.duel(ctx, result.PerSecond, []side{sideOf(fmt.Sprintf("append/existing/w%d", writers), ops)}, lim)
	}
}

// hot is append/hot/wN: all writers add to one stream and expect nothing.
func hot(writers int) func(context.Context, *bench) ([]result.Row, error) {
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
		op := st.appendTo(st.db, 1, store.Any, func() string { return "purse-hot" })
		return st.duel(ctx, result.PerSecond, []side{ours(fmt.Sprintf("append/hot/w%d", writers), writers, op)}, lim)
	}
}

// formatted is append/FORMAT/w10: batches of 100 values that generated code encodes.
func formatted(format store.Format) func(context.Context, *bench) ([]result.Row, error) {
	const writers, batch = 10, 100
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		st, err := b.stage(ctx, settings{format: format})
		if err != nil {
			return nil, err
		}
		defer st.close(ctx)
		lim, err := st.copies(ctx, writers, batch, (*limit.Log).Copy)
		if err != nil {
			return nil, err
		}
		op := func(ctx context.Context) (int, error) {
			events := make([]purse.Event, batch)
			for i := range events {
				events[i] = purse.Sample
			}
			_, err := purse.StreamOf(st.db, uuid.Must(uuid.NewV7()).String()).With(es.Metadata{"user": "ada@example.com"}).Append(ctx, store.NoStream, events...)
			return batch, err
		}
		return st.duel(ctx, result.PerSecond, []side{ours(fmt.Sprintf("append/%s/w%d", format, writers), writers, op)}, lim)
	}
}
