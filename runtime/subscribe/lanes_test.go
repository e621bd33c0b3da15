package subscribe_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// ledger notes who handles what, across processes, and finds two at one key.
type ledger struct {
	recorder
	t     testing.TB
	owner sync.Map // key -> process
	mu    sync.Mutex
	last  map[string]int64
	// times an event was handled, by id.
	times map[string]int
}

func newLedger(t testing.TB) *ledger {
	return &ledger{t: t, last: map[string]int64{}, times: map[string]int{}}
}

// handler is that of one process.
func (l *ledger) handler(process string, work func()) subscribe.HandlerFunc {
	return func(ctx context.Context, r store.Recorded) error {
		if other, busy := l.owner.LoadOrStore(r.Stream, process); busy {
			l.t.Errorf("%s handles version %d of %s while %v handles that stream", process, r.Version, r.Stream, other)
		}
		defer l.owner.Delete(r.Stream)
		if work != nil {
			work()
		}
		l.mu.Lock()
		if at := l.last[r.Stream]; int64(r.Version) > at+1 {
			l.t.Errorf("%s handles version %d of %s after %d", process, r.Version, r.Stream, at)
		}
		l.last[r.Stream] = max(l.last[r.Stream], int64(r.Version))
		l.times[r.ID.String()]++
		l.mu.Unlock()
		return l.handle(ctx, r)
	}
}

// distinct counts the events that were handled.
func (l *ledger) distinct() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.times)
}

func lanesOf(p *process) (lanes []int) {
	for _, l := range p.Status().Lanes {
		lanes = append(lanes, l.Lane)
	}
	return lanes
}

// Processes join, leave and die while events come: nothing is lost, each stream is
// handled in order and by one at a time, and lanes are spread.
func TestProcessesJoinLeaveAndDie(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		l := newLedger(t)
		c := subscribe.Config{Lanes: 8, Lease: time.Second, CheckpointEvery: 20, PageSize: 64}
		member := func(name string) (*faulty, *process) {
			to := another(db)
			return to, run(t, newSubscription(t, to, "spread", l.handler(name, nil), c))
		}
		total := 0
		add := func(n int) {
			for range n {
				appendTo(t, db, fmt.Sprintf("bank-%d", random.IntN(40)), 1)
			}
			total += n
		}
		add(100)
		_, a := member("a")
		await(t, a.Started(), "Started")
		add(100)
		_, b := member("b")
		eventually(t, "the lanes to be spread over two", func() bool { return len(lanesOf(a)) == 4 && len(lanesOf(b)) == 4 })
		add(100)
		dying, d := member("dies")
		eventually(t, "the lanes to be spread over three", func() bool { return len(lanesOf(a)) <= 3 && len(lanesOf(b)) <= 3 && len(lanesOf(d)) >= 2 })
		add(50)
		dying.dead.Store(true) // it can reach the store no more, and has to notice
		add(100)
		eventually(t, "the survivors to take over", func() bool { return len(lanesOf(a)) == 4 && len(lanesOf(b)) == 4 })
		a.stop(t)
		add(50)
		eventually(t, "all lanes to go to one", func() bool { return len(lanesOf(b)) == 8 })
		eventually(t, "all events to be handled", func() bool { return l.distinct() == total })
		b.stop(t)
		d.cancel()
		<-d.ended
		if repeats := len(l.handled()) - total; repeats > 3*20 {
			t.Errorf("seed %d: %d events were handled again, want 20 for each lane of the process that died", seed, repeats)
		}
	})
}

// The lanes of one process work side by side, each in order.
func TestLanesWorkSideBySide(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		for i := range 40 {
			appendTo(t, db, fmt.Sprintf("bank-%d", i), 10)
		}
		took := map[int]time.Duration{}
		for _, lanes := range []int{1, 4} {
			l := newLedger(t)
			began := time.Now()
			p := run(t, newSubscription(t, db, fmt.Sprint("side-", lanes), l.handler("one", func() { linger(time.Millisecond) }), subscribe.Config{Lanes: lanes}))
			l.await(t, 400)
			took[lanes] = time.Since(began)
			p.stop(t)
		}
		// The streams do not fall to the lanes evenly.
		if took[1] < 2*took[4] {
			t.Errorf("400 events of a millisecond take %s in one lane and %s in four", took[1], took[4])
		}
	})
}

