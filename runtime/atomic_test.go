package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// appending is work that adds events to a stream, whatever it holds.
func appending(id string, events ...bank.Event) func(context.Context, store.Streams) error {
	return func(ctx context.Context, s store.Streams) error {
		_, err := bank.StreamOf(s, id).Append(ctx, store.Any, events...)
		return err
	}
}

// transfer moves an amount from one account to the other.
func transfer(from, to string, amount int64) func(context.Context, store.Streams) error {
	return func(ctx context.Context, s store.Streams) error {
		if _, err := bank.StreamOf(s, from).Execute(ctx, bank.Withdraw(amount)); err != nil {
			return err
		}
		_, err := bank.StreamOf(s, to).Execute(ctx, bank.Deposit(amount))
		return err
	}
}

func TestAtomicStoresAllStreamsInOneAppend(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		stored(t)(bank.StreamOf(db, "a").Append(ctx, store.NoStream, deposits(100)...))
		stored(t)(bank.StreamOf(db, "b").Append(ctx, store.NoStream, deposits()...))
		var calls [][]store.Batch
		counted := wrapper{Store: db, append: func(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
			calls = append(calls, batches)
			return db.Append(ctx, batches...)
		}}
		appended, err := es.Atomic(ctx, counted, func(ctx context.Context, s store.Streams) error {
			if err := transfer("a", "b", 30)(ctx, s); err != nil {
				return err
			}
			return transfer("b", "c", 0)(ctx, s)
		})
		if !errors.Is(err, bank.ErrNotOpen) || appended != nil || len(calls) != 0 {
			t.Fatalf("to an account that is not open: %+v, %v, %d appends", appended, err, len(calls))
		}
		appended, err = es.Atomic(ctx, counted, func(ctx context.Context, s store.Streams) error {
			for range 2 {
				if err := transfer("a", "b", 30)(ctx, s); err != nil {
					return err
				}
			}
			return nil
		})
		want := []store.Appended{{Stream: "bank-a", Version: 4, First: 4, Last: 5}, {Stream: "bank-b", Version: 3, First: 6, Last: 7}}
		if err != nil || !slices.Equal(appended, want) || len(calls) != 1 {
			t.Errorf("%+v, %v, %d appends; want %+v in one", appended, err, len(calls), want)
		}
		if calls[0][0].Expected != 2 || calls[0][1].Expected != 1 {
			t.Errorf("expected %v and %v, want 2 and 1", calls[0][0].Expected, calls[0][1].Expected)
		}
	})
}

func TestAtomicSeesItsOwnAppends(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		appended, err := es.Atomic(ctx, db, func(ctx context.Context, s store.Streams) error {
			acct := bank.StreamOf(s, "a")
			a, err := acct.Append(ctx, store.NoStream, deposits(1, 2)...)
			if want := (store.Appended{Stream: "bank-a", Version: 3}); a != want || err != nil {
				t.Errorf("append: %+v, %v; want %+v", a, err, want)
			}
			state, version, err := acct.Load(ctx)
			if state.Balance != 3 || version != 3 || err != nil {
				t.Errorf("load: %+v at %d, %v", state, version, err)
			}
			if _, _, err := bank.StreamOf(db, "a").Load(ctx); err != nil {
				t.Error(err)
			}
			if outside, _ := collect(db.Read(ctx, store.Query{})); len(outside) != 0 {
				t.Errorf("others see %v", outside)
			}
			if all, err := collect(s.Read(ctx, store.Query{})); len(all) != 0 || err != nil {
				t.Errorf("$all: %v, %v", all, err)
			}
			_, err = acct.Append(ctx, 2, bank.MoneyWithdrawn{})
			if e, ok := errors.AsType[*store.ConflictError](err); !ok || e.Actual != 3 || e.Expected != 2 {
				t.Errorf("append at 2 of 3: %v", err)
			}
			_, err = acct.Append(ctx, store.StreamExists, bank.MoneyDeposited{Amount: 3})
			return err
		})
		if err != nil || len(appended) != 1 || appended[0].Version != 4 {
			t.Errorf("%+v, %v", appended, err)
		}
	})
}

func TestAtomicOfNothingDoesNothing(t *testing.T) {
	t.Parallel()
	db := wrapper{Store: memory.New(memory.Config{}), append: func(context.Context, ...store.Batch) ([]store.Appended, error) {
		panic("nothing to append")
	}}
	appended, err := es.Atomic(t.Context(), db, func(context.Context, store.Streams) error { return nil })
	if appended != nil || err != nil {
		t.Errorf("%v, %v", appended, err)
	}
	no := errors.New("no")
	_, err = es.Atomic(t.Context(), db, func(ctx context.Context, s store.Streams) error {
		_ = appending("a", bank.AccountOpened{})(ctx, s)
		return no
	})
	if err != no { //nolint:errorlint // as it is, not wrapped
		t.Errorf("%v", err)
	}
}

