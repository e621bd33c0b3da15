package sqlite_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
	driver "modernc.org/sqlite"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
	"github.com/esgen/esgen/runtime/store/storetest"
)

func TestMain(m *testing.M) {
	driver.RegisterConnectionHook(applyFaults)
	if role := os.Getenv(childEnv); role != "" {
		os.Exit(runChild(role))
	}
	goleak.VerifyTestMain(m)
}

func TestContract(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]sqlite.Config{
		"full":   {HardDeletes: true},
		"normal": {HardDeletes: true, Synchronous: sqlite.Normal, Readers: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, storetest.Setup{
				Declares: storetest.SQLite,
				Open: func(t testing.TB) store.Store {
					return migrated(t, newFile(t), c)
				},
				OpenWithoutHardDeletes: func(t testing.TB) store.Store {
					without := c
					without.HardDeletes = false
					return migrated(t, newFile(t), without)
				},
				Observed: func(t testing.TB, o store.Observer) store.Store {
					observed := c
					observed.Observer = o
					return migrated(t, newFile(t), observed)
				},
				Reopen: func(t testing.TB, s store.Store) store.Store {
					closeStore(t, s.(*sqlite.Store))
					return opened(t, s.(*sqlite.Store).File(), c)
				},
				Another: func(t testing.TB, s store.Store) store.Store {
					return opened(t, s.(*sqlite.Store).File(), c)
				},
			})
		})
	}
}

func newFile(t testing.TB) string { return filepath.Join(t.TempDir(), "store.db") }

// opened returns the store in file, closed at the end of the test.
func opened(t testing.TB, file string, c sqlite.Config) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(file, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

// migrated returns an opened store whose tables are there.
func migrated(t testing.TB, file string, c sqlite.Config) *sqlite.Store {
	t.Helper()
	s := opened(t, file, c)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func closeStore(t testing.TB, s *sqlite.Store) {
	t.Helper()
	if err := s.Close(context.Background()); err != nil {
		t.Errorf("close %s: %v", s.File(), err)
	}
}

// raw opens file as any other program would, with one connection.
func raw(t testing.TB, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", file+"?_busy_timeout=10000")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func run(t testing.TB, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func event(data string) store.Event {
	return store.Event{Type: "sqlite.tested", Format: store.JSON, Data: []byte(data)}
}

// one is a batch of one event, whatever the stream holds.
func one(stream string) store.Batch {
	return store.Batch{Stream: stream, Expected: store.Any, Events: []store.Event{event("1")}}
}

func collect(ctx context.Context, s store.Store, q store.Query) ([]store.Recorded, error) {
	var all []store.Recorded
	for r, err := range s.Read(ctx, q) {
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

// count is the number of events in $all, which must be dense.
func count(t testing.TB, s store.Store) int {
	t.Helper()
	all, err := collect(context.Background(), s, store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range all {
		if r.Position != store.Position(i+1) {
			t.Fatalf("event %d has position %d", i+1, r.Position)
		}
	}
	return len(all)
}
