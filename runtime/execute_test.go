package runtime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

func TestExecuteDecidesByTheStateAndAppends(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		acct := bank.StreamOf(db, "a")
		opened := stored(t)(acct.Execute(ctx, bank.Open("ada", "EUR")))
		if opened.Version != 1 || opened.Stream != "bank-a" || opened.First == 0 {
			t.Errorf("open: %+v", opened)
		}
		stored(t)(acct.Execute(ctx, bank.Deposit(50)))
		stored(t)(acct.Execute(ctx, bank.Withdraw(30)))
		if _, err := acct.Execute(ctx, bank.Withdraw(21)); !errors.Is(err, bank.ErrInsufficient) {
			t.Errorf("withdraw 21 of 20: %v", err)
		}
		state, version, err := acct.Load(ctx)
		if state != (bank.Account{Open: true, Balance: 20}) || version != 3 || err != nil {
			t.Errorf("load: %+v at %v, %v", state, version, err)
		}
	})
}

func TestExecuteWithNothingToDoTellsTheVersion(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		acct := bank.StreamOf(db, "a")
		nothing := func(bank.Account) ([]bank.Event, error) { return nil, nil }
		if a, err := acct.Execute(t.Context(), nothing); a != (store.Appended{Stream: "bank-a"}) || err != nil {
			t.Errorf("no stream: %+v, %v", a, err)
		}
		stored(t)(acct.Append(t.Context(), store.NoStream, deposits(1)...))
		if a, err := acct.Execute(t.Context(), nothing); a != (store.Appended{Stream: "bank-a", Version: 2}) || err != nil {
			t.Errorf("two events: %+v, %v", a, err)
		}
	})
}

func TestExecuteReturnsTheErrorOfDecideAsItIs(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	no := errors.New("no")
	calls := 0
	_, err := bank.StreamOf(db, "a").Execute(t.Context(), func(bank.Account) ([]bank.Event, error) {
		calls++
		return deposits(), no
	})
	if err != no || calls != 1 { //nolint:errorlint // as it is, not wrapped
		t.Errorf("%v after %d calls", err, calls)
	}
	// A conflict that decide met elsewhere is none of this stream's.
	conflict := &store.ConflictError{Stream: "other"}
	calls = 0
	_, err = bank.StreamOf(db, "a").Execute(t.Context(), func(bank.Account) ([]bank.Event, error) {
		calls++
		return nil, conflict
	})
	if err != error(conflict) || calls != 1 { //nolint:errorlint // as it is, not wrapped
		t.Errorf("%v after %d calls", err, calls)
	}
	if _, err := bank.StreamOf(db, "a").Execute(t.Context(), nil); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("no decide: %v", err)
	}
	if _, err := db.StreamInfo(t.Context(), "bank-a"); !errors.Is(err, store.ErrStreamNotFound) {
		t.Errorf("stored nevertheless: %v", err)
	}
}

// Every decision must land exactly once, on the state that it was made by.
func TestDecisionsOfManyCallersLandOnceEach(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		const callers, each = 5, 10
		var conflicts atomic.Int64
		acct := bank.StreamOf(db, "a").With(es.Retries(1000), es.OnRetry(func(es.Retry) { conflicts.Add(1) }))
		stored(t)(acct.Append(t.Context(), store.NoStream, deposits()...))
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for range each {
					// The amount tells by which state it was decided.
					_, err := acct.Execute(t.Context(), func(a bank.Account) ([]bank.Event, error) {
						return []bank.Event{bank.MoneyDeposited{Amount: a.Balance + 1}}, nil
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		events := eventsOf(t, db, "a")[1:]
		if len(events) != callers*each {
			t.Fatalf("%d events of %d decisions", len(events), callers*each)
		}
		var balance int64
		for i, e := range events {
			if got := e.(bank.MoneyDeposited).Amount; got != balance+1 {
				t.Fatalf("event %d was decided by a balance of %d, it was %d", i+1, got-1, balance)
			}
			balance += balance + 1
		}
		t.Logf("%d decisions met %d conflicts", callers*each, conflicts.Load())
	})
}

// contested is a store on which somebody else is always faster.
func contested(t testing.TB, times int) (db store.Store, appends *int) {
	m := memory.New(memory.Config{})
	appends = new(int)
	return wrapper{Store: m, append: func(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
		if *appends++; *appends <= times {
			stored(t)(bank.StreamOf(m, "a").Append(ctx, store.Any, bank.MoneyDeposited{Amount: 1}))
		}
		return m.Append(ctx, batches...)
	}}, appends
}

func TestConflictsAreRetriedAndReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, _ := contested(t, 3)
		var reported []es.Retry
		var balances []int64
		a, err := bank.StreamOf(db, "a").With(es.OnRetry(func(r es.Retry) { reported = append(reported, r) })).
			Execute(t.Context(), func(a bank.Account) ([]bank.Event, error) {
				balances = append(balances, a.Balance)
				return []bank.Event{bank.MoneyDeposited{Amount: 100}}, nil
			})
		if err != nil || a.Version != 4 {
			t.Fatalf("%+v, %v", a, err)
		}
		if !slices.Equal(balances, []int64{0, 1, 2, 3}) {
			t.Errorf("decided by balances %v", balances)
		}
		if len(reported) != 3 {
			t.Fatalf("reported %v", reported)
		}
		for i, r := range reported {
			conflict, ok := errors.AsType[*store.ConflictError](r.Err)
			if r.Stream != "bank-a" || r.Attempt != i+1 || !ok || conflict.Actual != store.Version(i+1) {
				t.Errorf("retry %d: %+v", i+1, r)
			}
		}
	})
}

func TestRetriesEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		settings []es.Setting
		attempts int
	}{
		{nil, 11},
		{[]es.Setting{es.Retries(0)}, 1},
		{[]es.Setting{es.Retries(3)}, 4},
		{[]es.Setting{es.Retries(3), es.Key("k")}, 4},
	} {
		synctest.Test(t, func(t *testing.T) {
			db, appends := contested(t, 1000)
			_, err := bank.StreamOf(db, "a").With(c.settings...).Execute(t.Context(), bank.Open("ada", "EUR"))
			e, ok := errors.AsType[*es.RetriesError](err)
			if !ok || e.Stream != "bank-a" || e.Attempts != c.attempts || e.Stopped != nil || *appends != c.attempts {
				t.Errorf("%d appends, %v; want %d", *appends, err, c.attempts)
			}
			if conflict, ok := errors.AsType[*store.ConflictError](err); !ok || conflict.Actual != store.Version(c.attempts) || !errors.Is(err, store.ErrConflict) {
				t.Errorf("%v", err)
			}
			if store.Retryable(err) {
				t.Error("retryable")
			}
		})
	}
}

// The pauses are random up to 1, 2, 4, … 100 milliseconds.
func TestPausesGrowAndDiffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rounds, attempts = 200, 12
		milliseconds := [attempts]int{1, 2, 4, 8, 16, 32, 64, 100, 100, 100, 100, 100}
		var longest [attempts]time.Duration
		var total time.Duration
		for range rounds {
			db, _ := contested(t, attempts)
			var before time.Time
			attempt := 0
			stored(t)(bank.StreamOf(db, "a").With(
				es.Retries(attempts),
				es.OnRetry(func(es.Retry) { before = time.Now() }),
			).Execute(t.Context(), func(bank.Account) ([]bank.Event, error) {
				if attempt > 0 {
					pause := time.Since(before)
					total += pause
					longest[attempt-1] = max(longest[attempt-1], pause)
				}
				attempt++
				return deposits(), nil
			}))
		}
		var expected time.Duration
		for i, n := range milliseconds {
			limit := time.Duration(n) * time.Millisecond
			expected += limit / 2 * rounds
			if longest[i] > limit || longest[i] < limit*8/10 {
				t.Errorf("pause %d of %d rounds was at most %s, want up to %s", i+1, rounds, longest[i], limit)
			}
		}
		if total < expected*8/10 || total > expected*12/10 {
			t.Errorf("pauses were %s in all, want about %s", total, expected)
		}
	})
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, appends := contested(t, 1000)
		ctx, cancel := context.WithCancel(t.Context())
		var stopped time.Time
		_, err := bank.StreamOf(db, "a").With(es.OnRetry(func(r es.Retry) {
			if r.Attempt == 3 {
				stopped = time.Now()
				cancel()
			}
		})).Execute(ctx, bank.Open("ada", "EUR"))
		if !errors.Is(err, context.Canceled) || !errors.Is(err, store.ErrConflict) || *appends != 3 {
			t.Errorf("%d appends, %v", *appends, err)
		}
		if e, ok := errors.AsType[*es.RetriesError](err); !ok || e.Attempts != 3 || e.Stopped != context.Canceled { //nolint:errorlint // the error itself
			t.Errorf("%v", err)
		}
		if !strings.Contains(err.Error(), "bank-a: stopped after attempt 3: context canceled") {
			t.Errorf("%v", err)
		}
		if waited := time.Since(stopped); waited != 0 {
			t.Errorf("waited %s after the end", waited)
		}
	})
}

func TestOtherErrorsAreNotRetried(t *testing.T) {
	t.Parallel()
	m := memory.New(memory.Config{})
	calls := 0
	unknown := &store.UnknownOutcomeError{Batches: make([]store.Batch, 1), Err: errors.New("connection lost")}
	db := wrapper{Store: m, append: func(context.Context, ...store.Batch) ([]store.Appended, error) {
		calls++
		return nil, unknown
	}}
	_, err := bank.StreamOf(db, "a").Execute(t.Context(), bank.Open("ada", "EUR"))
	if !errors.Is(err, unknown) || !store.Retryable(err) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}
