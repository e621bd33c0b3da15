package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/internal/pgtest/pgproxy"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// counting is a handler whose effect is a number in a table, and an event.
type counting struct {
	table string
	calls int
}

func newCounting(t *testing.T, s *postgres.Store) *counting {
	t.Helper()
	c := &counting{table: postgres.SchemaOf(s) + ".effect"}
	run(t, pgtest.Pool(t), "CREATE TABLE "+c.table+" (n integer); INSERT INTO "+c.table+" VALUES (0)")
	return c
}

func (c *counting) handle(ctx context.Context, s store.Streams) error {
	c.calls++
	tx, ok := postgres.TxFrom(ctx)
	if !ok {
		return errors.New("the context gives no transaction")
	}
	if _, err := tx.Exec(ctx, "UPDATE "+c.table+" SET n = n + 1"); err != nil {
		return err
	}
	_, err := s.Append(ctx, one("out-1", store.Any))
	return err
}

// once checks that the effect is there exactly once.
func (c *counting) once(t *testing.T, s *postgres.Store) {
	t.Helper()
	var n int
	if err := pgtest.Pool(t).QueryRow(t.Context(), "SELECT n FROM "+c.table).Scan(&n); err != nil || n != 1 {
		t.Errorf("the effect is there %d times, %v, want once", n, err)
	}
	if out, err := collect(s.Read(t.Context(), store.Query{Stream: "out-1"})); err != nil || len(out) != 1 {
		t.Errorf("%d events were appended, %v, want one", len(out), err)
	}
	if sub, err := s.Subscriptions().Find(t.Context(), "s"); err != nil || sub.Lanes[0].At != 1 {
		t.Errorf("the lane is at %+v, %v, want 1", sub.Lanes, err)
	}
}

func newMember() store.Member {
	return store.Member{ID: uuid.New(), Lease: time.Hour, Runs: []string{"s"}}
}

// take opens s if need be and returns its one lane, once nobody living has it.
func take(t *testing.T, s *postgres.Store, m store.Member) (store.Hold, uint64) {
	t.Helper()
	k := s.Subscriptions()
	if _, err := k.Open(t.Context(), store.Subscription{Name: "s", Lanes: make([]store.Lane, 1)}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := k.Renew(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Lanes) == 1 {
			return store.Hold{Subscription: "s", Token: r.Lanes[0].Token}, r.Lanes[0].At
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("nobody lets go of the lane: %+v", r)
		}
	}
}

// TestATransactionIsKilledAtEachStatementBoundary cuts the connection before, in and
// behind every request of a handler's transaction, one after another. Then the
// process goes on, or another takes its place: the effect is there exactly once.
func TestATransactionIsKilledAtEachStatementBoundary(t *testing.T) {
	t.Parallel()
	points := map[string]pgproxy.Point{
		"before": pgproxy.Request, "half sent": pgproxy.MidRequest, "answered": pgproxy.Answer,
		"half answered": pgproxy.MidAnswer, "unended": pgproxy.Complete,
	}
	for name, point := range points {
		for _, dies := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, dies %t", name, dies), func(t *testing.T) {
				t.Parallel()
				requests := 0
				for ; ; requests++ {
					if requests > 50 {
						t.Fatal("there is no end of requests")
					}
					if !killedAt(t, requests, point, dies) {
						break
					}
				}
				// BEGIN, the lane, the handler's statement, its append, COMMIT.
				if requests < 5 {
					t.Errorf("%d requests were cut, want 5 at least", requests)
				}
			})
		}
	}
}

// killedAt reports whether there was such a request.
func killedAt(t *testing.T, request int, point pgproxy.Point, dies bool) bool {
	t.Helper()
	s := openBehind(t, 2, postgres.Config{})
	c := newCounting(t, s.seen)
	m := newMember()
	hold, _ := take(t, s.Store, m)
	trap := s.proxy.Arm(pgproxy.Fault{At: point, Skip: request})
	move := store.Move{Hold: hold, From: 0, To: 1}
	err := s.Transact(t.Context(), move, c.handle)
	hit := trap.Hits() > 0
	trap.Disarm()
	switch {
	case dies:
		// What the dead process did not learn, the next one learns from the lane.
		if err := s.seen.Subscriptions().Leave(t.Context(), m.ID); err != nil {
			t.Fatal(err)
		}
		next, at := take(t, s.seen, newMember())
		if at == 0 {
			if err := s.seen.Transact(t.Context(), store.Move{Hold: next, From: 0, To: 1}, c.handle); err != nil {
				t.Errorf("request %d: the next process: %v", request, err)
			}
		}
		if err := s.Transact(t.Context(), move, c.handle); !errors.Is(err, store.ErrFenced) {
			t.Errorf("request %d: the first process comes back: %v, want a FencedError", request, err)
		}
	case err != nil:
		if again := s.Transact(t.Context(), move, c.handle); again != nil && !errors.Is(again, store.ErrFenced) {
			t.Errorf("request %d: %v; then again: %v", request, err, again)
		}
	}
	c.once(t, s.seen)
	checkPool(t, s.pool)
	return hit
}

