package subscribe_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// watcher is a loop over a transient subscription.
type watcher struct {
	recorder
	gaps   []subscribe.OverflowError
	err    error
	ended  chan struct{}
	cancel context.CancelFunc
}

// watch begins a loop that calls each for every event, and returns when it has begun.
func watch(t *testing.T, db store.Store, c subscribe.TransientConfig, each func(store.Recorded)) *watcher {
	t.Helper()
	s, err := subscribe.NewTransient(db, c)
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{ended: make(chan struct{})}
	var ctx context.Context
	ctx, w.cancel = context.WithCancel(context.Background())
	go func() {
		defer close(w.ended)
		for r, err := range s.Events(ctx) {
			var gap *subscribe.OverflowError
			switch {
			case errors.As(err, &gap):
				w.gaps = append(w.gaps, *gap)
			case err != nil:
				w.err = err
			default:
				if each != nil {
					each(r)
				}
				_ = w.handle(ctx, r)
			}
		}
	}()
	t.Cleanup(func() { w.cancel(); <-w.ended })
	select {
	case <-s.Started():
	case <-w.ended:
	}
	return w
}

func (w *watcher) stop(t *testing.T) {
	t.Helper()
	w.cancel()
	await(t, w.ended, "the loop to end")
	if !errors.Is(w.err, context.Canceled) {
		t.Errorf("the loop ended with %v, want %v", w.err, context.Canceled)
	}
}

func TestTransientShowsWhatIsAppendedFromNowOn(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		appendTo(t, db, "bank-1", 3)
		appendTo(t, db, "card-1", 1)
		odd := func(r store.Recorded) bool { return r.Version%2 == 1 }
		watchers := []struct {
			c    subscribe.TransientConfig
			want []uint64 // of events 1 to 4 before, 5 to 7 of bank-1 and 8 of card-1 after
		}{
			{subscribe.TransientConfig{}, []uint64{5, 6, 7, 8}},
			{subscribe.TransientConfig{Start: subscribe.Origin}, []uint64{1, 2, 3, 4, 5, 6, 7, 8}},
			{subscribe.TransientConfig{Start: subscribe.After(2)}, []uint64{3, 4, 5, 6, 7, 8}},
			{subscribe.TransientConfig{Start: subscribe.At(time.Unix(0, 0)), Categories: []string{"card"}}, []uint64{4, 8}},
			{subscribe.TransientConfig{Start: subscribe.At(time.Now().Add(time.Hour))}, nil},
			{subscribe.TransientConfig{Categories: []string{"bank"}}, []uint64{5, 6, 7}},
			{subscribe.TransientConfig{Stream: "bank-1"}, []uint64{5, 6, 7}},
			{subscribe.TransientConfig{Stream: "bank-1", Start: subscribe.AfterVersion(1)}, []uint64{2, 3, 5, 6, 7}},
			{subscribe.TransientConfig{Only: []string{"other"}}, nil},
			{subscribe.TransientConfig{Select: odd}, []uint64{6}},
		}
		running := make([]*watcher, 0, len(watchers))
		for _, w := range watchers {
			running = append(running, watch(t, db, w.c, nil))
		}
		appendTo(t, db, "bank-1", 3)
		appendTo(t, db, "card-1", 1)
		for i, w := range watchers {
			if diff := cmp.Diff(w.want, positions(running[i].await(t, len(w.want)))); diff != "" {
				t.Errorf("%+v: %s", w.c, diff)
			}
			running[i].stop(t)
			if n := len(running[i].gaps); n != 0 {
				t.Errorf("%+v: %d gaps", w.c, n)
			}
		}
		if s, err := db.Subscriptions().List(t.Context(), "", 10); err != nil || len(s) != 0 {
			t.Errorf("%d subscriptions are stored, %v", len(s), err)
		}
	})
}

// What does not fit is said: how much it is and where to read it, between the events
// before and after it. What is held is bounded in events and bytes.
func TestTransientSaysWhatItHasNotKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]subscribe.TransientConfig{
		"events": {Buffer: 10},
		"bytes":  {BufferBytes: 110}, // of events of 7 bytes beside {"n":10} of 8
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				slow := func(r store.Recorded) {
					if r.Position == 1 || r.Position == 101 {
						linger(time.Minute)
					}
				}
				w := watch(t, db, c, slow)
				appendTo(t, db, "bank-1", 1)
				pass(time.Second)
				for range 99 { // while event 1 is looked at
					appendTo(t, db, "bank-1", 1)
				}
				pass(2 * time.Minute)
				appendTo(t, db, "bank-1", 5) // event 101 takes another minute
				pass(2 * time.Minute)
				w.stop(t)
				if len(w.gaps) != 1 {
					t.Fatalf("gaps %+v, want 1", w.gaps)
				}
				gap := w.gaps[0]
				var want []uint64
				for at := uint64(1); at <= 105; at++ {
					if at <= gap.After || at > gap.Last {
						want = append(want, at)
					}
				}
				if diff := cmp.Diff(want, positions(w.handled())); diff != "" {
					t.Error(diff)
				}
				if gap.Last != 100 || gap.Missed != gap.Last-gap.After || gap.Buffer < 10 || gap.Buffer > 16 || gap.After != uint64(gap.Buffer)+1 {
					t.Errorf("%+v", gap)
				}
				// They are where it says.
				r := watch(t, db, subscribe.TransientConfig{Start: subscribe.After(gap.After), Buffer: 1000}, nil)
				if got := r.await(t, int(gap.Missed))[0].Position; uint64(got) != gap.After+1 {
					t.Errorf("read from %d on the first is %d", gap.After, got)
				}
				r.stop(t)
			})
		})
	}
}

