package subscribe_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// Progress never depends on the doorbell: with none, and with bells that are
// dropped, doubled, late or stuck, everything arrives within the poll interval.
func TestDoorbells(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// bell replaces the store's; ring is called for each of its rings.
		ring func(bell *store.Local)
		late time.Duration
		// reads bounds those of a minute in which nothing happens.
		reads int64
	}{
		{"works", (*store.Local).Ring, 5 * time.Millisecond, 150},
		{"dropped", func(*store.Local) {}, time.Second, 150},
		{"doubled", func(bell *store.Local) { bell.Ring(); bell.Ring() }, 5 * time.Millisecond, 300},
		{"late", func(bell *store.Local) { linger(300 * time.Millisecond); bell.Ring() }, 300 * time.Millisecond, 150},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				bell := &store.Local{}
				db.local = bell
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					for {
						rung := db.Store.Local().Wait()
						select {
						case <-rung:
							test.ring(bell)
						case <-ctx.Done():
							return
						}
					}
				}()
				h := &recorder{}
				p := run(t, newSubscription(t, db, "bells", h.handle, subscribe.Config{}))
				linger(time.Minute)
				before := db.reads.Load()
				linger(time.Minute)
				if n := db.reads.Load() - before; n > test.reads || n < 60 {
					t.Errorf("an idle minute cost %d reads, want 60 to %d", n, test.reads)
				}
				if n := db.advances.Load(); n != 0 {
					t.Errorf("nothing happened and the checkpoint was stored %d times", n)
				}
				for n := 1; n <= 20; n++ {
					appendTo(t, db, "bank-1", 1)
					pass(test.late + time.Millisecond)
					if got := len(h.handled()); got != n {
						t.Fatalf("%d events were handled %s after the append of number %d", got, test.late, n)
					}
					linger(time.Duration(n) * 97 * time.Millisecond)
				}
				p.stop(t)
			})
		})
	}
}

// After activity the pauses are short and grow.
func TestPollIntervalAdapts(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		db.local = &store.Local{}
		h := &recorder{}
		p := run(t, newSubscription(t, db, "adapts", h.handle, subscribe.Config{PollInterval: 10 * time.Second}))
		linger(time.Minute)
		appendTo(t, db, "bank-1", 1)
		h.await(t, 1)
		for n := 2; n <= 20; n++ {
			pass(10 * time.Millisecond)
			began := time.Now()
			appendTo(t, db, "bank-1", 1)
			h.await(t, n)
			if took := time.Since(began); took > 20*time.Millisecond {
				t.Errorf("event %d was handled %s after its append, 10ms after event %d", n, took, n-1)
			}
		}
		p.stop(t)
	})
}

func TestCheckpointsAreCoalesced(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config subscribe.Config
		pause  time.Duration // of the handler
		most   int64         // checkpoints for 1000 events
		least  int64
	}{
		{"by count", subscribe.Config{CheckpointEvery: 100, CheckpointAfter: time.Hour}, 0, 21, 10},
		{"by time", subscribe.Config{}, 10 * time.Millisecond, 11, 9},
		{"each", subscribe.Config{CheckpointEvery: 1}, 0, 1000, 1000},
		{"at the end", subscribe.Config{CheckpointEvery: 10_000, CheckpointAfter: time.Hour}, 0, 1, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, db *faulty) {
				h := &recorder{before: func(context.Context, store.Recorded) error {
					linger(test.pause)
					return nil
				}}
				appendTo(t, db, "bank-1", 1000)
				p := run(t, newSubscription(t, db, "coalesced", h.handle, test.config))
				pass(time.Minute)
				s := p.Status()
				if n := db.advances.Load(); n < test.least || n > test.most || s.Stored != 1000 {
					t.Errorf("1000 events took %d checkpoints, the last at %d; want %d to %d", n, s.Stored, test.least, test.most)
				}
				p.stop(t)
			})
		})
	}
}

// The checkpoint of what was handled is stored while a slow handler works.
func TestSlowHandlerHoldsNoCheckpointBack(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		h := &recorder{before: func(_ context.Context, r store.Recorded) error {
			if r.Position == 4 {
				linger(time.Hour)
			}
			return nil
		}}
		appendTo(t, db, "bank-1", 5)
		p := run(t, newSubscription(t, db, "slow", h.handle, subscribe.Config{}))
		pass(2 * time.Second)
		if s := p.Status(); s.Stored != 3 || s.At != 3 || s.Live {
			t.Errorf("while event 4 is handled the status is %+v", s)
		}
		// Stopping stores it too, and waits for the handler; its event counts.
		p.cancel()
		pass(2 * time.Hour)
		if s := p.Status(); s.Stored != 4 {
			t.Errorf("after the stop the checkpoint is at %d, want 4", s.Stored)
		}
		if diff := cmp.Diff([]uint64{1, 2, 3, 4}, positions(h.handled())); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPagesBoundWhatIsHeld(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		most := 0
		db.read = func(_ int64, q store.Query) error {
			most = max(most, q.Limit)
			return nil
		}
		h := &recorder{}
		appendTo(t, db, "bank-1", 1000)
		p := run(t, newSubscription(t, db, "pages", h.handle, subscribe.Config{PageSize: 7}))
		h.await(t, 1000)
		p.stop(t)
		if most != 4 {
			t.Errorf("up to %d events were read at once, want 4", most)
		}
	})
}
