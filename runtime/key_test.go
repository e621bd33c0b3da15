package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// A command may come again after an update of the program: these ids never change.
func TestTheIDsOfAKeyAreForEver(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	stored(t)(bank.StreamOf(db, "a-17").With(es.Key("command 1")).Append(t.Context(), store.NoStream, deposits(1)...))
	stored(t)(bank.StreamOf(db, "b").With(es.Key("command 1")).Append(t.Context(), store.NoStream, deposits()...))
	stored(t)(bank.StreamOf(db, "b").With(es.Key("command 2")).Append(t.Context(), 1, deposits()...))
	all, err := collect(db.Read(t.Context(), store.Query{}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"bb1ae20f-d205-8730-9744-ba38189f3d7f",
		"25c60b65-0d26-842d-936b-0659c86c7294",
		"fd464fd5-9241-82fe-b771-24e90c3b1a33",
		"39d4146c-3a71-853d-813d-6eb6bf2d746b",
	} {
		id := all[i].ID
		if id.String() != want {
			t.Errorf("event %d has id %s, want %s", i+1, id, want)
		}
		if id.Version() != 8 || id.Variant() != uuid.RFC4122 {
			t.Errorf("%s is of version %d, variant %v", id, id.Version(), id.Variant())
		}
	}
}

func TestACommandThatComesAgainIsStoredOnce(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		acct := bank.StreamOf(db, "a")
		stored(t)(acct.Append(ctx, store.NoStream, deposits(10)...))
		first := stored(t)(acct.With(es.Key("c1")).Append(ctx, 2, bank.MoneyDeposited{Amount: 1}, bank.MoneyDeposited{Amount: 2}))
		if first.Duplicate || first.Version != 4 {
			t.Fatalf("first: %+v", first)
		}
		stored(t)(acct.Append(ctx, 4, bank.MoneyDeposited{Amount: 100}))
		first.Duplicate = true

		again := map[string]func(store.Streams) (store.Appended, error){
			"same version": func(db store.Streams) (store.Appended, error) {
				return bank.StreamOf(db, "a").With(es.Key("c1")).Append(ctx, 2, bank.MoneyDeposited{Amount: 1}, bank.MoneyDeposited{Amount: 2})
			},
			"newest version": func(db store.Streams) (store.Appended, error) {
				return bank.StreamOf(db, "a").With(es.Key("c1")).Append(ctx, 5, bank.MoneyDeposited{Amount: 1}, bank.MoneyDeposited{Amount: 2})
			},
			"wrong version": func(db store.Streams) (store.Appended, error) {
				return bank.StreamOf(db, "a").With(es.Key("c1")).Append(ctx, 3, bank.MoneyDeposited{Amount: 1}, bank.MoneyDeposited{Amount: 2})
			},
			"any version": func(db store.Streams) (store.Appended, error) {
				return bank.StreamOf(db, "a").With(es.Key("c1")).Append(ctx, store.Any, bank.MoneyDeposited{Amount: 1}, bank.MoneyDeposited{Amount: 2})
			},
			"decided": func(db store.Streams) (store.Appended, error) {
				return bank.StreamOf(db, "a").With(es.Key("c1")).Execute(ctx, func(bank.Account) ([]bank.Event, error) {
					return nil, errors.New("decided again")
				})
			},
		}
		for name, call := range again {
			for kind, streams := range map[string]store.Streams{"a store": db, "a transaction": streamsOnly{db}} {
				if got, err := call(streams); err != nil || got != first {
					t.Errorf("%s in %s: %+v, %v; want %+v", name, kind, got, err, first)
				}
			}
			appended, err := es.Atomic(ctx, db, func(ctx context.Context, s store.Streams) error {
				got, err := call(s)
				if got != first {
					t.Errorf("%s in a unit of work: %+v, want %+v", name, got, first)
				}
				return err
			})
			if len(appended) != 0 || err != nil {
				t.Errorf("%s in a unit of work: %+v, %v", name, appended, err)
			}
		}
		if got := eventsOf(t, db, "a"); len(got) != 5 {
			t.Errorf("stored: %v", got)
		}
	})
}

func TestAKeyOfAnotherStreamIsAnotherCommand(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		for _, id := range []string{"a", "b"} {
			a, err := bank.StreamOf(db, id).With(es.Key("transfer 1")).Execute(t.Context(), bank.Open("ada", "EUR"))
			if err != nil || a.Duplicate {
				t.Errorf("%s: %+v, %v", id, a, err)
			}
		}
	})
}

func TestAKeyDoesNotHideEventsThatAreNotStored(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		acct := bank.StreamOf(db, "a").With(es.Key("c1"))
		stored(t)(acct.Append(t.Context(), store.NoStream, deposits()...))
		// The same key with more events: the second one is not stored anywhere.
		_, err := acct.Append(t.Context(), store.NoStream, deposits(1)...)
		if !errors.Is(err, store.ErrDuplicateEvent) {
			t.Errorf("append: %v", err)
		}
		if got := eventsOf(t, db, "a"); len(got) != 1 {
			t.Errorf("stored: %v", got)
		}
	})
}

