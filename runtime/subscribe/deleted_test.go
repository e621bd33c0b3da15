package subscribe_test

import (
	"errors"
	goruntime "runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// A deleted stream does not come back by itself: to retry would look like a
// subscription that works.
func TestSubscriptionToADeletedStreamEnds(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]subscribe.Start{"origin": subscribe.Origin, "current": subscribe.Current} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				appendTo(t, db, "bank-1", 3)
				if err := db.Store.(store.Deleter).Delete(t.Context(), "bank-1", 3, store.Soft); err != nil {
					t.Fatal(err)
				}
				s := newSubscription(t, db, "gone", (&recorder{}).handle, subscribe.Config{Stream: "bank-1", Start: start})
				if err := s.Run(t.Context()); !errors.Is(err, store.ErrStreamDeleted) {
					t.Errorf("Run: %v, want a StreamDeletedError", err)
				}
			})
		})
	}
}

func TestSubscriptionEndsWhenItsStreamIsDeleted(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		h := &recorder{}
		appendTo(t, db, "bank-1", 3)
		s := newSubscription(t, db, "gone", h.handle, subscribe.Config{Stream: "bank-1"})
		ended := make(chan error, 1)
		go func() { ended <- s.Run(t.Context()) }()
		pass(time.Second)
		if n := len(h.handled()); n != 3 {
			t.Errorf("%d events were handled, want 3", n)
		}
		if err := db.Store.(store.Deleter).Delete(t.Context(), "bank-1", 3, store.Soft); err != nil {
			t.Fatal(err)
		}
		linger(time.Minute) // it polls more often than that
		select {
		case err := <-ended:
			if !errors.Is(err, store.ErrStreamDeleted) {
				t.Errorf("Run: %v, want a StreamDeletedError", err)
			}
		default:
			t.Errorf("Run goes on: %+v", s.Status())
		}
		if at := s.Status().Stored; at != 3 {
			t.Errorf("the checkpoint stands at %d, want 3", at)
		}
		// Undeleted, the subscription goes on where it was.
		if err := db.Store.(store.Deleter).Undelete(t.Context(), "bank-1"); err != nil {
			t.Fatal(err)
		}
		appendTo(t, db, "bank-1", 1)
		p := run(t, s)
		pass(time.Second)
		if n := len(h.handled()); n != 4 {
			t.Errorf("%d events were handled, want 4", n)
		}
		p.stop(t)
	})
}

// What was deleted for good is not shown to who comes later, although others in the
// process have read it.
func TestEventsThatAreDeletedForGoodAreSoonForgotten(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, _ *faulty) {
		db := memory.New(memory.Config{HardDeletes: true})
		for name, c := range map[string]subscribe.Config{"a": {}, "b": {}, "c": {Only: []string{"happened"}}} {
			run(t, newSubscription(t, db, name, (&recorder{}).handle, c))
		}
		pass(time.Second)
		appendTo(t, db, "bank-1", 5)
		appendTo(t, db, "bank-2", 5)
		pass(time.Second)
		if err := db.Delete(t.Context(), "bank-1", 5, store.Hard); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		for name, c := range map[string]subscribe.Config{"d": {}, "e": {Only: []string{"happened"}}, "f": {Categories: []string{"bank"}}} {
			h := &recorder{}
			run(t, newSubscription(t, db, name, h.handle, c))
			pass(time.Second)
			if diff := cmp.Diff([]uint64{6, 7, 8, 9, 10}, positions(h.handled())); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
}

// The last events were deleted for good: a checkpoint behind them is no sign of a
// restored store.
func TestTheEndOfTheLogIsDeletedForGood(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{HardDeletes: true})
	appendTo(t, db, "bank-1", 3)
	appendTo(t, db, "bank-2", 2)
	h := &recorder{}
	p := run(t, newSubscription(t, db, "s", h.handle, subscribe.Config{}))
	h.await(t, 5)
	p.stop(t)
	for _, stream := range []string{"bank-2", "bank-1"} {
		if err := db.Delete(t.Context(), stream, store.Any, store.Hard); err != nil {
			t.Fatal(err)
		}
		p = run(t, newSubscription(t, db, "s", h.handle, subscribe.Config{}))
		await(t, p.Live(), "Live")
		p.stop(t)
	}
	p = run(t, newSubscription(t, db, "s", h.handle, subscribe.Config{}))
	appendTo(t, db, "bank-3", 1)
	if diff := cmp.Diff([]uint64{1, 2, 3, 4, 5, 6}, positions(h.await(t, 6))); diff != "" {
		t.Error(diff)
	}
	p.stop(t)
}

// TestSelectThatEndsATransientsGoroutine ends a transient subscription, and does not leave its
// reader waiting.
func TestSelectThatEndsATransientsGoroutine(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	appendTo(t, db, "bank-1", 1)
	sub, err := subscribe.NewTransient(db, subscribe.TransientConfig{Start: subscribe.Origin, Select: func(store.Recorded) bool {
		goruntime.Goexit()
		return true
	}})
	if err != nil {
		t.Fatal(err)
	}
	var ended error
	for _, err := range sub.Events(t.Context()) {
		ended = err
	}
	if _, ok := errors.AsType[*subscribe.SortError](ended); !ok {
		t.Errorf("it ended with %v, want a SortError", ended)
	}
}
