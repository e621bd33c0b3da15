package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/bench/internal/measure"
	"github.com/esgen/esgen/bench/internal/purse"
	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/bench/limit"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/subscribe"
)

// subscriptions are the rows that are about handlers.
func subscriptions() []bout {
	return []bout{
		{names: []string{"subscribe/catchup/100k"}, run: catchUp("subscribe/catchup/100k", 100_000)},
		{names: []string{"subscribe/catchup/1m"}, atLeast: 0.7, run: catchUp("subscribe/catchup/1m", 1_000_000)},
		{names: []string{"subscribe/tx/20k"}, atLeast: 0.8, run: inTransactions("subscribe/tx/20k", 20_000)},
		{names: []string{"subscribe/lanes4"}, atLeast: 3.5, run: fourLanes},
		{names: []string{"subscribe/latency/here"}, run: latency("subscribe/latency/here", false)},
		{names: []string{"subscribe/latency/elsewhere"}, run: latency("subscribe/latency/elsewhere", true)},
		{names: []string{"subscribe/beside50"}, atLeast: 0.9, run: besideFifty},
	}
}

// spent counts typed events and ends a run when all are there.
type spent struct {
	left   atomic.Int64
	enough context.CancelCauseFunc
	pause  time.Duration
}

func (s *spent) OnMoneySpent(context.Context, purse.Meta, purse.MoneySpent) error {
	if s.pause > 0 {
		<-time.After(s.pause)
	}
	if s.left.Add(-1) == 0 {
		s.enough(errEnough)
	}
	return nil
}

// handleAll runs a new subscription until its handler has had all events.
func handleAll(ctx context.Context, events int, pause time.Duration, of func(name string, h purse.Handler) (*subscribe.Subscription, error)) (int, error) {
	ctx, enough := context.WithCancelCause(ctx)
	defer enough(nil)
	h := &spent{enough: enough, pause: pause}
	h.left.Store(int64(events))
	sub, err := of("bench-"+uuid.NewString(), h)
	if err != nil {
		return 0, err
	}
	if err := sub.Run(ctx); !errors.Is(context.Cause(ctx), errEnough) {
		return 0, err
	}
	return events, nil
}