func TestAtomicRunsAgainAsAWholeAfterAConflict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := memory.New(memory.Config{})
		stored(t)(bank.StreamOf(m, "a").Append(ctx, store.NoStream, deposits(100)...))
		stored(t)(bank.StreamOf(m, "b").Append(ctx, store.NoStream, deposits()...))
		runs, faster := 0, 2
		db := wrapper{Store: m, append: func(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
			if runs <= faster {
				stored(t)(bank.StreamOf(m, "b").Append(ctx, store.Any, bank.MoneyDeposited{Amount: 1}))
			}
			return m.Append(ctx, batches...)
		}}
		var reported []es.Retry
		work := func(ctx context.Context, s store.Streams) error {
			runs++
			return transfer("a", "b", 10)(ctx, s)
		}
		appended, err := es.Atomic(ctx, db, work, es.OnRetry(func(r es.Retry) { reported = append(reported, r) }))
		if err != nil || runs != 3 || appended[0].Version != 3 || appended[1].Version != 4 {
			t.Errorf("%+v, %v after %d runs", appended, err, runs)
		}
		if len(reported) != 2 || reported[1].Stream != "bank-b" || reported[1].Attempt != 2 {
			t.Errorf("reported %+v", reported)
		}

		runs, faster = 0, 1000
		_, err = es.Atomic(ctx, db, work, es.Retries(4))
		if e, ok := errors.AsType[*es.RetriesError](err); !ok || e.Attempts != 5 || runs != 5 || e.Stream != "bank-b" || !errors.Is(err, store.ErrConflict) {
			t.Errorf("%v after %d runs", err, runs)
		}
	})
}

// Money moves around between accounts; none is made, none is lost, none is owed.
func TestTransfersOfManyCallersKeepTheSum(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		const accounts, callers, each = 3, 4, 8
		for i := range accounts {
			stored(t)(bank.StreamOf(db, fmt.Sprint(i)).Append(t.Context(), store.NoStream, deposits(10)...))
		}
		var wg sync.WaitGroup
		for caller := range callers {
			wg.Go(func() {
				for i := range each {
					from, to := (caller+i)%accounts, (caller+i+1+i%2)%accounts
					_, err := es.Atomic(t.Context(), db, transfer(fmt.Sprint(from), fmt.Sprint(to), int64(3+i)), es.Retries(1000))
					if err != nil && !errors.Is(err, bank.ErrInsufficient) {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		var sum int64
		moved := 0
		for i := range accounts {
			a, version, err := bank.StreamOf(db, fmt.Sprint(i)).Load(t.Context())
			if err != nil || a.Balance < 0 {
				t.Errorf("account %d: %+v, %v", i, a, err)
			}
			sum += a.Balance
			moved += int(version) - 2
		}
		if sum != 10*accounts || moved == 0 || moved%2 != 0 {
			t.Errorf("the sum is %d, want %d; %d events of transfers", sum, 10*accounts, moved)
		}
	})
}

func TestAtomicMakesExactWhatWasDecidedByAVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		m := memory.New(memory.Config{})
		stored(t)(bank.StreamOf(m, "a").Append(ctx, store.NoStream, deposits(10)...))
		runs := 0
		appended, err := es.Atomic(ctx, m, func(ctx context.Context, s store.Streams) error {
			runs++
			// The first append takes any version; the second was decided by one.
			if err := appending("a", bank.MoneyDeposited{Amount: 1})(ctx, s); err != nil {
				return err
			}
			if _, err := bank.StreamOf(s, "a").Execute(ctx, bank.Withdraw(11)); err != nil {
				return err
			}
			if runs == 1 {
				stored(t)(bank.StreamOf(m, "a").Append(ctx, store.Any, bank.MoneyWithdrawn{Amount: 5}))
			}
			return nil
		})
		if !errors.Is(err, bank.ErrInsufficient) || runs != 2 {
			t.Errorf("%+v, %v after %d runs; the second must see that the money is gone", appended, err, runs)
		}
		// Any alone stays any.
		runs = 0
		_, err = es.Atomic(ctx, m, func(ctx context.Context, s store.Streams) error {
			runs++
			err := appending("a", bank.MoneyDeposited{Amount: 1})(ctx, s)
			stored(t)(bank.StreamOf(m, "a").Append(ctx, store.Any, bank.MoneyDeposited{Amount: 1}))
			return err
		})
		if err != nil || runs != 1 {
			t.Errorf("%v after %d runs", err, runs)
		}
	})
}

func TestAtomicRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	m := memory.New(memory.Config{})
	work := appending("a", bank.AccountOpened{})
	for _, setting := range []es.Setting{
		es.Key("k"), es.Metadata{"a": 1}, es.Correlation(uuid.New()), es.Causation(uuid.New()), es.EventIDs(uuid.New()), es.Retries(-1), nil,
	} {
		if _, err := es.Atomic(ctx, m, work, setting); !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "atomic: setting") {
			t.Errorf("%T: %v", setting, err)
		}
	}
	if _, err := es.Atomic(ctx, nil, work); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("no store: %v", err)
	}
	if _, err := es.Atomic(ctx, m, nil); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("no work: %v", err)
	}

	_, err := es.Atomic(ctx, single{m}, func(ctx context.Context, s store.Streams) error {
		return errors.Join(work(ctx, s), appending("b", bank.AccountOpened{})(ctx, s))
	})
	if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "2 streams (bank-a, bank-b) in one append, this store takes one") {
		t.Errorf("two streams: %v", err)
	}
	if _, err := es.Atomic(ctx, single{m}, work); err != nil {
		t.Errorf("one stream: %v", err)
	}

	var kept store.Streams
	if _, err := es.Atomic(ctx, m, func(_ context.Context, s store.Streams) error { kept = s; return nil }); err != nil {
		t.Fatal(err)
	}
	_, appendErr := bank.StreamOf(kept, "a").Append(ctx, store.Any, bank.AccountOpened{})
	_, readErr := collect(bank.StreamOf(kept, "a").Read(ctx, 0))
	for call, err := range map[string]error{"append": appendErr, "read": readErr} {
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "unit of work: it has ended") {
			t.Errorf("%s after the end: %v", call, err)
		}
	}
}

// single is a store that takes one stream per append.
type single struct{ store.Store }

func (s single) Capabilities() store.Capabilities { return 0 }

func TestAtomicWithinAtomicIsPartOfTheOuterOne(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := memory.New(memory.Config{})
	no := errors.New("no")
	for _, outer := range []error{no, nil} {
		_, err := es.Atomic(ctx, db, func(ctx context.Context, s store.Streams) error {
			appended, err := es.Atomic(ctx, s, func(ctx context.Context, s store.Streams) error {
				return errors.Join(appending("a", deposits(1)...)(ctx, s), appending("b", deposits()...)(ctx, s))
			})
			want := []store.Appended{{Stream: "bank-a", Version: 2}, {Stream: "bank-b", Version: 1}}
			if err != nil || !slices.Equal(appended, want) {
				t.Errorf("inner: %+v, %v", appended, err)
			}
			if state, version, err := bank.StreamOf(s, "a").Load(ctx); state.Balance != 1 || version != 2 || err != nil {
				t.Errorf("after the inner: %+v at %d, %v", state, version, err)
			}
			return outer
		})
		if !errors.Is(err, outer) {
			t.Error(err)
		}
		all, err := collect(db.Read(ctx, store.Query{}))
		if want := map[error]int{no: 0, nil: 3}[outer]; len(all) != want || err != nil {
			t.Errorf("%d events, %v; want %d", len(all), err, want)
		}
	}
}

func TestADuplicateIDThatWasGivenIsNotRetriedForEver(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	id := uuid.New()
	stored(t)(bank.StreamOf(db, "a").With(es.EventIDs(id)).Append(t.Context(), store.NoStream, bank.AccountOpened{}))
	runs := 0
	_, err := es.Atomic(t.Context(), db, func(ctx context.Context, s store.Streams) error {
		runs++
		_, err := bank.StreamOf(s, "b").With(es.EventIDs(id)).Append(ctx, store.NoStream, bank.AccountOpened{})
		return err
	})
	if !errors.Is(err, store.ErrDuplicateEvent) || runs != 2 {
		t.Errorf("%v after %d runs", err, runs)
	}
}

func TestAUnitOfWorkTakesAppendsOfSeveralGoroutines(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	appended, err := es.Atomic(t.Context(), db, func(ctx context.Context, s store.Streams) error {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 5 {
					if err := appending(fmt.Sprint(i%2), bank.MoneyDeposited{})(ctx, s); err != nil {
						t.Error(err)
					}
					if _, err := collect(bank.StreamOf(s, fmt.Sprint(i%2)).Read(ctx, 0)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		return nil
	})
	if err != nil || len(appended) != 2 || appended[0].Version != 20 || appended[1].Version != 20 {
		t.Errorf("%+v, %v", appended, err)
	}
}
