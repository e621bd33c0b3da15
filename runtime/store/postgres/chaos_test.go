package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// ledger is what writers were told, by event id.
type ledger struct {
	mu      sync.Mutex
	stored  map[uuid.UUID]string // stream
	refused map[uuid.UUID]bool
}

func (l *ledger) tell(batches []store.Batch, stored bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range batches {
		for _, e := range b.Events {
			if stored {
				l.stored[e.ID] = b.Stream
			} else {
				l.refused[e.ID] = true
			}
		}
	}
}

func seed(t *testing.T) uint64 {
	t.Helper()
	n := rand.Uint64()
	if text := os.Getenv("ESGEN_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d; repeat with ESGEN_SEED=%d", n, n)
	return n
}

// TestOrderHoldsWhileBackendsAreKilled appends at random from two pools, as two
// processes would, while connections are terminated all the time and a reader
// tails $all. What was acknowledged is stored once, what was refused is not, and
// the reader never sees a hole.
func TestOrderHoldsWhileBackendsAreKilled(t *testing.T) {
	t.Parallel()
	n := seed(t)
	name := "chaos" + strconv.FormatUint(n%1e6, 10)
	named := func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["application_name"] = name }
	schema := pgtest.Schema(t)
	stores := []*postgres.Store{
		openOn(t, pgtest.Pool(t, named), postgres.Config{Schema: schema}),
		openOn(t, pgtest.Pool(t, named), postgres.Config{Schema: schema}),
	}
	quiet := pgtest.Pool(t)
	reader := openOn(t, quiet, postgres.Config{Schema: schema})
	l := &ledger{stored: make(map[uuid.UUID]string), refused: make(map[uuid.UUID]bool)}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()

	var writers, others sync.WaitGroup
	others.Go(func() { tail(ctx, t, reader) })
	var kills atomic.Int64
	others.Go(func() { kills.Store(killAll(ctx, t, quiet, name)) })
	for w := range 8 {
		r := rand.New(rand.NewPCG(n, uint64(w)))
		writers.Go(func() {
			for range 150 {
				write(t, stores[w%2], r, l)
			}
		})
	}
	writers.Wait()
	stop()
	others.Wait()
	if kills.Load() == 0 {
		t.Fatal("no connection was killed, so this test shows nothing")
	}

	at := make(map[uuid.UUID]string)
	for _, r := range checkOrder(t, reader) {
		if at[r.ID] != "" {
			t.Errorf("%s is stored twice", r.ID)
		}
		at[r.ID] = r.Stream
	}
	for id, stream := range l.stored {
		if at[id] != stream {
			t.Errorf("%s was acknowledged in %s and is in %q", id, stream, at[id])
		}
	}
	for id := range l.refused {
		if at[id] != "" {
			t.Errorf("%s was refused and is stored in %s", id, at[id])
		}
	}
	if len(at) != len(l.stored) {
		t.Errorf("%d events are stored, %d were acknowledged", len(at), len(l.stored))
	}
	t.Logf("%d events stored, %d refused, %d kills", len(l.stored), len(l.refused), kills.Load())
}

// write appends something and notes the answer.
func write(t *testing.T, s *postgres.Store, r *rand.Rand, l *ledger) {
	expectations := []store.Version{store.Any, store.Any, store.Any, store.Any, store.Any, store.StreamExists, store.NoStream, store.Version(r.IntN(40))}
	streams := r.Perm(12)[:1+r.IntN(3)]
	var batches []store.Batch
	for _, i := range streams {
		b := batch(fmt.Sprintf("hot-%d", i), expectations[r.IntN(len(expectations))])
		if r.IntN(4) == 0 {
			b.Stream = fmt.Sprintf("new-%d", r.IntN(400))
		}
		for range 1 + r.IntN(4)*r.IntN(8) {
			b.Events = append(b.Events, event("x", `{"n":1}`))
		}
		if len(batches) == 0 || batches[len(batches)-1].Stream != b.Stream {
			batches = append(batches, b)
		}
	}
	_, err := s.Append(t.Context(), batches...)
	for unknown := (*store.UnknownOutcomeError)(nil); errors.As(err, &unknown); {
		_, err = s.Append(t.Context(), unknown.Batches...)
	}
	switch {
	case err == nil:
		l.tell(batches, true)
	case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrInvalid):
		l.tell(batches, false)
	default:
		t.Errorf("append: %v", err)
	}
}

// tail reads $all as it grows and fails t at the first hole.
func tail(ctx context.Context, t *testing.T, s *postgres.Store) {
	var last store.Position
	for ctx.Err() == nil {
		bell := s.Local().Wait()
		for r, err := range s.Read(ctx, store.Query{FromPosition: last + 1}) {
			if err != nil {
				if ctx.Err() == nil {
					t.Errorf("tail: %v", err)
				}
				return
			}
			if r.Position != last+1 {
				t.Errorf("position %d follows %d", r.Position, last)
				return
			}
			last = r.Position
		}
		select {
		case <-bell:
		case <-ctx.Done():
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// killAll terminates a connection of the named application every few milliseconds.
func killAll(ctx context.Context, t *testing.T, pool *pgxpool.Pool, name string) (kills int64) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return kills
		case <-tick.C:
		}
		tag, err := pool.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE application_name = $1 AND state = 'active' ORDER BY random() LIMIT 1`, name)
		if err != nil && ctx.Err() == nil {
			t.Errorf("kill: %v", err)
			return kills
		}
		kills += tag.RowsAffected()
	}
}

// TestOppositeOrdersDoNotDeadlock appends to the same new and old streams in all
// orders at once. Nothing of it may fail.
func TestOppositeOrdersDoNotDeadlock(t *testing.T) {
	t.Parallel()
	n := seed(t)
	// A deadlock would be broken by the server, and hidden by the store's trying
	// again, unless nobody looks for it.
	s := openOn(t, pgtest.Pool(t, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["deadlock_timeout"] = "10min" }),
		postgres.Config{Schema: pgtest.Schema(t)})
	var wg sync.WaitGroup
	for w := range 8 {
		r := rand.New(rand.NewPCG(n, uint64(w)))
		wg.Go(func() {
			for round := range 15 {
				batches := make([]store.Batch, 0, 12)
				for _, i := range r.Perm(24)[:12] {
					// Some streams are there, some appear in this round.
					batches = append(batches, batch(fmt.Sprintf("s-%d", i+round*4), store.Any, event("x", `{}`)))
				}
				if _, err := s.Append(t.Context(), batches...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if all := checkOrder(t, s); len(all) != 8*15*12 {
		t.Errorf("%d events", len(all))
	}
}
