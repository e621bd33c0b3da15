package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/esgen/esgen/bench/internal/measure"
	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/runtime/store"
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

// batches is append/batch100/wN.
func batches(writers int) func(context.Context, *bench) ([]result.Row, error) {
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		st, err := b.stage(ctx, settings{})
		if err != nil {
			return nil, err
		}
		defer st.close()
		lim, err := st.copies(ctx, writers, 100)
		if err != nil {
			return nil, err
		}
		us := ours(fmt.Sprintf("append/batch100/w%d", writers), writers, st.appendTo(st.db, 100, store.NoStream, ordered))
		return st.duel(ctx, result.PerSecond, []side{us}, lim)
	}
}

// singles is append/one/wN.
func singles(writers int, of result.Metric) func(context.Context, *bench) ([]result.Row, error) {
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		st, err := b.stage(ctx, settings{})
		if err != nil {
			return nil, err
		}
		defer st.close()
		lim, err := st.inserts(ctx, writers)
		if err != nil {
			return nil, err
		}
		us := ours(fmt.Sprintf("append/one/w%d", writers), writers, st.appendTo(st.db, 1, store.NoStream, ordered))
		return st.duel(ctx, of, []side{us}, lim)
	}
}
