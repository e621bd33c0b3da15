package torture_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/sqlite"
	"github.com/esgen/esgen/runtime/store/storetest/history"
	"github.com/esgen/esgen/runtime/subscribe"
)

// The subscriptions that every worker takes part in, and into how many lanes they are
// divided.
const (
	plain, plainLanes     = "plain", 4
	exactly, exactlyLanes = "exactly", 2
)

func laneOf(lanes int) func(key string) int {
	return func(key string) int { return subscribe.LaneOf(key, lanes) }
}

const (
	// lease is shorter than workers are stopped.
	lease = 1500 * time.Millisecond
	poll  = 500 * time.Millisecond
	// quiet is how long nothing happens at the end of a round.
	quiet = 3 * time.Second
	// late is what an event may wait when nothing has happened to it: a call that
	// began in a fault may hang for its timeout, then a lease may have to pass. The
	// rest is for a busy machine.
	late = 20 * time.Second
)

// deliveries is the log of a worker's handlers.
func deliveries(worker string) string { return worker + "-d" }

func effectsTable(schema string) string {
	return `CREATE TABLE ` + pgx.Identifier{schema, "effects"}.Sanitize() + ` (id uuid PRIMARY KEY, n int NOT NULL)`
}

// consume runs the subscriptions until ctx ends: both, if the store has transactions.
func (j job) consume(ctx context.Context, s store.Store) error {
	if !j.Consume {
		return nil
	}
	d, err := history.NewDeliveries(j.Dir, deliveries(j.Name))
	if err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() { ended <- j.runPlain(ctx, s, d) }()
	if _, ok := s.(store.Transactor); ok {
		go func() { ended <- j.runExactly(ctx, s, d) }()
	} else {
		ended <- nil
	}
	err = errors.Join(<-ended, <-ended)
	return errors.Join(err, d.Close())
}

func (j job) subscription(lanes int) subscribe.Config {
	return subscribe.Config{
		Lanes: lanes, Lease: lease, PollInterval: poll, CheckpointEvery: 50, CheckpointAfter: 200 * time.Millisecond,
		Retry: subscribe.Retry{Attempts: -1, First: time.Millisecond, Longest: 50 * time.Millisecond},
	}
}

// run runs a subscription until ctx ends. That it was asked to is no error, nor that a
// checkpoint was not stored at the end.
func run(ctx context.Context, sub *subscribe.Subscription) error {
	if err := sub.Run(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}

var errSometimes = errors.New("this handler fails sometimes")

func (j job) runPlain(ctx context.Context, s store.Store, d *history.Deliveries) error {
	sub, err := subscribe.New(s, plain, func(ctx context.Context, r store.Recorded) error {
		end, err := d.Begin(ctx, plain, r.Stream, r)
		if err != nil {
			return err
		}
		if rand.IntN(20) == 0 {
			wait(ctx, time.Millisecond)
		}
		if rand.IntN(200) == 0 {
			return errors.Join(errSometimes, end(false))
		}
		return end(true)
	}, j.subscription(plainLanes))
	if err != nil {
		return err
	}
	return run(ctx, sub)
}

// effect counts in a table how often each event has had its effect.
func (j job) effect(ctx context.Context, events []store.Recorded) error {
	if tx, ok := sqlite.TxFrom(ctx); ok {
		for _, r := range events {
			if _, err := tx.ExecContext(ctx, `INSERT INTO effects (id, n) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1`, r.ID[:]); err != nil {
				return err
			}
		}
		return nil
	}
	tx, ok := postgres.TxFrom(ctx)
	if !ok {
		return errors.New("there is no transaction")
	}
	insert := `INSERT INTO ` + pgx.Identifier{j.Schema, "effects"}.Sanitize() + ` AS e (id, n) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET n = e.n + 1`
	var batch pgx.Batch
	for _, r := range events {
		batch.Queue(insert, r.ID)
	}
	return tx.SendBatch(ctx, &batch).Close()
}

func (j job) runExactly(ctx context.Context, s store.Store, d *history.Deliveries) error {
	c := j.subscription(exactlyLanes)
	c.Batch.Size = 20
	sub, err := subscribe.NewTx(s, exactly, func(ctx context.Context, events []store.Recorded) error {
		if err := j.effect(ctx, events); err != nil {
			return err
		}
		for _, r := range events {
			// Only what is committed was handled, which the effects show.
			end, err := d.Begin(ctx, exactly, r.Stream, r)
			if err == nil {
				err = end(true)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}, c)
	if err != nil {
		return err
	}
	return run(ctx, sub)
}

// drain lets the subscriptions come to the end of what is stored, in this process.
func drain(t *testing.T, s store.Store, j job, names ...string) {
	t.Helper()
	var head uint64
	for r, err := range s.Read(t.Context(), store.Query{Backward: true, Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		head = uint64(r.Position)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	j.Name = "last"
	ended := make(chan error, 1)
	go func() { ended <- j.consume(ctx, s) }()
	begin := time.Now()
	for _, name := range names {
		for behind := true; behind; wait(t.Context(), 20*time.Millisecond) {
			sub, err := s.Subscriptions().Find(t.Context(), name)
			behind = err != nil
			for _, l := range sub.Lanes {
				behind = behind || l.At < head
			}
			if behind && time.Since(begin) > 2*time.Minute {
				t.Errorf("%s does not come to the end, %d, with nothing in its way: %+v, %v", name, head, sub, err)
				behind = false
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	t.Logf("the subscriptions were at the end, %d, after %s", head, time.Since(begin).Round(time.Millisecond))
}

// effects tells the checker what the transactions have left.
func effects(t *testing.T, server *pgtest.Server, schema, dir string) {
	t.Helper()
	rows, err := server.Pool(t).Query(t.Context(), `SELECT id, n FROM `+pgx.Identifier{schema, "effects"}.Sanitize())
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[uuid.UUID]int)
	var id uuid.UUID
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error { counts[id] = n; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := history.Effects(dir, exactly, counts); err != nil {
		t.Fatal(err)
	}
}
