package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/esgen/esgen/bench/internal/measure"
	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/bench/limit"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// The three modules of benchmarks that the Elixir EventStore ships with, as they
// are: 100 events per append, their sizes, identifiers of version 4, a number of
// tasks at once that all must end, the rule by which the count grows, and a store
// that is emptied before each bench but not between its iterations.
const elixirBatch = 100

// elixirPayload has the sizes that events have there.
func elixirPayload() limit.Payload {
	return limit.Payload{
		Type: "Elixir.EventStore.EventFactory.Event", Format: string(store.JSON),
		Data:        []byte(`{"event":1,"pad":"` + strings.Repeat("x", 48) + `"}`),
		Metadata:    []byte(`{"user":"user@example.com","pad":""}`),
		Correlation: uuid.New(), Causation: uuid.New(), RandomIDs: true,
	}
}

// grow is a side whose operation is c tasks at once, after begin if there is one.
func grow(name string, c int, begin func(context.Context) error, task func(ctx context.Context, i int) (int, error)) side {
	op := func(ctx context.Context) (int, error) {
		if begin != nil {
			if err := begin(ctx); err != nil {
				return 0, err
			}
		}
		counts := make([]int, c)
		g, ctx := errgroup.WithContext(ctx)
		for i := range c {
			g.Go(func() (err error) {
				counts[i], err = task(ctx, i)
				return err
			})
		}
		err := g.Wait()
		sum := 0
		for _, n := range counts {
			sum += n
		}
		return sum, err
	}
	return side{name: name, whole: true, run: func(ctx context.Context, length time.Duration) (measure.Result, error) {
		return measure.Grow(ctx, op, length)
	}}
}

// elixirDuel is a duel by the rules of those benchmarks; it adds microseconds per
// operation, which they report.
func (st *stage) elixirDuel(ctx context.Context, events int, us, lim side) ([]result.Row, error) {
	st.plan.length = cmp.Or(st.bench.flags.length, time.Second)
	rows, err := st.duel(ctx, result.PerSecond, []side{us}, lim)
	if err != nil {
		return nil, err
	}
	rows[0].More = map[string]float64{
		"us_per_op":       float64(events) / rows[0].PerSecond * 1e6,
		"limit_us_per_op": float64(events) / rows[0].LimitPerSecond * 1e6,
	}
	return rows, nil
}

// elixirAppend is AppendEventsBench.
func elixirAppend(c int) func(context.Context, *bench) ([]result.Row, error) {
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		st, err := b.stage(ctx, settings{payload: elixirPayload()})
		if err != nil {
			return nil, err
		}
		defer st.close(ctx)
		conns, err := st.connect(ctx, c)
		if err != nil {
			return nil, err
		}
		copies := make([]limit.Op, c)
		for i, conn := range conns {
			copies[i] = st.log.Copy(conn, elixirBatch)
		}
		op := st.appendTo(st.db, elixirBatch, store.NoStream, uuid.NewString)
		us := grow(fmt.Sprintf("elixir/append/c%d", c), c, nil, func(ctx context.Context, _ int) (int, error) { return op(ctx) })
		lim := grow(fmt.Sprintf("binary COPY of 100 rows and commit, connections: %d", c), c, nil,
			func(ctx context.Context, i int) (int, error) { return copies[i](ctx) })
		return st.elixirDuel(ctx, c*elixirBatch, us, st.writes(lim))
	}
}

// elixirRead is ReadEventsBench.
func elixirRead(c int) func(context.Context, *bench) ([]result.Row, error) {
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		rec := &recorder{}
		st, err := b.stage(ctx, settings{tracer: rec, payload: elixirPayload()})
		if err != nil {
			return nil, err
		}
		defer st.close(ctx)
		name := uuid.NewString()
		if _, err := st.db.Append(ctx, store.Batch{Stream: name, Expected: store.NoStream, Events: st.events(elixirBatch)}); err != nil {
			return nil, err
		}
		if err := st.settle(ctx); err != nil {
			return nil, err
		}
		read := func(ctx context.Context, _ int) (n int, _ error) {
			for _, err := range st.db.Read(ctx, store.Query{Stream: name, Limit: 1000}) {
				if err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		}
		pages, err := rec.during(func() error {
			_, err := read(ctx, 0)
			return err
		})
		if err != nil {
			return nil, err
		}
		raw, err := st.selects(ctx, c, [][]limit.Query{pages})
		if err != nil {
			return nil, err
		}
		return st.elixirDuel(ctx, c*elixirBatch, grow(fmt.Sprintf("elixir/read/c%d", c), c, nil, read),
			grow(fmt.Sprintf("the same SELECT, values touched but not decoded, connections: %d", c), c, nil,
				func(ctx context.Context, i int) (int, error) { return raw[i](ctx) }))
	}
}

var errEnough = errors.New("all events are there")

// elixirSubscribe is SubscribeToStreamBench: c subscriptions to a new stream, which
// store their place after every so many events, while 100 events are appended.
func elixirSubscribe(name string, c, every int) func(context.Context, *bench) ([]result.Row, error) {
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		st, err := b.stage(ctx, settings{payload: elixirPayload()})
		if err != nil {
			return nil, err
		}
		defer st.close(ctx)
		conns, err := st.connect(ctx, c+1)
		if err != nil {
			return nil, err
		}
		us := st.subscriptions(name, c, every)
		lim := st.follows(conns, every)
		return st.elixirDuel(ctx, c*elixirBatch, us, st.writes(lim))
	}
}

// subscriptions is our side: the appender and all subscribers must end.
func (st *stage) subscriptions(name string, c, every int) side {
	stream := ""
	return grow(name, c+1, func(context.Context) error {
		stream = uuid.NewString()
		return nil
	}, func(ctx context.Context, i int) (int, error) {
		if i == c {
			_, err := st.db.Append(ctx, store.Batch{Stream: stream, Expected: store.NoStream, Events: st.events(elixirBatch)})
			return 0, err
		}
		ctx, enough := context.WithCancelCause(ctx)
		defer enough(nil)
		handled := 0
		sub, err := subscribe.New(st.db, fmt.Sprintf("subscription-%d of %s", i, stream), func(context.Context, store.Recorded) error {
			if handled++; handled == elixirBatch {
				enough(errEnough)
			}
			return nil
		}, subscribe.Config{Stream: stream, CheckpointEvery: every})
		if err != nil {
			return 0, err
		}
		if err := sub.Run(ctx); !errors.Is(context.Cause(ctx), errEnough) {
			return handled, err
		}
		return handled, nil
	})
}

// follows is the limit: COPY of the events, then all subscriptions at once.
func (st *stage) follows(conns []*pgx.Conn, every int) side {
	write, op := st.log.Copy(conns[0], elixirBatch), 0
	return grow(fmt.Sprintf("binary COPY of 100 rows, then SELECT of them and an UPDATE and commit per %d, connections: %d", every, len(conns)-1),
		len(conns)-1, func(ctx context.Context) error {
			op++
			_, err := write(ctx)
			return err
		}, func(ctx context.Context, i int) (int, error) {
			return st.log.Follow(ctx, conns[i+1], fmt.Sprintf("limit-%d of %d", i, op), every)
		})
}
