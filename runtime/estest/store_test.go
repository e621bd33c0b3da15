package estest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/estest"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
)

func must(t *testing.T) func(store.Appended, error) store.Appended {
	return func(a store.Appended, err error) store.Appended {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

func TestIDsAndTimesAreKnown(t *testing.T) {
	t.Parallel()
	noon := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	clock := estest.NewClock(noon)
	db := estest.NewStore(t, estest.Config{Clock: clock, Format: store.Msgpack})
	acct := bank.StreamOf(db, "a")
	must(t)(acct.Append(t.Context(), store.NoStream, bank.AccountOpened{}, bank.MoneyDeposited{Amount: 5}))
	if _, err := acct.Append(t.Context(), store.NoStream, bank.AccountOpened{}); !errors.Is(err, store.ErrConflict) {
		t.Error(err)
	}
	if got := clock.Advance(time.Minute); !got.Equal(noon.Add(time.Minute)) {
		t.Errorf("the clock shows %s", got)
	}
	must(t)(acct.Append(t.Context(), 2, bank.MoneyDeposited{Amount: 6}))
	clock.Set(noon)
	own := uuid.New()
	must(t)(acct.With(es.EventIDs(own), es.Correlation(own)).Append(t.Context(), 3, bank.MoneyDeposited{Amount: 7}))

	recorded := db.Recorded("bank-a")
	for i, want := range []struct {
		id uuid.UUID
		at time.Time
	}{
		{estest.ID(1), noon}, {estest.ID(2), noon}, {estest.ID(3), noon.Add(time.Minute)}, {own, noon},
	} {
		if r := recorded[i]; r.ID != want.id || !r.Time.Equal(want.at) || r.Format != store.Msgpack {
			t.Errorf("event %d: %+v", i+1, r)
		}
	}
	if recorded[3].Correlation != own {
		t.Errorf("correlation %s", recorded[3].Correlation)
	}
	if estest.ID(3).String() != "00000000-0000-7000-8000-000000000003" || estest.ID(3).Version() != 7 {
		t.Errorf("id %s", estest.ID(3))
	}
	if got := db.Recorded("bank-b"); got != nil {
		t.Errorf("of no stream: %v", got)
	}
}

func TestOvertakeIsARealConflict(t *testing.T) {
	t.Parallel()
	db := estest.NewStore(t, estest.Config{})
	acct := bank.StreamOf(db, "a")
	must(t)(acct.Execute(t.Context(), bank.Open("ada", "EUR")))
	for range 2 {
		db.Overtake("bank-a", func(ctx context.Context, others store.Streams) error {
			_, err := bank.StreamOf(others, "a").Execute(ctx, bank.Deposit(50))
			return err
		})
	}
	decided := 0
	a := must(t)(acct.Execute(t.Context(), func(a bank.Account) ([]bank.Event, error) {
		decided++
		return bank.Deposit(a.Balance + 1)(a)
	}))
	if decided != 3 || a.Version != 4 {
		t.Errorf("decided %d times, %+v", decided, a)
	}
	if got := db.Recorded("bank-a"); len(got) != 4 || got[3].ID != estest.ID(4) {
		t.Errorf("%+v", got)
	}
	// Of several streams in one append, too.
	db.Overtake("bank-b", func(ctx context.Context, others store.Streams) error {
		_, err := bank.StreamOf(others, "b").Append(ctx, store.NoStream, bank.AccountOpened{})
		return err
	})
	worked := 0
	_, err := es.Atomic(t.Context(), db, func(ctx context.Context, s store.Streams) error {
		worked++
		_, errA := bank.StreamOf(s, "a").Execute(ctx, bank.Deposit(1))
		_, errB := bank.StreamOf(s, "b").Execute(ctx, func(bank.Account) ([]bank.Event, error) {
			return []bank.Event{bank.MoneyDeposited{Amount: 1}}, nil
		})
		return errors.Join(errA, errB)
	})
	if err != nil || worked != 2 {
		t.Errorf("worked %d times: %v", worked, err)
	}
}

// spy keeps the errors of a test that is meant to fail, and what it cleans up.
type spy struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (s *spy) Helper()          {}
func (s *spy) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }
func (s *spy) Errorf(format string, args ...any) {
	s.errors = append(s.errors, fmt.Sprintf(format, args...))
}

func TestOvertakeFailsTheTest(t *testing.T) {
	t.Parallel()
	s := &spy{TB: t}
	db := estest.NewStore(s, estest.Config{})
	db.Overtake("bank-a", func(context.Context, store.Streams) error { return errors.New("no") })
	db.Overtake("bank-a", func(context.Context, store.Streams) error { return nil })
	must(t)(bank.StreamOf(db, "a").Append(t.Context(), store.NoStream, bank.AccountOpened{}))
	for _, f := range s.cleanups {
		f()
	}
	if got := strings.Join(s.errors, "; "); got != "overtake an append to bank-a: no; 1 calls of Overtake wait for an append to bank-a that never came" {
		t.Error(got)
	}
}

func TestGiven(t *testing.T) {
	t.Parallel()
	estest.For(t, bank.Fold).Given().When(bank.Withdraw(1)).ThenError(bank.ErrInsufficient)
	open := estest.For(t, bank.Fold).Given(bank.AccountOpened{}, bank.MoneyDeposited{Amount: 5})
	open.When(bank.Withdraw(5)).Then(bank.MoneyWithdrawn{Amount: 5})
	open.When(bank.Open("ada", "EUR")).Then()
	outcome := open.When(bank.Withdraw(6))
	if err := outcome.Err(); err == nil || !strings.Contains(err.Error(), "withdraw 6 of 5") || len(outcome.Events()) > 0 {
		t.Errorf("%v, %v", err, outcome.Events())
	}
	if got := open.When(bank.Withdraw(2)).Events(); len(got) != 1 {
		t.Errorf("%v", got)
	}
}
