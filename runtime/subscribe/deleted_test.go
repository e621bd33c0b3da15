package subscribe_test

import (
	"errors"
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
