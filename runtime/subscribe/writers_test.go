package subscribe_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/subscribe"
)

// TestManyWriters catches up with a log and then follows it while many append,
// and is stopped and started in between: what is handled is the log.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		appendTo(t, db, "bank-0", 700) // more than a page to catch up with
		const writers, each = 8, 40

		h := &recorder{}
		byStream := &recorder{}
		c := subscribe.Config{PageSize: 64, CheckpointEvery: 50}
		stream := run(t, newSubscription(t, db, "hot", byStream.handle, subscribe.Config{Stream: "bank-hot"}))
		p := run(t, newSubscription(t, db, "follows", h.handle, c))
		var writing sync.WaitGroup
		total := 700
		var mu sync.Mutex
		for w := range writers {
			writing.Go(func() {
				random := rand.New(rand.NewPCG(seed, uint64(w)))
				for i := range each {
					to := "bank-hot"
					if random.IntN(2) == 0 {
						to = fmt.Sprintf("bank-%d-%d", w, i)
					}
					n := 1 + random.IntN(5)
					if _, err := appendEvents(t.Context(), db, to, n); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					total += n
					mu.Unlock()
				}
			})
		}
		// A clean stop repeats and passes over nothing.
		for range 3 {
			h.await(t, len(h.handled())+100)
			p.stop(t)
			p = run(t, newSubscription(t, db, "follows", h.handle, c))
		}
		writing.Wait()
		events := h.await(t, total)
		p.stop(t)
		hot := 0
		for i, r := range events {
			if uint64(r.Position) != uint64(i+1) {
				t.Fatalf("seed %d: event %d of %d has position %d", seed, i+1, len(events), r.Position)
			}
			if r.Stream == "bank-hot" {
				hot++
			}
		}
		for i, r := range byStream.await(t, hot) {
			if int64(r.Version) != int64(i+1) || r.Stream != "bank-hot" {
				t.Fatalf("seed %d: event %d of bank-hot is version %d of %s", seed, i+1, r.Version, r.Stream)
			}
		}
		stream.stop(t)
	})
}

// A crash repeats at most CheckpointEvery events, from the checkpoint on.
func TestCrashRepeatsWhatWasNotStored(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		appendTo(t, db, "bank-1", 100)
		// A process that cannot reach the store any more has died, for the others.
		dying := another(db)
		dying.advance = func(n int64) error {
			if n > 2 {
				dying.dead.Store(true)
				return errAway
			}
			return nil
		}
		h := &recorder{}
		c := subscribe.Config{CheckpointEvery: 10, Lease: time.Second}
		p := run(t, newSubscription(t, dying, "dies", h.handle, c))
		eventually(t, "the checkpoint to fail", func() bool { return p.Status().Attempt > 0 })
		died := p.Status()
		if repeats := died.At - died.Stored; died.Stored == 0 || repeats == 0 || repeats > 10 {
			t.Errorf("it died at %d with the checkpoint at %d", died.At, died.Stored)
		}
		heir := &recorder{}
		began := time.Now()
		q := run(t, newSubscription(t, another(db), "dies", heir.handle, c))
		if first := heir.await(t, 1)[0]; uint64(first.Position) != died.Stored+1 {
			t.Errorf("the next process began with %d, want %d", first.Position, died.Stored+1)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the next process began after %s", took)
		}
		heir.await(t, 100-int(died.Stored))
		if n := len(h.handled()); uint64(n) > died.Stored+10 {
			t.Errorf("the first process handled %d events, at most 10 after %d", n, died.Stored)
		}
		q.stop(t)
		p.cancel()
		<-p.ended
	})
}

// eventually looks again and again until what is true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for again := time.NewTicker(time.Millisecond); !is(); <-again.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestDatabaseGoesAway stops a real server while a subscription follows it.
func TestDatabaseGoesAway(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	db, err := postgres.New(server.Pool(t), postgres.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h := &recorder{}
	// It begins before the database is migrated, as in a deploy.
	p := run(t, newSubscription(t, db, "outage", h.handle, subscribe.Config{}))
	eventually(t, "the missing tables to be told", func() bool { return errors.Is(p.Status().LastError, store.ErrNotMigrated) })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	appendTo(t, db, "bank-1", 3)
	h.await(t, 3)
	for _, mode := range []pgtest.Mode{pgtest.Fast, pgtest.Kill} {
		before := p.Status().LastErrorTime
		server.Stop(mode)
		eventually(t, "the outage to be told", func() bool { return p.Status().LastErrorTime.After(before) })
		server.Restart()
		n := len(h.handled())
		for appended := false; !appended; { // connections of the pool may be dead still
			_, err := appendEvents(t.Context(), db, "bank-1", 1)
			if err != nil && !store.Retryable(err) {
				t.Fatal(err)
			}
			appended = err == nil
		}
		h.await(t, n+1)
	}
	for i, v := range versions(h.handled()) {
		if v != int64(i+1) {
			t.Errorf("the versions handled are %v", versions(h.handled()))
			break
		}
	}
	p.stop(t)
}
