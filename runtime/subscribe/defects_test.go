package subscribe_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// The defects of other systems, each by its name. Those that have a test elsewhere:
//
//	a checkpoint timer that jumps over events     TestCheckpointTimerJumpsOverNothing, TestMachine
//	a busy loop on an empty read                   TestNoBusyLoopOnGaps, TestDoorbells, TestMachine
//	silent death on a read error                   TestStoreIsAway
//	a listener that went deaf                      TestDoorbells
//	a zombie on a deleted stream                   TestSubscriptionToADeletedStreamEnds
//	lost order of a partition after a crash        TestProcessesJoinLeaveAndDie
//	a nil key that starves others                  TestKeys
//	re-subscribing that is refused or waits        TestFastResubscribe
//	a process that works on after a deletion       TestDeletedElsewhere
//	an unconditional checkpoint write              TestHandlerReturnsAfterItsLease
//	a failed write that forgets what is pending    TestFailedCheckpointStaysPending
//	a checkpoint beyond what failed                TestPark, TestMachine
//	no answer to a failing event but a crash       TestPark, TestSkip, TestRetryAfter
//	all work in one process                        TestProcessesJoinLeaveAndDie

// Timers for the checkpoint fire all the time while it is far behind, its queue
// is full, and events go on coming: every event is handled.
func TestCheckpointTimerJumpsOverNothing(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		h := &recorder{before: func(context.Context, store.Recorded) error {
			linger(3 * time.Millisecond)
			return nil
		}}
		appendTo(t, db, "bank-1", 500)
		p := run(t, newSubscription(t, db, "timers", h.handle, subscribe.Config{CheckpointAfter: time.Millisecond, PageSize: 10}))
		for range 200 {
			pass(7 * time.Millisecond)
			appendTo(t, db, "bank-1", 1)
		}
		pass(time.Minute)
		for i, r := range h.handled() {
			if uint64(r.Position) != uint64(i+1) {
				t.Fatalf("event %d of those handled is %d", i+1, r.Position)
			}
		}
		if n := len(h.handled()); n != 700 {
			t.Errorf("%d events were handled, want 700", n)
		}
		p.stop(t)
	})
}

// Events that were there and are deleted for good before they are read leave a gap
// at the end: it is not asked for again and again.
func TestNoBusyLoopOnGaps(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		db.Store = memory.New(memory.Config{HardDeletes: true})
		h := &recorder{}
		p := run(t, newSubscription(t, db, "gaps", h.handle, subscribe.Config{}))
		appendTo(t, db, "bank-1", 3)
		h.await(t, 3)
		appendTo(t, db, "gone-1", 2)
		if err := db.Store.(store.Deleter).Delete(t.Context(), "gone-1", 2, store.Hard); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		before := db.reads.Load()
		pass(time.Minute)
		if n := db.reads.Load() - before; n > 150 {
			t.Errorf("an idle minute costs %d reads", n)
		}
		appendTo(t, db, "bank-1", 1)
		pass(time.Second)
		if s := p.Status(); len(h.handled()) < 4 || s.State != "live" {
			t.Errorf("after the gap %d events were handled and the status is %+v", len(h.handled()), s)
		}
		p.stop(t)
	})
}

// A checkpoint that could not be stored is stored later, and what it was about is
// not forgotten meanwhile.
func TestFailedCheckpointStaysPending(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		db.advance = until(3, errAway)
		h := &recorder{}
		appendTo(t, db, "bank-1", 3)
		p := run(t, newSubscription(t, db, "pending", h.handle, subscribe.Config{}))
		pass(10 * time.Second) // nothing more happens
		if s := p.Status(); s.Stored != 3 {
			t.Errorf("the checkpoint is at %d, want 3", s.Stored)
		}
		p.stop(t)
	})
}

// A subscription that is deleted, renamed or paused elsewhere stops here.
func TestDeletedElsewhere(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		subs := another(db).Subscriptions()
		for name, f := range map[string]func(ctx context.Context, name string) error{
			"deleted": subs.Delete,
			"renamed": func(ctx context.Context, name string) error { return subs.Rename(ctx, name, "other") },
		} {
			p := run(t, newSubscription(t, db, name, (&recorder{}).handle, subscribe.Config{Lease: time.Second}))
			await(t, p.Started(), "Started")
			if err := f(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			if err := p.result(t); !errors.Is(err, store.ErrSubscriptionNotFound) {
				t.Errorf("%s: Run returned %v, want a SubscriptionNotFoundError", name, err)
			}
		}
		h := &recorder{}
		p := run(t, newSubscription(t, db, "paused", h.handle, subscribe.Config{Lease: time.Second}))
		await(t, p.Started(), "Started")
		if err := subs.Pause(t.Context(), "paused", true); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the pause", func() bool { return p.Status().State == "paused" })
		appendTo(t, db, "bank-1", 1)
		if err := subs.Pause(t.Context(), "paused", false); err != nil {
			t.Fatal(err)
		}
		h.await(t, 1)
		p.stop(t)
	})
}

