package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/esgen/esgen/bench/internal/measure"
	"github.com/esgen/esgen/bench/internal/purse"
	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/bench/limit"
	"github.com/esgen/esgen/runtime/store"
)

// perStream is how many events each stream holds that is read.
const perStream = 100

// seed appends streams of perStream events each, many in one append, and lets the
// database look at what it has.
func (st *stage) seed(ctx context.Context, streams int) error {
	const together = 100
	for first := 0; first < streams; first += together {
		var batches []store.Batch
		for i := first; i < min(first+together, streams); i++ {
			b := store.Batch{Stream: "purse-" + strconv.Itoa(i), Expected: store.NoStream, Events: st.events(perStream)}
			batches = append(batches, b)
		}
		if _, err := st.db.Append(ctx, batches...); err != nil {
			return err
		}
	}
	return st.settle(ctx)
}

// settle makes statistics and writes to disk what is waiting for it.
func (st *stage) settle(ctx context.Context) error {
	for _, sql := range []string{"VACUUM ANALYZE " + st.schema + ".streams", "VACUUM ANALYZE " + st.schema + ".events", "CHECKPOINT"} {
		if _, err := st.admin.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// typed reads whole streams, decoded, one per operation.
func typed(db store.Streams, streams, begin int) measure.Op {
	next := begin
	return func(ctx context.Context) (events int, _ error) {
		next++
		for r, err := range purse.StreamOf(db, strconv.Itoa(next%streams)).Read(ctx, 0) {
			if err != nil {
				return events, err
			}
			if _, ok := r.Event.(purse.MoneySpent); !ok {
				return events, fmt.Errorf("version %d of stream %s is a %T", r.Version, r.Stream, r.Event)
			}
			events++
		}
		return events, nil
	}
}

// streamReads is read/stream100/rN for each N, or the like by another name.
func streamReads(name string, format store.Format, readers ...int) func(context.Context, *bench) ([]result.Row, error) {
	const streams = 1000
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		rec := &recorder{}
		st, err := b.stage(ctx, settings{tracer: rec, format: format})
		if err != nil {
			return nil, err
		}
		defer st.close(ctx)
		if err := st.seed(ctx, streams); err != nil {
			return nil, err
		}
		var reads [][]limit.Query
		for i := range streams {
			sent, err := rec.during(func() error {
				_, err := typed(st.db, streams, i-1)(ctx)
				return err
			})
			if err != nil {
				return nil, err
			}
			reads = append(reads, sent)
		}
		var rows []result.Row
		for _, n := range readers {
			conns, err := st.selects(ctx, n, reads)
			if err != nil {
				return nil, err
			}
			ops := make([]measure.Op, n)
			for i := range ops {
				ops[i] = typed(st.db, streams, i*streams/n)
			}
			some, err := st.duel(ctx, result.PerSecond, []side{sideOf(fmt.Sprintf("%s/r%d", name, n), ops)},
				sideOf(fmt.Sprintf("the same SELECT, values touched but not decoded, connections: %d", n), conns))
			if err != nil {
				return nil, err
			}
			rows = append(rows, some...)
		}
		return rows, nil
	}
}

// readAll is read/all/…: one reader of all events, as they are stored.
func readAll(name string, events int) func(context.Context, *bench) ([]result.Row, error) {
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		rec := &recorder{}
		st, err := b.stage(ctx, settings{tracer: rec})
		if err != nil {
			return nil, err
		}
		defer st.close(ctx)
		if err := st.seed(ctx, events/perStream); err != nil {
			return nil, err
		}
		size := 0
		read := func(ctx context.Context) (n int, _ error) {
			size = 0
			for r, err := range st.db.Read(ctx, store.Query{}) {
				if err != nil {
					return n, err
				}
				n++
				size += len(r.Data) + len(r.Metadata) + len(r.Stream)
			}
			if n != events {
				return n, fmt.Errorf("read %d of %d events", n, events)
			}
			return n, nil
		}
		pages, err := rec.during(func() error {
			_, err := read(ctx)
			return err
		})
		if err != nil {
			return nil, err
		}
		conns, err := st.selects(ctx, 1, [][]limit.Query{pages})
		if err != nil {
			return nil, err
		}
		rows, err := st.duel(ctx, result.PerSecond, []side{rounds(name, []measure.Op{read}, 1)},
			rounds("the same SELECTs page by page, values touched but not decoded, one connection", conns, 1))
		if err != nil {
			return nil, err
		}
		// What is allocated over what is read: data, metadata and stream name.
		rows[0].More = map[string]float64{
			"bytes_read":           float64(size) / float64(events),
			"allocated_over_bytes": rows[0].Bytes * float64(events) / float64(size),
		}
		return rows, nil
	}
}