func TestAKeyedAppendOfNothingIsAnError(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	stored(t)(bank.StreamOf(db, "a").With(es.Key("c1")).Append(t.Context(), store.NoStream, deposits()...))
	a, err := bank.StreamOf(streamsOnly{db}, "a").With(es.Key("c1")).Append(t.Context(), store.Any)
	if !errors.Is(err, store.ErrInvalid) {
		t.Errorf("%+v, %v", a, err)
	}
}

// Somebody has handled the same command while it was being decided here. There is
// nothing to repeat then, even if that is not allowed.
func TestACommandThatWasOvertakenByItselfIsADuplicate(t *testing.T) {
	t.Parallel()
	m := memory.New(memory.Config{})
	key := es.Key("c1")
	db := wrapper{Store: m, append: func(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
		stored(t)(bank.StreamOf(m, "a").Append(ctx, store.NoStream, bank.AccountOpened{}))
		stored(t)(bank.StreamOf(m, "a").With(key).Append(ctx, 1, bank.MoneyDeposited{Amount: 1}))
		return m.Append(ctx, batches...)
	}}
	a, err := bank.StreamOf(db, "a").With(key, es.Retries(0)).Execute(t.Context(), func(bank.Account) ([]bank.Event, error) {
		return []bank.Event{bank.MoneyDeposited{Amount: 1}}, nil
	})
	if want := (store.Appended{Stream: "bank-a", Version: 2, First: 2, Last: 2, Duplicate: true}); a != want || err != nil {
		t.Errorf("%+v, %v; want %+v", a, err, want)
	}
}

func TestAKeyedDecisionThatFailedOrDidNothingDecidesAgain(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	acct := bank.StreamOf(db, "a").With(es.Key("c1"))
	if _, err := acct.Execute(t.Context(), bank.Deposit(1)); !errors.Is(err, bank.ErrNotOpen) {
		t.Fatal(err)
	}
	stored(t)(bank.StreamOf(db, "a").Append(t.Context(), store.NoStream, deposits()...))
	if a := stored(t)(acct.Execute(t.Context(), bank.Open("ada", "EUR"))); a.Version != 1 || a.Duplicate {
		t.Errorf("nothing to do: %+v", a)
	}
	if a := stored(t)(acct.Execute(t.Context(), bank.Deposit(1))); a.Version != 2 || a.Duplicate {
		t.Errorf("decided later: %+v", a)
	}
}

// Many processes get the same commands at the same time, in different orders.
func TestKeyedCommandsOfManyCallersAreStoredOnce(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		const callers, commands = 6, 12
		stored(t)(bank.StreamOf(db, "a").Append(t.Context(), store.NoStream, deposits()...))
		stored(t)(bank.StreamOf(db, "b").Append(t.Context(), store.NoStream, deposits()...))
		var mu sync.Mutex
		firsts := make(map[int]int)
		var wg sync.WaitGroup
		for caller := range callers {
			wg.Go(func() {
				for i := range commands {
					command := (i + caller) % commands
					if caller%2 == 1 {
						command = commands - 1 - command
					}
					duplicate, err := keyedDeposit(t.Context(), db, command, caller%3 == 0)
					if err != nil {
						t.Errorf("caller %d, command %d: %v", caller, command, err)
						return
					}
					if !duplicate {
						mu.Lock()
						firsts[command]++
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		for _, id := range []string{"a", "b"} {
			var amounts []int64
			for _, e := range eventsOf(t, db, id)[1:] {
				amounts = append(amounts, e.(bank.MoneyDeposited).Amount)
			}
			slices.Sort(amounts)
			want := make([]int64, 0, commands)
			for i := range commands {
				want = append(want, int64(i))
			}
			if !slices.Equal(amounts, want) {
				t.Errorf("%s holds deposits %v, want each once", id, amounts)
			}
		}
		for command := range commands {
			if firsts[command] != 1 {
				t.Errorf("command %d was the first %d times", command, firsts[command])
			}
		}
	})
}

// keyedDeposit deposits into a and b at once, or into a and then into b.
func keyedDeposit(ctx context.Context, db store.Store, command int, atOnce bool) (duplicate bool, err error) {
	key := es.Key(fmt.Sprint("command ", command))
	into := func(ctx context.Context, s store.Streams, id string) (store.Appended, error) {
		return bank.StreamOf(s, id).With(key, es.Retries(1000)).Execute(ctx, bank.Deposit(int64(command)))
	}
	if !atOnce {
		a, err := into(ctx, db, "a")
		if err == nil {
			_, err = into(ctx, db, "b")
		}
		return a.Duplicate, err
	}
	appended, err := es.Atomic(ctx, db, func(ctx context.Context, s store.Streams) error {
		a, err := into(ctx, s, "a")
		duplicate = a.Duplicate
		if err == nil {
			_, err = into(ctx, s, "b")
		}
		return err
	}, es.Retries(1000))
	for _, a := range appended {
		duplicate = duplicate || a.Stream == "bank-a" && a.Duplicate
	}
	return duplicate, err
}