// The database was restored: it says so, instead of waiting for ever.
func TestCheckpointBeyondTheHead(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		appendTo(t, db, "bank-1", 3)
		for name, c := range map[string]subscribe.Config{"all": {}, "stream": {Stream: "bank-1"}} {
			h := &recorder{}
			p := run(t, newSubscription(t, db, name, h.handle, c))
			await(t, p.Live(), "Live")
			p.stop(t)
			if err := db.Subscriptions().Reset(t.Context(), name, 1000, false); err != nil {
				t.Fatal(err)
			}
			p = run(t, newSubscription(t, db, name, h.handle, c))
			beyond, ok := errors.AsType[*subscribe.BeyondHeadError](p.result(t))
			if !ok || beyond.At != 1000 || beyond.Head != 3 {
				t.Errorf("%s: Run returned %v, want a BeyondHeadError of 1000 and 3", name, p.err)
			}
		}
		// Where it was to begin it may wait.
		h := &recorder{}
		p := run(t, newSubscription(t, db, "ahead", h.handle, subscribe.Config{Start: subscribe.After(5)}))
		await(t, p.Live(), "Live")
		appendTo(t, db, "bank-1", 4)
		if diff := cmp.Diff([]uint64{6, 7}, positions(h.await(t, 2))); diff != "" {
			t.Error(diff)
		}
		p.stop(t)
	})
}

// replaced is a store that becomes another one.
type replaced struct {
	*faulty
	epoch *atomic.Pointer[uuid.UUID]
}

func (r replaced) Subscriptions() store.Subscriptions {
	return replacedSubscriptions{r.faulty.Subscriptions(), r.epoch}
}

type replacedSubscriptions struct {
	store.Subscriptions
	epoch *atomic.Pointer[uuid.UUID]
}

func (r replacedSubscriptions) Renew(ctx context.Context, m store.Member) (store.Renewal, error) {
	renewal, err := r.Subscriptions.Renew(ctx, m)
	if epoch := r.epoch.Load(); epoch != nil {
		renewal.Epoch = *epoch
	}
	return renewal, err
}

func TestEpochChanges(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		var epoch atomic.Pointer[uuid.UUID]
		p := run(t, newSubscription(t, replaced{db, &epoch}, "epoch", (&recorder{}).handle, subscribe.Config{}))
		pass(10 * time.Second)
		other := uuid.New()
		epoch.Store(&other)
		changed, ok := errors.AsType[*subscribe.EpochError](p.waits(t, time.Minute))
		if !ok || changed.After != other || changed.Before == uuid.Nil {
			t.Errorf("Run returned %v, want an EpochError", p.err)
		}
	})
}

// A stream that is deleted for good while it is read may begin again with numbers
// that were handled: it says so. One that was truncated goes on.
func TestStreamIsRemovedWhileSubscribed(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"deleted for good", "truncated", "truncated for good", "emptied for good"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, _ *faulty) {
				db := memory.New(memory.Config{HardDeletes: true})
				h := &recorder{}
				appendTo(t, db, "bank-1", 5)
				p := run(t, newSubscription(t, db, "removed", h.handle, subscribe.Config{Stream: "bank-1"}))
				pass(time.Second)
				var err error
				switch how {
				case "deleted for good":
					err = db.Delete(t.Context(), "bank-1", 5, store.Hard)
				case "truncated":
					err = db.Truncate(t.Context(), "bank-1", 4, store.Soft)
				case "truncated for good":
					err = db.Truncate(t.Context(), "bank-1", 4, store.Hard)
				case "emptied for good":
					err = db.Truncate(t.Context(), "bank-1", 6, store.Hard)
				}
				if err != nil {
					t.Fatal(err)
				}
				if how == "deleted for good" {
					beyond, ok := errors.AsType[*subscribe.BeyondHeadError](p.waits(t, time.Minute))
					if !ok || beyond.At != 5 || beyond.Head != 0 {
						t.Errorf("Run returned %v, want a BeyondHeadError of 5 and 0", p.err)
					}
					return
				}
				pass(time.Minute)
				appendTo(t, db, "bank-1", 1)
				pass(time.Second)
				if diff := cmp.Diff([]int64{1, 2, 3, 4, 5, 6}, versions(h.handled())); diff != "" {
					t.Error(diff)
				}
				p.stop(t)
			})
		})
	}
}

// What is wrong with a Config is said when the subscription is made.
func TestLanesAndLeaseAreChecked(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	for text, c := range map[string]subscribe.Config{
		"a lease of 100ms passes before it can be renewed; at least 300ms": {Lease: 100 * time.Millisecond},
		"-1 lanes; 1 to 1024":                            {Lanes: -1},
		`both Key and KeyTag "tenant"; choose one`:       {Key: func(store.Recorded) string { return "" }, KeyName: "x", KeyTag: "tenant"},
		"Key has no KeyName; name the function":          {Key: func(store.Recorded) string { return "" }},
		"OnFailure is 7; ThenStop, ThenSkip or ThenPark": {OnFailure: 7},
		"InFlight is -1; leave it 0 for its default":     {InFlight: -1},
		"Batch.After is -1s; leave it 0 for its default": {Batch: subscribe.Batch{After: -time.Second}},
		"event type: empty":                              {Only: []string{""}},
	} {
		_, err := subscribe.New(db, "checked", (&recorder{}).handle, c)
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), text) {
			t.Errorf("New: %v, want %q", err, text)
		}
	}
}
