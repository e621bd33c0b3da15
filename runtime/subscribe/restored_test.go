package subscribe_test

import (
	"context"
	"database/sql"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/sqlite"
	"github.com/esgen/esgen/runtime/subscribe"
)

// restorable is a store whose events can be replaced by those of an older copy of it,
// while programs that use it go on.
type restorable struct {
	store.Store
	events atomic.Pointer[memory.Store]
}

func (s *restorable) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	defer s.Local().Ring()
	return s.events.Load().Append(ctx, batches...)
}

func (s *restorable) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return s.events.Load().Read(ctx, q)
}

// TestTheDatabaseIsRestoredUnderRunningSubscriptions: the log and the checkpoints are
// those of a while ago, and then the log goes another way. What was read before of
// events that are gone is not what stands at their places now.
func TestTheDatabaseIsRestoredUnderRunningSubscriptions(t *testing.T) {
	t.Parallel()
	file := openSQLite(t).(*sqlite.Store)
	db := &restorable{Store: file}
	db.events.Store(memory.New(memory.Config{}))
	copied := memory.New(memory.Config{})
	appendTo(t, db, "bank-1", 5)
	appendTo(t, copied, "bank-1", 5)
	// Who only watches is not told, and keeps what was read in use.
	for range 2 {
		watch, err := subscribe.NewTransient(db, subscribe.TransientConfig{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() {
			for range watch.Events(ctx) {
			}
		})
		t.Cleanup(func() { cancel(); watching.Wait() })
		await(t, watch.Started(), "Started")
	}
	handlers := make([]*recorder, 3)
	for i, c := range []subscribe.Config{{}, {}, {Categories: []string{"bank"}}} {
		handlers[i] = &recorder{}
		c.Lease = 300 * time.Millisecond
		p := run(t, newSubscription(t, db, string(rune('a'+i)), handlers[i].handle, c))
		await(t, p.Live(), "Live")
	}
	appendTo(t, db, "bank-lost", 5)
	for i, h := range handlers {
		h.await(t, 10)
		eventually(t, "the checkpoint", func() bool {
			s, err := db.Subscriptions().Find(t.Context(), string(rune('a'+i)))
			return err == nil && s.Lanes[0].At == 10
		})
	}
	appendTo(t, copied, "bank-new", 7)
	raw, err := sql.Open("sqlite", file.File())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	db.events.Store(copied)
	if _, err := raw.Exec("PRAGMA busy_timeout = 5000; UPDATE lanes SET place = 5"); err != nil {
		t.Fatal(err)
	}
	for i, h := range handlers {
		again := map[store.Position]string{}
		eventually(t, "what is new was handled", func() bool {
			for _, r := range h.handled()[10:] {
				again[r.Position] = r.Stream
			}
			return len(again) >= 7
		})
		for at := store.Position(6); at <= 12; at++ {
			if again[at] != "bank-new" {
				t.Errorf("subscription %d was given an event of %q at %d, which is one of bank-new now", i, again[at], at)
			}
		}
	}
}
