package subscribe_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	_ "pgregory.net/rapid" // defines the flags

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/sqlite"
	"github.com/esgen/esgen/runtime/subscribe"
)

// The model has more kinds of steps than rapid's defaults reckon with.
func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "500")
	_ = flag.Set("rapid.steps", "150")
	goleak.VerifyTestMain(m)
}

// patience bounds waits for what a correct program does at once.
const patience = 30 * time.Second

// onStores runs test on a fresh store of every kind.
func onStores(t *testing.T, test func(t *testing.T, db store.Store)) {
	stores := []struct {
		name string
		open func(t *testing.T) store.Store
	}{
		{"memory", func(*testing.T) store.Store { return memory.New(memory.Config{}) }},
		{"sqlite", openSQLite},
		{"postgres", openPostgres},
	}
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			test(t, s.open(t))
		})
	}
}

func openSQLite(t *testing.T) store.Store {
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "events.db"), sqlite.Config{Synchronous: sqlite.Normal})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

func openPostgres(t *testing.T) store.Store {
	db, err := postgres.New(pgtest.Pool(t), postgres.Config{Schema: pgtest.Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// recorder is a handler that keeps what it is given.
type recorder struct {
	mu     sync.Mutex
	events []store.Recorded
	bell   store.Doorbell
	// before, if set, is called first; its error is the handler's.
	before func(context.Context, store.Recorded) error
}

func (h *recorder) handle(ctx context.Context, r store.Recorded) error {
	if h.before != nil {
		if err := h.before(ctx, r); err != nil {
			return err
		}
	}
	h.mu.Lock()
	h.events = append(h.events, r)
	h.mu.Unlock()
	h.bell.Ring()
	return nil
}

func (h *recorder) handled() []store.Recorded {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clip(h.events)
}

// await returns the events once there are at least n.
func (h *recorder) await(t testing.TB, n int) []store.Recorded {
	t.Helper()
	deadline := time.After(patience)
	for {
		rung := h.bell.Wait()
		if events := h.handled(); len(events) >= n {
			return events
		}
		select {
		case <-rung:
		case <-deadline:
			t.Fatalf("%d events were handled, want %d", len(h.handled()), n)
		}
	}
}

func newSubscription(t testing.TB, db store.Store, name string, h subscribe.HandlerFunc, c subscribe.Config) *subscribe.Subscription {
	t.Helper()
	sub, err := subscribe.New(db, name, h, c)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// process is a subscription that runs.
type process struct {
	*subscribe.Subscription
	cancel context.CancelFunc
	ended  chan struct{}
	err    error
}

// run runs sub until stop is called or t ends.
func run(t testing.TB, sub *subscribe.Subscription) *process {
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{Subscription: sub, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.err = sub.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-p.ended
	})
	return p
}

// stop ends the run as a shutdown does.
func (p *process) stop(t testing.TB) {
	t.Helper()
	p.cancel()
	if err := p.result(t); !errors.Is(err, context.Canceled) || errors.Unwrap(err) != nil {
		t.Fatalf("Run returned %v, want %v", err, context.Canceled)
	}
	if s := p.Status(); s.Live || s.Attempt != 0 || s.State != "not running" {
		t.Errorf("after the end the status is %+v", s)
	}
}

// result waits for the end of the run.
func (p *process) result(t testing.TB) error {
	t.Helper()
	await(t, p.ended, "Run to return")
	return p.err
}

func await(t testing.TB, ch <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}

// appendTo appends n events to stream.
func appendTo(t testing.TB, db store.Streams, stream string, n int) store.Appended {
	t.Helper()
	appended, err := appendEvents(t.Context(), db, stream, n)
	if err != nil {
		t.Fatal(err)
	}
	return appended
}

func appendEvents(ctx context.Context, db store.Streams, stream string, n int) (store.Appended, error) {
	events := make([]store.Event, n)
	for i := range events {
		events[i] = store.Event{Type: "happened", Format: store.JSON, Data: fmt.Appendf(nil, `{"n":%d}`, i)}
	}
	appended, err := db.Append(ctx, store.Batch{Stream: stream, Expected: store.Any, Events: events})
	if err != nil {
		return store.Appended{}, err
	}
	return appended[0], nil
}

// versions and positions are what tests compare.
func versions(events []store.Recorded) (versions []int64) {
	for _, r := range events {
		versions = append(versions, int64(r.Version))
	}
	return versions
}

func positions(events []store.Recorded) (positions []uint64) {
	for _, r := range events {
		positions = append(positions, uint64(r.Position))
	}
	return positions
}
