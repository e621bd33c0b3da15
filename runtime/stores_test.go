package runtime_test

import (
	"context"
	"iter"
	"path/filepath"
	"testing"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

// stores are what typed streams must work alike on: every store, and every format
// on one of them.
var stores = []struct {
	name string
	open func(testing.TB) store.Store
}{
	{"memory json", func(testing.TB) store.Store { return memory.New(memory.Config{}) }},
	{"memory jsonb", func(testing.TB) store.Store { return memory.New(memory.Config{Format: store.JSONB}) }},
	{"memory msgpack", func(testing.TB) store.Store { return memory.New(memory.Config{Format: store.Msgpack}) }},
	{"sqlite", openSQLite},
	{"postgres", openPostgres},
}

func openPostgres(t testing.TB) store.Store {
	t.Helper()
	db, err := postgres.New(pgtest.Pool(t), postgres.Config{Schema: pgtest.Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

func openSQLite(t testing.TB) store.Store {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "events.db"), sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// t.Context() has ended by now.
		if err := db.Close(context.Background()); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// onEveryStore runs test on a fresh store of each kind, in parallel.
func onEveryStore(t *testing.T, test func(t *testing.T, db store.Store)) {
	t.Helper()
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			test(t, s.open(t))
		})
	}
}

// stored returns what an append that must succeed has returned: stored(t)(acct.Append(…)).
func stored(t testing.TB) func(store.Appended, error) store.Appended {
	return func(a store.Appended, err error) store.Appended {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

// collect reads a sequence to its end, or to its error.
func collect[T any](events iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for e, err := range events {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

// eventsOf returns the events of a bank stream.
func eventsOf(t testing.TB, db store.Streams, id string) []bank.Event {
	t.Helper()
	all, err := collect(bank.StreamOf(db, id).Read(t.Context(), 0))
	if err != nil {
		t.Fatal(err)
	}
	events := make([]bank.Event, 0, len(all))
	for _, r := range all {
		events = append(events, r.Event)
	}
	return events
}

// wrapper is a store of which a test replaces a method.
type wrapper struct {
	store.Store
	append func(context.Context, ...store.Batch) ([]store.Appended, error)
	read   func(context.Context, store.Query) iter.Seq2[store.Recorded, error]
}

func (w wrapper) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	if w.append == nil {
		return w.Store.Append(ctx, batches...)
	}
	return w.append(ctx, batches...)
}

func (w wrapper) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	if w.read == nil {
		return w.Store.Read(ctx, q)
	}
	return w.read(ctx, q)
}

// streamsOnly is a store seen as a transaction: it appends and reads, no more.
type streamsOnly struct{ store.Streams }

// deposits opens an account and puts amounts into it.
func deposits(amounts ...int64) []bank.Event {
	events := make([]bank.Event, 1, 1+len(amounts))
	events[0] = bank.AccountOpened{Owner: "ada", Currency: "EUR"}
	for _, a := range amounts {
		events = append(events, bank.MoneyDeposited{Amount: a})
	}
	return events
}
