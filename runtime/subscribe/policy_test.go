package subscribe_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

func parkedIn(t *testing.T, db store.Store, name string, states ...store.ParkedState) (at []uint64) {
	t.Helper()
	rows, err := db.Subscriptions().Parked(t.Context(), store.ParkedQuery{Subscription: name, Lane: -1, States: states, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		at = append(at, r.At)
	}
	slices.Sort(at)
	return at
}

// An event that fails is parked with its error, the later ones of its key behind
// it; others go on, also over a restart. Tried again after a fix, they are handled
// in order, and what came meanwhile after them.
func TestPark(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		var fixed atomic.Bool
		h := &recorder{before: func(_ context.Context, r store.Recorded) error {
			if r.Stream == "bank-1" && r.Version == 2 && !fixed.Load() {
				return errSick
			}
			return nil
		}}
		c := subscribe.Config{OnFailure: subscribe.ThenPark, Retry: subscribe.Retry{Attempts: 2, First: time.Millisecond}}
		for i := range 9 {
			appendTo(t, db, fmt.Sprint("bank-", i%3), 1)
		}
		p := run(t, newSubscription(t, db, "parks", h.handle, c))
		await(t, p.Live(), "Live")
		if s := p.Status(); s.Lanes[0].ParkedKeys != 1 || s.State != "live" {
			t.Errorf("the status is %+v", s)
		}
		p.stop(t)
		if diff := cmp.Diff([]uint64{5, 8}, parkedIn(t, db, "parks", store.ParkedWaiting)); diff != "" {
			t.Error(diff)
		}
		rows, err := db.Subscriptions().Parked(t.Context(), store.ParkedQuery{Subscription: "parks", Lane: -1, Limit: 10})
		if err != nil || rows[0].Error != "sick" || rows[0].Attempts != 2 || rows[0].Key != "bank-1" || rows[1].Attempts != 0 {
			t.Errorf("parked are %+v, %v", rows, err)
		}

		appendTo(t, db, "bank-1", 1)
		p = run(t, newSubscription(t, db, "parks", h.handle, c))
		await(t, p.Started(), "Started")
		eventually(t, "event 10 to wait behind", func() bool { return len(parkedIn(t, db, "parks", store.ParkedWaiting)) == 3 })
		if n, err := db.Subscriptions().Mark(t.Context(), "parks", "bank-1", store.ParkedRetry, "try"); n != 3 || err != nil {
			t.Fatalf("marked %d, %v", n, err)
		}
		eventually(t, "event 5 to fail again", func() bool {
			rows, err := db.Subscriptions().Parked(t.Context(), store.ParkedQuery{Subscription: "parks", Lane: -1, Limit: 10})
			return err == nil && rows[0].Attempts == 4 && len(parkedIn(t, db, "parks", store.ParkedWaiting)) == 3
		})
		fixed.Store(true)
		if _, err := db.Subscriptions().Mark(t.Context(), "parks", "bank-1", store.ParkedRetry, "fixed"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "all to be handled", func() bool { return len(h.handled()) == 10 })
		eventually(t, "nothing to be parked", func() bool { return len(parkedIn(t, db, "parks")) == 0 })
		appendTo(t, db, "bank-1", 1)
		var of []int64
		for _, r := range h.await(t, 11) {
			if r.Stream == "bank-1" {
				of = append(of, int64(r.Version))
			}
		}
		if diff := cmp.Diff([]int64{1, 2, 3, 4, 5}, of); diff != "" {
			t.Error(diff)
		}
		p.stop(t)
	})
}

// When the first of a key is discarded, those that waited behind it are handled.
func TestDiscardedIsPassed(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		h, _ := sickAt(func(int) error { return subscribe.Park(errSick) })
		appendTo(t, db, "bank-1", 3)
		p := run(t, newSubscription(t, db, "discards", h.handle, subscribe.Config{}))
		pass(time.Second)
		if _, err := db.Subscriptions().Mark(t.Context(), "discards", "bank-1", store.ParkedDiscarded, "useless"); err != nil {
			t.Fatal(err)
		}
		appendTo(t, db, "bank-1", 2) // before the lane has looked
		pass(time.Minute)
		if diff := cmp.Diff([]uint64{1, 2, 4, 5}, positions(h.handled())); diff != "" {
			t.Error(diff)
		}
		if s := p.Status(); s.Lanes[0].ParkedKeys != 0 {
			t.Errorf("the status is %+v", s)
		}
		p.stop(t)
	})
}