// catchUp is subscribe/catchup/…: one lane, a typed handler that does nothing.
func catchUp(name string, events int) func(context.Context, *bench) ([]result.Row, error) {
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
		op := func(ctx context.Context) (int, error) {
			return handleAll(ctx, events, 0, func(name string, h purse.Handler) (*subscribe.Subscription, error) {
				return purse.Subscribe(st.db, name, h, subscribe.Config{})
			})
		}
		pages, err := rec.during(func() error {
			for _, err := range st.db.Read(ctx, store.Query{Categories: []string{"purse"}}) {
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		conns, err := st.selects(ctx, 1, [][]limit.Query{pages})
		if err != nil {
			return nil, err
		}
		return st.duel(ctx, result.PerSecond, []side{rounds(name, []measure.Op{op}, 1)},
			rounds("SELECTs of the same rows, page by page, values touched but not decoded, one connection", conns, 1))
	}
}

// inTransactions is subscribe/tx/…: batches of 500 with an UPDATE per event, beside a
// loop by hand of the same statements.
func inTransactions(name string, events int) func(context.Context, *bench) ([]result.Row, error) {
	const size = 500
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		st, err := b.stage(ctx, settings{})
		if err != nil {
			return nil, err
		}
		defer st.close(ctx)
		if err := st.seed(ctx, events/perStream); err != nil {
			return nil, err
		}
		table := st.schema + ".spent"
		if _, err := st.admin.Exec(ctx, "CREATE TABLE "+table+" (id int PRIMARY KEY, n bigint NOT NULL); INSERT INTO "+
			table+" SELECT i, 0 FROM generate_series(0, 99) i"); err != nil {
			return nil, err
		}
		update := "UPDATE " + table + " SET n = n + 1 WHERE id = $1"
		us := func(ctx context.Context) (int, error) {
			ctx, enough := context.WithCancelCause(ctx)
			defer enough(nil)
			handled := 0
			sub, err := subscribe.NewTx(st.db, "bench-"+uuid.NewString(), func(ctx context.Context, all []store.Recorded) error {
				tx, ok := postgres.TxFrom(ctx)
				if !ok {
					return errors.New("there is no transaction")
				}
				for _, r := range all {
					if _, err := tx.Exec(ctx, update, int(r.Position%100)); err != nil {
						return err
					}
				}
				if handled += len(all); handled >= events {
					enough(errEnough)
				}
				return nil
			}, subscribe.Config{Batch: subscribe.Batch{Size: size}})
			if err != nil {
				return 0, err
			}
			if err := sub.Run(ctx); !errors.Is(context.Cause(ctx), errEnough) {
				return 0, err
			}
			return events, nil
		}
		conns, err := st.connect(ctx, 1)
		if err != nil {
			return nil, err
		}
		lim := func(ctx context.Context) (int, error) { return st.log.FollowTx(ctx, conns[0], update, events, size) }
		return st.duel(ctx, result.PerSecond, []side{rounds(name, []measure.Op{us}, 1)},
			rounds("by hand: BEGIN, SELECT of 500 rows, an UPDATE each, UPDATE of the place, COMMIT, one connection", []measure.Op{lim}, 1))
	}
}

// fourLanes is a handler that waits a millisecond, by four lanes and by one.
func fourLanes(ctx context.Context, b *bench) ([]result.Row, error) {
	const events = 2_000
	st, err := b.stage(ctx, settings{})
	if err != nil {
		return nil, err
	}
	defer st.close(ctx)
	if err := st.seed(ctx, events/perStream); err != nil {
		return nil, err
	}
	lanes := func(n int) measure.Op {
		return func(ctx context.Context) (int, error) {
			return handleAll(ctx, events, time.Millisecond, func(name string, h purse.Handler) (*subscribe.Subscription, error) {
				return purse.Subscribe(st.db, name, h, subscribe.Config{
					Lanes: n, KeyName: "position", Key: func(r store.Recorded) string { return strconv.FormatUint(uint64(r.Position), 10) },
				})
			})
		}
	}
	return st.duel(ctx, result.PerSecond, []side{rounds("subscribe/lanes4", []measure.Op{lanes(4)}, 1)},
		rounds("the same with one lane", []measure.Op{lanes(1)}, 1))
}

// latency is from before an append to its handler, in an idle system. Elsewhere is a
// store of its own on a pool of its own that listens, as another process has it.
func latency(name string, elsewhere bool) func(context.Context, *bench) ([]result.Row, error) {
	return func(ctx context.Context, b *bench) ([]result.Row, error) {
		st, err := b.stage(ctx, settings{})
		if err != nil {
			return nil, err
		}
		defer st.close(ctx)
		reader := st.db
		if elsewhere {
			pool, err := pgxpool.New(ctx, b.dsn)
			if err != nil {
				return nil, err
			}
			defer pool.Close()
			if reader, err = st.listening(pool); err != nil {
				return nil, err
			}
			defer func() { _ = reader.Close(context.WithoutCancel(ctx)) }()
		}
		seen := make(chan uuid.UUID, 1)
		sub, err := subscribe.New(reader, "bench-latency", func(ctx context.Context, r store.Recorded) error {
			select {
			case seen <- r.ID:
			case <-ctx.Done():
			}
			return nil
		}, subscribe.Config{Categories: []string{"purse"}, Start: subscribe.Current})
		if err != nil {
			return nil, err
		}
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- sub.Run(running) }()
		defer func() { stop(); <-ended }() //nolint:errcheck // it was asked to end
		select {
		case <-sub.Live():
		case err := <-ended:
			ended <- err
			return nil, err
		}
		// Nothing else happens: what follows at once waits for the pause between two rings.
		rest := func(ctx context.Context) { measure.Rest(ctx, time.Now().Add(20*time.Millisecond)) }
		op := func(ctx context.Context) (int, error) {
			events := st.events(1)
			events[0].ID = uuid.Must(uuid.NewV7())
			if _, err := st.db.Append(ctx, store.Batch{Stream: "purse-" + uuid.NewString(), Expected: store.NoStream, Events: events}); err != nil {
				return 0, err
			}
			select {
			case id := <-seen:
				if id != events[0].ID {
					return 0, fmt.Errorf("event %s came, not %s", id, events[0].ID)
				}
				rest(ctx)
				return 1, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		alone := func(ctx context.Context) (int, error) {
			_, err := st.db.Append(ctx, store.Batch{Stream: "other-" + uuid.NewString(), Expected: store.NoStream, Events: st.events(1)})
			rest(ctx)
			return 1, err
		}
		return st.duel(ctx, result.P50, []side{ours(name, 1, op)}, ours("the same append, for which nobody waits", 1, alone))
	}
}

// listening is a second store of the same schema, as another process has it.
func (st *stage) listening(pool *pgxpool.Pool) (*postgres.Store, error) {
	l, err := postgres.NewListener(pool)
	if err != nil {
		return nil, err
	}
	return postgres.New(pool, postgres.Config{Schema: st.schema, Listener: l})
}

// besideFifty are appends beside 50 live subscriptions, in turns with the same without.
func besideFifty(ctx context.Context, b *bench) ([]result.Row, error) {
	const subscribers, writers = 50, 10
	st, err := b.stage(ctx, settings{})
	if err != nil {
		return nil, err
	}
	defer st.close(ctx)
	// A thousand appends per second.
	op := st.appendTo(st.db, 1, store.NoStream, ordered)
	paced := func(ctx context.Context) (int, error) {
		next := time.Now().Add(writers * time.Millisecond)
		n, err := op(ctx)
		measure.Rest(ctx, next)
		return n, err
	}
	with := ours("subscribe/beside50", writers, paced)
	var stop context.CancelFunc
	ended := make(chan error, subscribers)
	with.before = func(ctx context.Context) error {
		var running context.Context
		running, stop = context.WithCancel(ctx)
		for i := range subscribers {
			sub, err := subscribe.New(st.db, fmt.Sprintf("bench-%d", i), func(context.Context, store.Recorded) error { return nil },
				subscribe.Config{Start: subscribe.Current})
			if err != nil {
				return err
			}
			go func() { ended <- sub.Run(running) }()
			select {
			case <-sub.Live():
			case err := <-ended:
				return err
			}
		}
		return nil
	}
	with.after = func(context.Context) error {
		stop()
		for range subscribers {
			<-ended //nolint:errcheck // it was asked to end
		}
		return nil
	}
	return st.duel(ctx, result.P50, []side{with}, ours("the same without subscriptions", writers, paced))
}