// Keys by a function and by a tag keep events together, the empty one too: the
// reference starves others on a missing key.
func TestKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]subscribe.Config{
		"function": {Key: func(r store.Recorded) string { return r.Metadata.Get("tenant") }, KeyName: "tenant"},
		"tag":      {KeyTag: "tenant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				for i := range 60 {
					var meta store.Metadata
					if tenant := i % 4; tenant > 0 { // the rest have none
						meta, _ = store.NewMetadata(map[string]any{"tenant": fmt.Sprint(tenant)})
					}
					_, err := db.Append(t.Context(), store.Batch{Stream: fmt.Sprintf("bank-%d", i), Expected: store.Any, Events: []store.Event{
						{Type: "happened", Format: store.JSON, Data: []byte(`{}`), Metadata: meta},
					}})
					if err != nil {
						t.Fatal(err)
					}
				}
				c.Lanes = 3
				var busy sync.Map
				h := &recorder{before: func(_ context.Context, r store.Recorded) error {
					if _, twice := busy.LoadOrStore(r.Metadata.Get("tenant"), true); twice {
						t.Errorf("two events of tenant %q are handled at once", r.Metadata.Get("tenant"))
					}
					linger(time.Millisecond)
					busy.Delete(r.Metadata.Get("tenant"))
					return nil
				}}
				p := run(t, newSubscription(t, db, "keys", h.handle, c))
				pass(time.Minute)
				last := map[string]store.Position{}
				for _, r := range h.handled() {
					if tenant := r.Metadata.Get("tenant"); last[tenant] >= r.Position {
						t.Errorf("tenant %q: %d is handled after %d", tenant, r.Position, last[tenant])
					} else {
						last[tenant] = r.Position
					}
				}
				if n := len(h.handled()); n != 60 || len(last) != 4 {
					t.Errorf("%d events of %d tenants were handled, want 60 of 4", n, len(last))
				}
				p.stop(t)
			})
		})
	}
}

// A function that does not tell to whom an event belongs ends it before the event.
func TestFunctionsThatPanic(t *testing.T) {
	t.Parallel()
	third := func(r store.Recorded) bool {
		if r.Position == 3 {
			panic("no key")
		}
		return true
	}
	for name, c := range map[string]subscribe.Config{
		"key":     {Key: func(r store.Recorded) string { third(r); return "" }, KeyName: "third"},
		"select":  {Select: third},
		"bad key": {Key: func(store.Recorded) string { return "\x00" }, KeyName: "zero"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				appendTo(t, db, "bank-1", 5)
				h := &recorder{}
				p := run(t, newSubscription(t, db, "panics", h.handle, c))
				failed, ok := errors.AsType[*subscribe.SortError](p.waits(t, time.Minute))
				if !ok || name != "bad key" && failed.Position != 3 || failed.Stream != "bank-1" {
					t.Errorf("Run returned %v, want a SortError of event 3", p.err)
				}
				for _, r := range h.handled() {
					if r.Position >= 3 {
						t.Errorf("event %d was handled", r.Position)
					}
				}
			})
		})
	}
}

// A program with other lanes or another key is told what differs.
func TestOtherLanesAreRefused(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		h := &recorder{}
		p := run(t, newSubscription(t, db, "lanes", h.handle, subscribe.Config{Lanes: 2}))
		await(t, p.Started(), "Started")
		p.stop(t)
		for text, c := range map[string]subscribe.Config{
			`it was created with 2 lanes by stream, this program asks for 3 lanes by stream`:                       {Lanes: 3},
			`it was created with 2 lanes by stream, this program asks for 2 lanes by metadata "tenant"`:            {Lanes: 2, KeyTag: "tenant"},
			`it was created with $all; 2 lanes by stream, this program asks for stream "bank-1"; 1 lane by stream`: {Stream: "bank-1"},
			`it was created with nothing of that, this program asks for types "happened"`:                          {Lanes: 2, Only: []string{"happened"}},
		} {
			err := run(t, newSubscription(t, db, "lanes", h.handle, c)).result(t)
			if _, ok := errors.AsType[*subscribe.SettingsError](err); !ok || !strings.Contains(err.Error(), text) {
				t.Errorf("Run returned %v, want %q", err, text)
			}
		}
	})
}

// A process that cannot renew its lease stops before another may begin, and says
// so; when it can again and nobody has its lane, it goes on.
func TestLeasePasses(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		var away atomic.Bool
		db.renew = func(int64) error {
			if away.Load() {
				return errAway
			}
			return nil
		}
		var causes atomic.Int64
		h := &recorder{}
		p := run(t, newSubscription(t, db, "leased", func(ctx context.Context, r store.Recorded) error {
			if r.Position == 2 {
				<-ctx.Done()
				if errors.Is(context.Cause(ctx), subscribe.ErrLeaseLost) {
					causes.Add(1)
				}
				if causes.Load() == 1 {
					return ctx.Err()
				}
			}
			return h.handle(ctx, r)
		}, subscribe.Config{Lease: 3 * time.Second}))
		appendTo(t, db, "bank-1", 1)
		h.await(t, 1)
		pass(500 * time.Millisecond)
		away.Store(true)
		appendTo(t, db, "bank-1", 2)
		began := time.Now()
		for causes.Load() == 0 && time.Since(began) < time.Minute {
			pass(10 * time.Millisecond)
		}
		if took := time.Since(began); took > 3*time.Second+50*time.Millisecond {
			t.Errorf("the handler's context ended %s after the last renewal, want within the lease of 3s", took)
		}
		pass(10 * time.Second)
		if s := p.Status(); len(h.handled()) != 1 || s.Attempt == 0 || !errors.Is(s.LastError, errAway) || s.State != "renewing the lease fails, retrying" || s.Lanes[0].State != "the lease has passed" {
			t.Errorf("%d events were handled without a lease, and the status is %+v", len(h.handled()), s)
		}
		away.Store(false)
		pass(2 * time.Second)
		// Event 2 blocks again, and its handler returns nil after the lease has passed:
		// nobody had the lane meanwhile, so it counts.
		away.Store(true)
		pass(10 * time.Second)
		away.Store(false)
		pass(5 * time.Second)
		if got := positions(h.handled()); !slices.Equal(got, []uint64{1, 2, 3}) {
			t.Errorf("handled %v, want 1 to 3", got)
		}
		p.stop(t)
	})
}