func TestSkip(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		h, attempts := sickAt(func(int) error { return errSick })
		appendTo(t, db, "bank-1", 5)
		p := run(t, newSubscription(t, db, "skips", h.handle, subscribe.Config{OnFailure: subscribe.ThenSkip, Retry: subscribe.Retry{Attempts: 2, First: time.Millisecond}}))
		await(t, p.Live(), "Live")
		p.stop(t)
		if diff := cmp.Diff([]uint64{1, 2, 4, 5}, positions(h.handled())); diff != "" || *attempts != 2 {
			t.Errorf("after %d attempts: %s", *attempts, diff)
		}
		if diff := cmp.Diff([]uint64{3}, parkedIn(t, db, "skips", store.ParkedSkipped)); diff != "" {
			t.Errorf("recorded as skipped: %s", diff)
		}
	})
}

// Memory is bounded: with too many parked keys it stops and says so.
func TestTooManyParkedKeys(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		for i := range 5 {
			appendTo(t, db, fmt.Sprint("bank-", i), 2)
		}
		p := run(t, newSubscription(t, db, "full", func(context.Context, store.Recorded) error { return subscribe.Park(errSick) }, subscribe.Config{MaxParkedKeys: 3}))
		full, ok := errors.AsType[*subscribe.ParkedError](p.waits(t, time.Minute))
		if !ok || full.Keys != 3 || full.Key != "bank-3" || !errors.Is(full, errSick) {
			t.Errorf("Run returned %v, want a ParkedError of the fourth key", p.err)
		}
		if at := p.Status().Stored; at != 6 {
			t.Errorf("the checkpoint is at %d, want 6", at)
		}
	})
}

// An event that this program cannot read stops its lane and is never passed over;
// a newer program that takes over goes on with it.
func TestRollingDeployWithAnUnknownType(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		knows := func(types ...string) *recorder {
			return &recorder{before: func(_ context.Context, r store.Recorded) error {
				if !slices.Contains(types, r.Type) {
					return subscribe.Unreadable(fmt.Errorf("unknown type %s", r.Type))
				}
				return nil
			}}
		}
		// Policies do not concern it.
		c := subscribe.Config{OnFailure: subscribe.ThenSkip, Retry: subscribe.Retry{Attempts: 1}, Lanes: 2, Lease: time.Second}
		before := knows("happened")
		p := run(t, newSubscription(t, another(db), "deploy", before.handle, c))
		await(t, p.Live(), "Live")
		appendTo(t, db, "bank-1", 1)
		_, err := db.Append(t.Context(), store.Batch{Stream: "bank-1", Expected: store.Any, Events: []store.Event{{Type: "new", Format: store.JSON, Data: []byte(`{}`)}}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			appendTo(t, db, fmt.Sprint("bank-", i), 1)
		}
		eventually(t, "the unknown type to be told", func() bool {
			return p.Status().State == "waiting for a program that can read the event"
		})
		eventually(t, "the store to know it", func() bool {
			s, err := db.Subscriptions().Find(t.Context(), "deploy")
			return err == nil && slices.ContainsFunc(s.Lanes, func(l store.Lane) bool { return l.Error == "unknown type new" })
		})
		others := len(before.await(t, 5))
		after := knows("happened", "new")
		q := run(t, newSubscription(t, another(db), "deploy", after.handle, c))
		p.stop(t)
		eventually(t, "all to be handled", func() bool { return len(before.handled())+len(after.handled()) == 22 })
		if others >= 22 || slices.ContainsFunc(before.handled(), func(r store.Recorded) bool { return r.Type == "new" }) {
			t.Errorf("the old program handled %d events", others)
		}
		var of []int64
		for _, r := range append(before.handled(), after.handled()...) {
			if r.Stream == "bank-1" {
				of = append(of, int64(r.Version))
			}
		}
		if diff := cmp.Diff([]int64{1, 2, 3}, of); diff != "" {
			t.Error(diff)
		}
		q.stop(t)
	})
}

// A handler says when it wants the event again.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		h, attempts := sickAt(func(n int) error {
			if n < 5 {
				return subscribe.RetryAfter(time.Minute, errSick)
			}
			return nil
		})
		appendTo(t, db, "bank-1", 5)
		began := time.Now()
		p := run(t, newSubscription(t, db, "later", h.handle, subscribe.Config{Retry: subscribe.Retry{Attempts: 1}}))
		for len(h.handled()) < 5 && time.Since(began) < time.Hour {
			pass(time.Second)
		}
		if took := time.Since(began); took < 4*time.Minute || took > 5*time.Minute || *attempts != 5 {
			t.Errorf("%d attempts took %s, want 5 in 4 minutes", *attempts, took)
		}
		p.stop(t)
	})
}
