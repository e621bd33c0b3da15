package subscribe_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

var errAway = &store.UnavailableError{Op: "call", Err: errors.New("connection refused")}

// bubble runs test in a bubble of its own time, on a memory store.
func bubble(t *testing.T, test func(t *testing.T, db *faulty)) {
	synctest.Test(t, func(t *testing.T) {
		test(t, &faulty{Store: memory.New(memory.Config{})})
	})
}

// pass lets the bubble's time go on, and waits for what happens meanwhile.
func pass(d time.Duration) {
	linger(d)
	synctest.Wait()
}

// linger is for what takes time in a bubble, where a sleep is exact.
func linger(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // time of a bubble only
}

func TestStoreIsAway(t *testing.T) {
	t.Parallel()
	notMigrated := &store.NotMigratedError{Store: "esgen", Want: 1, Remedy: "call Migrate"}
	tests := []struct {
		name  string
		err   error
		fault func(db *faulty, err error)
		state string
	}{
		{"open", errAway, func(db *faulty, err error) { db.open = until(7, err) }, "opening the checkpoint fails, retrying"},
		{"open, not migrated", notMigrated, func(db *faulty, err error) { db.open = until(7, err) }, "opening the checkpoint fails, retrying"},
		{"read", errAway, func(db *faulty, err error) {
			db.read = func(n int64, _ store.Query) error { return until(7, err)(n) }
		}, "reading fails, retrying"},
		{"read, cut off", errAway, func(db *faulty, err error) {
			db.cut = 1
			db.read = func(n int64, _ store.Query) error { return until(7, err)(n) }
		}, "reading fails, retrying"},
		{"checkpoint", errAway, func(db *faulty, err error) { db.advance = until(7, err) }, "storing the checkpoint fails, retrying"},
		{"checkpoint, reply lost", errAway, func(db *faulty, err error) { db.lose = until(7, err) }, "storing the checkpoint fails, retrying"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				test.fault(db, test.err)
				h := &recorder{}
				appendTo(t, db, "bank-1", 3)
				p := run(t, newSubscription(t, db, "away", h.handle, subscribe.Config{}))

				pass(400 * time.Millisecond) // in the bubble's time
				status := p.Status()
				if status.State != test.state || !errors.Is(status.LastError, test.err) || status.Attempt == 0 || status.LastErrorTime.IsZero() {
					t.Errorf("while the store fails, the status is %+v", status)
				}

				// The pauses grow to 5 seconds, so all is well after seven of them.
				linger(35 * time.Second)
				appendTo(t, db, "bank-1", 2)
				pass(time.Second)
				if diff := cmp.Diff([]uint64{1, 2, 3, 4, 5}, positions(h.handled())); diff != "" {
					t.Error(diff)
				}
				status = p.Status()
				if status.State != "live" || !status.Live || status.Attempt != 0 || status.At != 5 || status.Stored != 5 || status.Handled != 5 {
					t.Errorf("after the store has come back, the status is %+v", status)
				}
				p.stop(t)
			})
		})
	}
}

// A move whose reply was lost is made again as it was, for events handled in
// between would turn it into one that fits neither end.
func TestLostReplyWhileHandlingGoesOn(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		db.lose = until(1, errAway)
		h := &recorder{before: func(context.Context, store.Recorded) error {
			linger(10 * time.Millisecond)
			return nil
		}}
		appendTo(t, db, "bank-1", 30)
		p := run(t, newSubscription(t, db, "lost", h.handle, subscribe.Config{CheckpointEvery: 20}))
		pass(2 * time.Second)
		if s := p.Status(); s.Stored != 30 || s.At != 30 {
			t.Errorf("it is at %d and stored %d, want 30", s.At, s.Stored)
		}
		p.stop(t)
	})
}

func TestErrorsThatCannotHealEndIt(t *testing.T) {
	t.Parallel()
	closed := fmt.Errorf("read: %w", store.ErrClosed)
	invalid := &store.InvalidError{What: "query", Reason: "odd"}
	tests := []struct {
		name  string
		err   error
		fault func(db *faulty, err error)
		// stored is the checkpoint afterwards.
		stored uint64
	}{
		{"open, closed", closed, func(db *faulty, err error) { db.open = until(1, err) }, 0},
		{"read, closed", closed, func(db *faulty, err error) {
			db.read = func(_ int64, q store.Query) error {
				if q.FromPosition > 1 {
					return err
				}
				return nil
			}
		}, 3},
		{"read, invalid", invalid, func(db *faulty, err error) {
			db.read = func(n int64, _ store.Query) error { return until(1, err)(n) }
		}, 0},
		{"checkpoint, closed", closed, func(db *faulty, err error) { db.advance = until(1, err) }, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				test.fault(db, test.err)
				appendTo(t, db, "bank-1", 3)
				p := run(t, newSubscription(t, db, "ends", (&recorder{}).handle, subscribe.Config{}))
				if err := p.result(t); !errors.Is(err, test.err) {
					t.Errorf("Run returned %v, want %v", err, test.err)
				}
				if s := p.Status(); s.Stored != test.stored || s.State != "not running" || !errors.Is(s.LastError, test.err) {
					t.Errorf("the status is %+v, want %d stored", s, test.stored)
				}
			})
		})
	}
}

func TestOtherSettingsAreRefused(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	appendTo(t, db, "bank-1", 1)
	p := run(t, newSubscription(t, db, "settled", (&recorder{}).handle, subscribe.Config{Categories: []string{"cards", "bank", "bank"}}))
	await(t, p.Live(), "Live")
	p.stop(t)

	h := &recorder{}
	for _, c := range []subscribe.Config{{}, {Stream: "bank-1"}, {Categories: []string{"bank"}}} {
		err := run(t, newSubscription(t, db, "settled", h.handle, c)).result(t)
		refused, ok := errors.AsType[*subscribe.SettingsError](err)
		if !ok || refused.Stored != `categories "bank", "cards"; 1 lane by stream` || refused.Given == refused.Stored || refused.Name != "settled" {
			t.Errorf("Run returned %v, want a SettingsError", err)
		}
	}
	if n := len(h.handled()); n != 0 {
		t.Errorf("%d events were handled", n)
	}
	// The order and repetition of categories make no difference.
	p = run(t, newSubscription(t, db, "settled", h.handle, subscribe.Config{Categories: []string{"bank", "cards"}}))
	await(t, p.Started(), "Started")
	p.stop(t)
}

func TestShutdownWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		db.advance = until(1<<60, errAway)
		h := &recorder{}
		appendTo(t, db, "bank-1", 2)
		p := run(t, newSubscription(t, db, "away", h.handle, subscribe.Config{}))
		h.await(t, 2)
		synctest.Wait()
		began := time.Now()
		p.cancel()
		err := p.result(t)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errAway) {
			t.Errorf("Run returned %v, want one that says that the checkpoint is not stored and is context.Canceled", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s to stop", took)
		}
	})
}

// A store that gives events twice or out of order does not get them handled so.
func TestStoreThatRepeatsEvents(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		appendTo(t, db, "bank-1", 4)
		h := &recorder{}
		p := run(t, newSubscription(t, &stutter{faulty: db}, "stutter", h.handle, subscribe.Config{}))
		pass(10 * time.Second)
		if diff := cmp.Diff([]uint64{1, 2, 3, 4}, positions(h.handled())); diff != "" {
			t.Error(diff)
		}
		if p.Status().LastError == nil {
			t.Error("the fault of the store is not told")
		}
		p.stop(t)
	})
}
