// Package banktest runs the bank's tests on every store.
package banktest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

// OnEveryStore runs test as parallel subtests, each on an empty store.
func OnEveryStore(t *testing.T, test func(t *testing.T, db store.Store)) {
	t.Helper()
	for name, open := range map[string]func(*testing.T) store.Store{
		"memory":   func(*testing.T) store.Store { return memory.New(memory.Config{}) },
		"sqlite":   openSQLite,
		"postgres": openPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func openSQLite(t *testing.T) store.Store {
	t.Helper()
	// Unflushed: the tests are about the bank, not about power cuts.
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "bank.db"), sqlite.Config{Synchronous: sqlite.Normal})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

func openPostgres(t *testing.T) store.Store {
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
