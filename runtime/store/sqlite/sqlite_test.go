package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
	"github.com/esgen/esgen/runtime/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Setup{
		Declares: storetest.SQLite,
		Open: func(t testing.TB) store.Store {
			return migrated(t, filepath.Join(t.TempDir(), "store.db"), sqlite.Config{})
		},
		Reopen: func(t testing.TB, s store.Store) store.Store {
			closeStore(t, s.(*sqlite.Store))
			return opened(t, s.(*sqlite.Store).File(), sqlite.Config{})
		},
		Another: func(t testing.TB, s store.Store) store.Store {
			return opened(t, s.(*sqlite.Store).File(), sqlite.Config{})
		},
	})
}

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
