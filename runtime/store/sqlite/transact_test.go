package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

// effects is a handler whose effect is a number in a table, and an event. fail, if
// set, ends it behind a step.
type effects struct{ fail int }

var errKilled = errors.New("killed")

func (e effects) handle(ctx context.Context, s store.Streams) error {
	tx, ok := sqlite.TxFrom(ctx)
	if !ok {
		return errors.New("the context gives no transaction")
	}
	for step, do := range []func() error{
		func() error { return nil },
		func() error { _, err := tx.ExecContext(ctx, "UPDATE effect SET n = n + 1"); return err },
		func() error { _, err := s.Append(ctx, one("out-1")); return err },
		func() error {
			_, err := tx.ExecContext(ctx, "UPDATE effect SET n = n + 0")
			return err
		},
	} {
		if err := do(); err != nil {
			return err
		}
		if step+1 == e.fail {
			return errKilled
		}
	}
	return nil
}

// once checks that the effect is there exactly once.
func once(t *testing.T, s *sqlite.Store, db *sql.DB) {
	t.Helper()
	var n int
	if err := db.QueryRow("SELECT n FROM effect").Scan(&n); err != nil || n != 1 {
		t.Errorf("the effect is there %d times, %v, want once", n, err)
	}
	if n := count(t, s); n != 1 {
		t.Errorf("%d events were appended, want one", n)
	}
	if sub, err := s.Subscriptions().Find(t.Context(), "s"); err != nil || sub.Lanes[0].At != 1 {
		t.Errorf("the lane is at %+v, %v, want 1", sub.Lanes, err)
	}
}

// laneOf opens s and lets a new member have its lane.
func laneOf(t *testing.T, s *sqlite.Store, lease time.Duration) store.Hold {
	t.Helper()
	k := s.Subscriptions()
	if _, err := k.Open(t.Context(), store.Subscription{Name: "s", Lanes: make([]store.Lane, 1)}); err != nil {
		t.Fatal(err)
	}
	r, err := k.Renew(t.Context(), store.Member{ID: uuid.New(), Lease: lease, Runs: []string{"s"}})
	if err != nil || len(r.Lanes) != 1 {
		t.Fatalf("renew: %+v, %v", r, err)
	}
	return store.Hold{Subscription: "s", Token: r.Lanes[0].Token}
}

func effectTable(t *testing.T, file string) *sql.DB {
	t.Helper()
	db := raw(t, file)
	run(t, db, "CREATE TABLE effect (n INTEGER)")
	run(t, db, "INSERT INTO effect VALUES (0)")
	return db
}

// TestATransactionEndsAtEachStep: wherever a handler ends, and whether its process
// goes on or a new one opens the file, the effect is there once.
func TestATransactionEndsAtEachStep(t *testing.T) {
	t.Parallel()
	for fail := 1; fail <= 4; fail++ {
		for _, dies := range []bool{false, true} {
			file := newFile(t)
			s := migrated(t, file, sqlite.Config{})
			db := effectTable(t, file)
			hold := laneOf(t, s, time.Hour)
			move := store.Move{Hold: hold, From: 0, To: 1}
			if err := s.Transact(t.Context(), move, effects{fail}.handle); !errors.Is(err, errKilled) {
				t.Fatalf("step %d: %v", fail, err)
			}
			if dies {
				closeStore(t, s)
				s = opened(t, file, sqlite.Config{})
			}
			if err := s.Transact(t.Context(), move, effects{}.handle); err != nil {
				t.Errorf("step %d: again: %v", fail, err)
			}
			if err := s.Transact(t.Context(), move, effects{}.handle); !errors.Is(err, store.ErrFenced) {
				t.Errorf("step %d: a third time: %v, want a FencedError", fail, err)
			}
			once(t, s, db)
		}
	}
}

// TestATransactionOnAFullDisk fails at whichever write meets the end of the disk,
// and has done nothing.
func TestATransactionOnAFullDisk(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{})
	db := effectTable(t, file)
	hold := laneOf(t, s, time.Hour)
	closeStore(t, s)
	f := &fault{}
	f.pages.Store(1) // as many as there are
	faulty(t, file, f)
	s = opened(t, file, sqlite.Config{})
	move := store.Move{Hold: hold, From: 0, To: 1}
	large := func(ctx context.Context, in store.Streams) error {
		if err := (effects{}).handle(ctx, in); err != nil {
			return err
		}
		_, err := in.Append(ctx, store.Batch{Stream: "out-2", Expected: store.Any, Events: []store.Event{event(strings.Repeat("1", 1<<20))}})
		return err
	}
	if err := s.Transact(t.Context(), move, large); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("on a full disk: %v", err)
	}
	f.pages.Store(1 << 20)
	closeStore(t, s)
	s = opened(t, file, sqlite.Config{})
	if err := s.Transact(t.Context(), move, effects{}.handle); err != nil {
		t.Error(err)
	}
	once(t, s, db)
}

