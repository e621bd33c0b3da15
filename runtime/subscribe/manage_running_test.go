package subscribe_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// becomes waits until the subscription is as told.
func becomes(t *testing.T, db store.Store, name string, is func(subscribe.Info) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var last subscribe.Info
	for all, err := range subscribe.Watch(ctx, db, 5*time.Millisecond, name) {
		if err != nil {
			t.Fatalf("%v; it was %+v", err, last)
		}
		if last = all[0]; is(last) {
			return
		}
	}
}

// stored waits until the checkpoints are where the handling is.
func stored(t *testing.T, db store.Store, name string, at uint64) {
	t.Helper()
	becomes(t, db, name, func(subscribe.Info) bool {
		s, err := db.Subscriptions().Find(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, lane := range s.Lanes {
			if lane.At != at {
				return false
			}
		}
		return true
	})
}

// TestSubscriptionsAreManagedWhileTheyRun does everything to one that is live, from
// outside.
func TestSubscriptionsAreManagedWhileTheyRun(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		appended := appendTo(t, db, "bank-1", 5)
		h := &recorder{}
		c := subscribe.Config{Lanes: 2, Lease: 400 * time.Millisecond}
		p := run(t, newSubscription(t, db, "s", h.handle, c))
		await(t, p.Live(), "Live")
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := subscribe.WaitFor(ctx, db, "s", appended); err != nil {
			t.Fatal(err)
		}
		info := found(t, db, "s")
		stored(t, db, "s", 5)
		if info.State != "live" || info.At != 5 || !info.Lanes[0].Here || info.Lanes[1].Owner == "" || info.InFlight != 0 {
			t.Errorf("%+v", info)
		}

		if err := subscribe.Pause(t.Context(), db, "s"); err != nil {
			t.Fatal(err)
		}
		becomes(t, db, "s", func(i subscribe.Info) bool { return i.State == "paused" && !i.Lanes[0].Here && !i.Lanes[1].Here })
		appended = appendTo(t, db, "bank-1", 1)
		if n := len(h.handled()); n != 5 {
			t.Errorf("paused it handled %d", n)
		}
		if err := subscribe.Resume(t.Context(), db, "s"); err != nil {
			t.Fatal(err)
		}
		if err := subscribe.WaitFor(ctx, db, "s", appended); err != nil {
			t.Fatal(err)
		}
		h.await(t, 6)
		stored(t, db, "s", 6)

		if at, err := subscribe.Reset(t.Context(), db, "s", subscribe.After(2)); at != 2 || err != nil {
			t.Fatalf("%d, %v", at, err)
		}
		for i, r := range h.await(t, 10)[6:10] {
			if want := store.Position(3 + i); r.Position != want {
				t.Errorf("after a reset it handled %d, want %d", r.Position, want)
			}
		}
		becomes(t, db, "s", func(i subscribe.Info) bool { return i.State == "live" && i.At == 6 })

		if err := subscribe.Delete(t.Context(), db, "s"); err != nil {
			t.Fatal(err)
		}
		if err := p.result(t); !errors.Is(err, store.ErrSubscriptionNotFound) {
			t.Errorf("deleted, it ends with %v", err)
		}
	})
}

func TestARenamedSubscriptionGoesOnUnderItsNewName(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		appendTo(t, db, "bank-1", 3)
		c := subscribe.Config{Lease: 400 * time.Millisecond}
		p := run(t, newSubscription(t, db, "old", (&recorder{}).handle, c))
		await(t, p.Live(), "Live")
		stored(t, db, "old", 3)
		if err := subscribe.Rename(t.Context(), db, "old", "new"); err != nil {
			t.Fatal(err)
		}
		if err := p.result(t); !errors.Is(err, store.ErrSubscriptionNotFound) {
			t.Errorf("renamed, it ends with %v", err)
		}
		appendTo(t, db, "bank-1", 1)
		h := &recorder{}
		p = run(t, newSubscription(t, db, "new", h.handle, c))
		if got := h.await(t, 1); got[0].Version != 4 {
			t.Errorf("it handles version %d", got[0].Version)
		}
		p.stop(t)
	})
}