// TestALostReplyToTheCommitOfAHandlerIsLearned needs no second try.
func TestALostReplyToTheCommitOfAHandlerIsLearned(t *testing.T) {
	t.Parallel()
	for name, point := range map[string]struct {
		at   pgproxy.Point
		done bool
	}{
		"before the server gets it": {pgproxy.Request, false},
		"half sent":                 {pgproxy.MidRequest, false},
		"before the answer":         {pgproxy.Answer, true},
		"before its end is told":    {pgproxy.Complete, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openBehind(t, 1, postgres.Config{})
			c := newCounting(t, s.seen)
			hold, _ := take(t, s.Store, newMember())
			bell := s.Local().Wait()
			s.proxy.Arm(pgproxy.Fault{At: point.at, SQL: regexp.MustCompile(`(?i)^commit`)})
			move := store.Move{Hold: hold, From: 0, To: 1}
			err := s.Transact(t.Context(), move, c.handle)
			if point.done {
				if err != nil {
					t.Errorf("got %v, want nil: it is committed", err)
				}
				select {
				case <-bell:
				default:
					t.Error("the doorbell did not ring")
				}
			} else {
				if !errors.Is(err, store.ErrUnavailable) || !store.Retryable(err) {
					t.Errorf("got %v, want an UnavailableError: nothing has happened", err)
				}
				if err := s.Transact(t.Context(), move, c.handle); err != nil {
					t.Error(err)
				}
			}
			c.once(t, s.seen)
			checkPool(t, s.pool)
		})
	}
}