// TestWritesOfAHandlerOutsideItsTransactionAreRefused: they would wait for it to end, and
// it for them.
func TestWritesOfAHandlerOutsideItsTransactionAreRefused(t *testing.T) {
	t.Parallel()
	s := migrated(t, newFile(t), sqlite.Config{})
	hold := laneOf(t, s, time.Hour)
	err := s.Transact(t.Context(), store.Move{Hold: hold, From: 0, To: 1}, func(ctx context.Context, _ store.Streams) error {
		for call, err := range map[string]error{
			"Append":   second(s.Append(ctx, one("bank-1"))),
			"snapshot": s.DeleteSnapshot(ctx, "bank-1"),
			"Advance":  s.Subscriptions().Advance(ctx, store.Move{Hold: hold, To: 1}),
			"Transact": s.Transact(ctx, store.Move{Hold: hold, To: 1}, func(context.Context, store.Streams) error { return nil }),
		} {
			if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "store.StreamsFrom(ctx)") {
				t.Errorf("%s: %v, want an InvalidError that says what to use", call, err)
			}
		}
		if n := count(t, s); n != 0 { //nolint:contextcheck // a count is no part of the transaction
			t.Errorf("%d events are seen", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, ok := sqlite.TxFrom(t.Context()); ok {
		t.Error("there is a transaction outside of a handler")
	}
}

func second[T any](_ T, err error) error { return err }

// TestAppendsWaitForAHandler, and a handler waits for appends, until their deadlines.
func TestAppendsWaitForAHandler(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s, other := migrated(t, file, sqlite.Config{}), opened(t, file, sqlite.Config{})
	hold := laneOf(t, s, time.Hour)
	began, proceed := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 3)
	go func() {
		ended <- s.Transact(t.Context(), store.Move{Hold: hold, From: 0, To: 1}, func(ctx context.Context, in store.Streams) error {
			close(began)
			<-proceed
			_, err := in.Append(ctx, one("out-1"))
			return err
		})
	}()
	<-began
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Append(short, one("bank-1")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an append while a handler works: %v, want its deadline", err)
	}
	never := func(context.Context, store.Streams) error { t.Error("called"); return nil }
	if err := other.Transact(short, store.Move{Hold: hold, From: 0, To: 1}, never); err == nil {
		t.Error("another process's handler began")
	}
	go func() { ended <- second(s.Append(t.Context(), one("bank-1"))) }()
	go func() { ended <- second(other.Append(t.Context(), one("bank-2"))) }()
	close(proceed)
	for range 3 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if n := count(t, s); n != 3 {
		t.Errorf("%d events, want 3", n)
	}
	if err := other.Transact(t.Context(), store.Move{Hold: hold, From: 1, To: 2}, func(context.Context, store.Streams) error { return nil }); err != nil {
		t.Error(err)
	}
}

// TestLeasesEndByTheStoresClock moves that clock.
func TestLeasesEndByTheStoresClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	s := migrated(t, newFile(t), sqlite.Config{Now: func() time.Time { return now }})
	hold := laneOf(t, s, 4*time.Second)
	other := store.Member{ID: uuid.New(), Lease: time.Second, Runs: []string{"s"}}
	for _, c := range []struct {
		after time.Duration
		lanes int
	}{{0, 0}, {3999 * time.Millisecond, 0}, {time.Millisecond, 1}} {
		now = now.Add(c.after)
		r, err := s.Subscriptions().Renew(t.Context(), other)
		if err != nil || len(r.Lanes) != c.lanes {
			t.Errorf("at %s: %+v, %v, want %d lanes", now, r, err, c.lanes)
		}
	}
	if err := s.Subscriptions().Advance(t.Context(), store.Move{Hold: hold, To: 1}); !errors.Is(err, store.ErrFenced) {
		t.Errorf("got %v, want a FencedError", err)
	}
}