// A handler that ignores its context and returns after another process has the
// lane changes nothing there.
func TestHandlerReturnsAfterItsLease(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		appendTo(t, db, "bank-1", 5)
		proceed := make(chan struct{})
		slow := another(db)
		late := &recorder{before: func(_ context.Context, r store.Recorded) error {
			if r.Position == 2 {
				<-proceed
			}
			return nil
		}}
		p := run(t, newSubscription(t, slow, "late", late.handle, subscribe.Config{}))
		pass(time.Second)
		slow.dead.Store(true)
		h := &recorder{}
		q := run(t, newSubscription(t, another(db), "late", h.handle, subscribe.Config{}))
		pass(10 * time.Second)
		if got := positions(h.handled()); !slices.Equal(got, []uint64{2, 3, 4, 5}) {
			t.Errorf("the other process handled %v, want 2 to 5", got)
		}
		slow.dead.Store(false)
		pass(5 * time.Second)
		if s := p.Status(); s.State != "lost, waiting for the handler" && s.State != "stopping" {
			t.Errorf("while the handler does not return the state is %q", s.State)
		}
		close(proceed)
		pass(5 * time.Second)
		if s := p.Status(); s.State != "standing by" && s.State != "live" { // it may be given the lane again
			t.Errorf("after the handler has returned the status is %+v", s)
		}
		if got := positions(late.handled()); !slices.Equal(got, []uint64{1, 2}) {
			t.Errorf("the process without the lane handled %v, want 1 and 2", got)
		}
		found, err := db.Subscriptions().Find(t.Context(), "late")
		if err != nil || found.Lanes[0].At != 5 {
			t.Errorf("the checkpoint is at %+v, %v; want 5", found.Lanes, err)
		}
		q.stop(t)
		pass(5 * time.Second)
		if s := p.Status(); s.State != "live" {
			t.Errorf("after the other has stopped the status is %+v", s)
		}
		p.stop(t)
	})
}

// A handler that blocks for ever is shown, and its lane is nobody else's meanwhile:
// the other lanes go on.
func TestHandlerThatBlocks(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		for i := range 20 {
			appendTo(t, db, fmt.Sprintf("bank-%d", i), 1)
		}
		proceed := make(chan struct{})
		h := &recorder{before: func(_ context.Context, r store.Recorded) error {
			if r.Position == 1 {
				<-proceed
			}
			return nil
		}}
		p := run(t, newSubscription(t, db, "blocks", h.handle, subscribe.Config{Lanes: 2}))
		pass(time.Hour)
		s := p.Status()
		i := slices.IndexFunc(s.Lanes, func(l subscribe.LaneStatus) bool { return !l.Live })
		if len(s.Lanes) != 2 || i < 0 || s.Lanes[i].InFlight == 0 || time.Since(s.Lanes[i].InFlightSince) < 59*time.Minute || !s.Lanes[1-i].Live {
			t.Errorf("after an hour the status is %+v", s)
		}
		before := len(h.handled())
		p.cancel()
		pass(time.Minute)
		select {
		case <-p.ended:
			t.Error("Run returned while a handler is at work")
		default:
		}
		close(proceed)
		synctest.Wait()
		p.stop(t)
		if n := len(h.handled()); n != before+1 {
			t.Errorf("%d events were handled after the stop, want the one under way", n-before)
		}
	})
}

// Stop, and start at once: the reference refuses a fast re-subscribe, or waits a
// minute.
func TestFastResubscribe(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		h := &recorder{}
		for i := range 20 {
			from := db
			if i%2 == 1 {
				from = another(db)
			}
			p := run(t, newSubscription(t, from, "again", h.handle, subscribe.Config{}))
			began := time.Now()
			appendTo(t, db, "bank-1", 1)
			h.await(t, i+1)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("run %d took %s to get the lane", i, took)
			}
			p.stop(t)
		}
		if n := len(h.handled()); n != 20 {
			t.Errorf("%d events were handled, want 20", n)
		}
	})
}