// TestAProcessThatStandsStillLosesItsLane: its transaction keeps the lane from
// others, but not for longer than its calls may take.
func TestAProcessThatStandsStillLosesItsLane(t *testing.T) {
	t.Parallel()
	s := open(t)
	stuck, err := postgres.New(pgtest.Pool(t), postgres.Config{Schema: postgres.SchemaOf(s), Timeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	c := newCounting(t, s)
	m := newMember()
	m.Lease = time.Millisecond
	hold, _ := take(t, stuck, m)
	began, wake := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- stuck.Transact(t.Context(), store.Move{Hold: hold, From: 0, To: 1}, func(ctx context.Context, s store.Streams) error {
			if err := c.handle(ctx, s); err != nil {
				return err
			}
			close(began)
			<-wake
			return nil
		})
	}()
	<-began
	next, at := take(t, s, newMember())
	if at != 0 || next.Token <= hold.Token {
		t.Errorf("the next owner has %+v at %d", next, at)
	}
	if err := s.Transact(t.Context(), store.Move{Hold: next, From: 0, To: 1}, c.handle); err != nil {
		t.Error(err)
	}
	close(wake)
	if err := <-ended; err == nil {
		t.Error("the transaction of the process that stood still was committed")
	}
	c.once(t, s)
}

// TestALaneInATransactionIsPassedOver: a renewal waits for no handler.
func TestALaneInATransactionIsPassedOver(t *testing.T) {
	t.Parallel()
	s := open(t)
	k := s.Subscriptions()
	if _, err := k.Open(t.Context(), store.Subscription{Name: "s", Lanes: make([]store.Lane, 2)}); err != nil {
		t.Fatal(err)
	}
	m := newMember()
	m.Lease = time.Millisecond
	r, err := k.Renew(t.Context(), m)
	if err != nil || len(r.Lanes) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	hold := store.Hold{Subscription: "s", Token: r.Lanes[0].Token}
	err = s.Transact(t.Context(), store.Move{Hold: hold, From: 0, To: 1}, func(ctx context.Context, _ store.Streams) error {
		other := newMember()
		for {
			r, err := k.Renew(ctx, other)
			if err != nil {
				return err
			}
			if len(r.Lanes) > 0 {
				if len(r.Lanes) != 1 || r.Lanes[0].Lane != 1 {
					t.Errorf("the other got %+v, want lane 1 only", r.Lanes)
				}
				return nil
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// TestHandlersDoNotEndTheirTransaction: what they did is committed with the lane, or
// not at all.
func TestHandlersDoNotEndTheirTransaction(t *testing.T) {
	t.Parallel()
	s := open(t)
	hold, _ := take(t, s, newMember())
	err := s.Transact(t.Context(), store.Move{Hold: hold, From: 0, To: 1}, func(ctx context.Context, _ store.Streams) error {
		tx, _ := postgres.TxFrom(ctx)
		for _, err := range []error{tx.Commit(ctx), tx.Rollback(ctx)} {
			if err == nil || !strings.Contains(err.Error(), "return nil to commit it") {
				t.Errorf("got %v", err)
			}
		}
		savepoint, err := tx.Begin(ctx)
		if err != nil {
			return err
		}
		if _, err := savepoint.Exec(ctx, "SELECT 1/0"); err == nil {
			t.Error("no error")
		}
		return savepoint.Rollback(ctx)
	})
	if err != nil {
		t.Error(err)
	}
	err = s.Transact(t.Context(), store.Move{Hold: hold, From: 1, To: 2}, func(ctx context.Context, _ store.Streams) error {
		tx, _ := postgres.TxFrom(ctx)
		_, _ = tx.Exec(ctx, "SELECT 1/0") // its error is not returned
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "rolled back") {
		t.Errorf("got %v, want that it was rolled back", err)
	}
	if _, ok := postgres.TxFrom(t.Context()); ok {
		t.Error("there is a transaction outside of a handler")
	}
	if sub, err := s.Subscriptions().Find(t.Context(), "s"); err != nil || sub.Lanes[0].At != 1 {
		t.Errorf("%+v, %v", sub.Lanes, err)
	}
}

// TestCheckpointsAreHotUpdates: a checkpoint and a renewal cost no index entry.
func TestCheckpointsAreHotUpdates(t *testing.T) {
	t.Parallel()
	s := open(t)
	m := newMember()
	hold, _ := take(t, s, m)
	const moves = 50
	for at := range uint64(moves) {
		if err := s.Subscriptions().Advance(t.Context(), store.Move{Hold: hold, From: at, To: at + 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Subscriptions().Renew(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for _, table := range []string{"lanes", "members"} {
		hot, all := 0, 0
		for all < moves { // sessions tell their counts when they find the time
			err := pgtest.Pool(t).QueryRow(ctx, "SELECT n_tup_hot_upd, n_tup_upd FROM pg_stat_all_tables WHERE relid = $1::regclass",
				postgres.SchemaOf(s)+"."+table).Scan(&hot, &all)
			if err != nil {
				t.Fatalf("%s: %d updates are counted, want %d: %v", table, all, moves, err)
			}
			if _, err := s.Subscriptions().Find(ctx, "s"); err != nil {
				t.Fatal(err)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
		if hot < all*9/10 {
			t.Errorf("%s: %d of %d updates are HOT", table, hot, all)
		}
	}
}

// TestOperatorsDoNotEndAHandlersTransaction: who renames or deletes a subscription waits
// for its lane, which a transaction has. The transaction needs nothing that they have.
func TestOperatorsDoNotEndAHandlersTransaction(t *testing.T) {
	t.Parallel()
	for name, meddle := range map[string]func(context.Context, store.Subscriptions) error{
		"renames": func(ctx context.Context, k store.Subscriptions) error { return k.Rename(ctx, "s", "t") },
		"deletes": func(ctx context.Context, k store.Subscriptions) error { return k.Delete(ctx, "s") },
		"pauses":  func(ctx context.Context, k store.Subscriptions) error { return k.Pause(ctx, "s", true) },
		"resets":  func(ctx context.Context, k store.Subscriptions) error { return k.Reset(ctx, "s", 0, true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			k := s.Subscriptions()
			hold, _ := take(t, s, newMember())
			event := store.Parked{Key: "k", At: 1, Stream: "bank-1", Type: "opened", EventID: uuid.New(), State: store.ParkedRetry}
			if err := k.Park(t.Context(), hold, event); err != nil {
				t.Fatal(err)
			}
			c := newCounting(t, s)
			meddled, pool := make(chan error, 1), pgtest.Pool(t)
			err := s.Transact(t.Context(), store.Move{Hold: hold, From: 0, To: 1}, func(ctx context.Context, in store.Streams) error {
				go func() { meddled <- meddle(t.Context(), k) }()            //nolint:contextcheck // somebody else's
				waitFor(t, pool, "somebody waits for the lane", fmt.Sprintf( //nolint:contextcheck // that of the test
					`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%%s%%')`, postgres.SchemaOf(s)))
				if err := k.Unpark(ctx, hold, "k", 1); err != nil {
					return err
				}
				return c.handle(ctx, in)
			})
			if err != nil {
				t.Errorf("the transaction: %v", err)
			}
			if err := <-meddled; err != nil {
				t.Errorf("who %s: %v", name, err)
			}
			var n int
			if err := pgtest.Pool(t).QueryRow(t.Context(), "SELECT n FROM "+c.table).Scan(&n); err != nil || n != 1 || c.calls != 1 {
				t.Errorf("the effect is there %d times after %d calls, %v", n, c.calls, err)
			}
		})
	}
}