// However slow the program is: each event is shown or counted, once and in order.
func TestTransientAccountsForEveryEvent(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	bubble(t, func(t *testing.T, db *faulty) {
		dice := rand.New(rand.NewPCG(seed, 1))
		w := watch(t, db, subscribe.TransientConfig{Buffer: 7}, func(store.Recorded) { linger(time.Duration(dice.IntN(20)) * time.Millisecond) })
		writer := rand.New(rand.NewPCG(seed, 2))
		for range 500 {
			appendTo(t, db, "bank-1", 1+writer.IntN(3))
			linger(time.Duration(writer.IntN(20)) * time.Millisecond)
		}
		last := appendTo(t, db, "bank-1", 1)
		pass(time.Hour)
		w.stop(t)
		if len(w.gaps) == 0 {
			t.Error("the program was never too slow, so this test shows nothing")
		}
		seen := make(map[uint64]int)
		at := uint64(0)
		for _, p := range positions(w.handled()) {
			if p <= at {
				t.Fatalf("%d follows %d", p, at)
			}
			at = p
			seen[p]++
		}
		for _, gap := range w.gaps {
			if gap.Missed != gap.Last-gap.After {
				t.Errorf("%+v", gap)
			}
			for p := gap.After + 1; p <= gap.Last; p++ {
				seen[p]++
			}
		}
		for p := uint64(1); p <= uint64(last.Last); p++ {
			if seen[p] != 1 {
				t.Fatalf("event %d was shown or counted %d times", p, seen[p])
			}
		}
	})
}

// A store that fails is asked again, with pauses, and nothing is missed.
func TestTransientOutlivesFailures(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		away := errors.New("away")
		var works atomic.Bool
		db.read = func(int64, store.Query) error {
			if works.Load() {
				return nil
			}
			return away
		}
		s, err := subscribe.NewTransient(db, subscribe.TransientConfig{Start: subscribe.Origin})
		if err != nil {
			t.Fatal(err)
		}
		h := &recorder{}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for r, err := range s.Events(ctx) {
				if err == nil {
					_ = h.handle(ctx, r)
				}
			}
		}()
		appendTo(t, db, "bank-1", 3)
		pass(time.Hour)
		if n := db.reads.Load(); n < 700 || n > 2000 {
			t.Errorf("%d reads in an hour of failures", n)
		}
		works.Store(true)
		if diff := cmp.Diff([]uint64{1, 2, 3}, positions(h.await(t, 3))); diff != "" {
			t.Error(diff)
		}
		cancel()
		<-ended
	})
}

// An end is said, with its reason.
func TestTransientEnds(t *testing.T) {
	t.Parallel()
	var closed atomic.Bool // of the last case
	tests := []struct {
		name string
		c    subscribe.TransientConfig
		do   func(t *testing.T, db *faulty)
		is   func(error) bool
	}{
		{"its stream is deleted", subscribe.TransientConfig{Stream: "bank-1"}, func(t *testing.T, db *faulty) {
			if err := db.Store.(store.Deleter).Delete(t.Context(), "bank-1", store.Any, store.Soft); err != nil {
				t.Fatal(err)
			}
		}, func(err error) bool { return errors.Is(err, store.ErrStreamDeleted) }},
		{"select panics", subscribe.TransientConfig{Select: func(store.Recorded) bool { panic("boom") }}, func(t *testing.T, db *faulty) {
			appendTo(t, db, "bank-1", 1)
		}, func(err error) bool { _, ok := errors.AsType[*subscribe.SortError](err); return ok }},
		{"the store is closed", subscribe.TransientConfig{}, func(*testing.T, *faulty) {
			closed.Store(true)
		}, func(err error) bool { return errors.Is(err, store.ErrClosed) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				appendTo(t, db, "bank-1", 1)
				if test.name == "the store is closed" {
					db.read = func(int64, store.Query) error {
						if closed.Load() {
							return store.ErrClosed
						}
						return nil
					}
				}
				w := watch(t, db, test.c, nil)
				pass(time.Second)
				test.do(t, db)
				pass(time.Minute)
				select {
				case <-w.ended:
				default:
					t.Fatal("the loop goes on")
				}
				if !test.is(w.err) {
					t.Errorf("it ended with %v", w.err)
				}
			})
		})
	}
}

func TestTransientRefusesBadInput(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		for name, c := range map[string]subscribe.TransientConfig{
			"stream and categories": {Stream: "a-1", Categories: []string{"a"}},
			"negative buffer":       {Buffer: -1},
			"negative bytes":        {BufferBytes: -1},
			"version of all":        {Start: subscribe.AfterVersion(1)},
			"position of a stream":  {Start: subscribe.After(1), Stream: "a-1"},
		} {
			if _, err := subscribe.NewTransient(db, c); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := subscribe.NewTransient(nil, subscribe.TransientConfig{}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("no store: %v", err)
		}
	})
}

// Leaving the loop ends everything; a second loop begins anew.
func TestTransientLoopsAnew(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		appendTo(t, db, "bank-1", 5)
		s, err := subscribe.NewTransient(db, subscribe.TransientConfig{Start: subscribe.Origin})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			var got []store.Recorded
			for r, err := range s.Events(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if got = append(got, r); len(got) == 3 {
					break
				}
			}
			if diff := cmp.Diff([]uint64{1, 2, 3}, positions(got)); diff != "" {
				t.Error(diff)
			}
		}
	})
}
