package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

func TestMigrateTwiceKeepsEvents(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{})
	if _, err := s.Append(t.Context(), one("bank-1")); err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate again: %v", err)
	}
	if err := opened(t, file, sqlite.Config{}).Migrate(t.Context()); err != nil {
		t.Fatalf("migrate by another store: %v", err)
	}
	if n := count(t, s); n != 1 {
		t.Errorf("%d events are stored, want 1", n)
	}
}

func TestMigrateConcurrently(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	var migrating sync.WaitGroup
	for range 8 {
		migrating.Go(func() {
			s := opened(t, file, sqlite.Config{})
			if err := s.Migrate(t.Context()); err != nil {
				t.Errorf("migrate: %v", err)
				return
			}
			if _, err := s.Append(t.Context(), one("bank-1")); err != nil {
				t.Errorf("append: %v", err)
			}
		})
	}
	migrating.Wait()
	if n := count(t, opened(t, file, sqlite.Config{})); n != 8 {
		t.Errorf("%d events are stored, want 8", n)
	}
}

func TestNothingIsTouchedBeforeItIsNeeded(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := opened(t, file, sqlite.Config{})
	absent := func(after string) {
		t.Helper()
		if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 0 {
			t.Fatalf("after %s the directory holds %v, %v", after, entries, err)
		}
	}
	absent("Open")
	_, err := s.Append(t.Context(), one("bank-1"))
	notMigrated(t, err, file, 0)
	_, err = collect(t.Context(), s, store.Query{})
	notMigrated(t, err, file, 0)
	_, err = s.Subscriptions().Open(t.Context(), store.Subscription{Name: "a", Lanes: make([]store.Lane, 1)})
	notMigrated(t, err, file, 0)
	absent("calls on a file that is not there")
}

func notMigrated(t *testing.T, err error, file string, have int) {
	t.Helper()
	missing, ok := errors.AsType[*store.NotMigratedError](err)
	if !ok || missing.Store != file || missing.Have != have || missing.Want != 7 || store.Retryable(err) {
		t.Fatalf("%v is no NotMigratedError of %s with %d of 7", err, file, have)
	}
	if have < 7 && !strings.Contains(err.Error(), "call db.Migrate(ctx)") {
		t.Errorf("%q does not say what to do", err)
	}
}

func TestPendingNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := opened(t, newFile(t), sqlite.Config{})
	pending, err := s.Pending(t.Context())
	if err != nil || len(pending) != 7 || pending[0] != "0001_store.sql" {
		t.Fatalf("pending of a new file: %q, %v", pending, err)
	}
	entries, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	files := make([]string, 0, len(entries))
	for _, e := range entries {
		files = append(files, e.Name())
	}
	if diff := cmp.Diff(files, pending); diff != "" {
		t.Errorf("files of migrations/ and the list in migrate.go (-files +list):\n%s", diff)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pending, err := s.Pending(t.Context()); err != nil || len(pending) != 0 {
		t.Fatalf("pending after Migrate: %q, %v", pending, err)
	}
}

func TestLaterReleaseIsRefused(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	closeStore(t, migrated(t, file, sqlite.Config{}))
	run(t, raw(t, file), "UPDATE store SET migration = 9")
	s := opened(t, file, sqlite.Config{})
	_, err := s.Append(t.Context(), one("bank-1"))
	notMigrated(t, err, file, 9)
	notMigrated(t, s.Migrate(t.Context()), file, 9)
	_, err = s.Pending(t.Context())
	notMigrated(t, err, file, 9)
}

// Whatever stood between the marking of the file and its tables is mended.
func TestInterruptedMigrationIsFinished(t *testing.T) {
	t.Parallel()
	for name, left := range map[string][]string{
		"no file":    nil,
		"empty file": {},
		"mark":       {"PRAGMA application_id = 0x6573676e"},
		"log":        {"PRAGMA application_id = 0x6573676e", "PRAGMA journal_mode = WAL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := newFile(t)
			if left != nil {
				if err := os.WriteFile(file, nil, 0o644); err != nil {
					t.Fatal(err)
				}
				db := raw(t, file)
				for _, statement := range left {
					run(t, db, statement)
				}
				db.Close()
			}
			s := opened(t, file, sqlite.Config{})
			_, err := s.Append(t.Context(), one("bank-1"))
			notMigrated(t, err, file, 0)
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Append(t.Context(), one("bank-1")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFilesThatAreNoStoreAreRefusedAndNotChanged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(t *testing.T, file string)
		want string
	}{
		"text": {func(t *testing.T, file string) {
			if err := os.WriteFile(file, []byte(strings.Repeat("Dear diary, ", 1000)), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "is not a SQLite database; it was not changed"},
		"database of another program": {func(t *testing.T, file string) {
			db := raw(t, file)
			run(t, db, "CREATE TABLE events (x)")
			db.Close()
		}, "is a SQLite database of another program; it was not changed"},
		"marked by another program": {func(t *testing.T, file string) {
			db := raw(t, file)
			run(t, db, "PRAGMA application_id = 7")
			db.Close()
		}, "is a SQLite database of another program; it was not changed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := newFile(t)
			c.make(t, file)
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := opened(t, file, sqlite.Config{})
			_, appending := s.Append(t.Context(), one("bank-1"))
			_, reading := collect(t.Context(), s, store.Query{})
			for _, err := range []error{s.Migrate(t.Context()), appending, reading} {
				if wrong, ok := errors.AsType[*sqlite.FileError](err); !ok || wrong.File != file || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v is no FileError that says: %s", err, c.want)
				}
			}
			after, err := os.ReadFile(file)
			if err != nil || string(after) != string(before) {
				t.Errorf("the file was changed, %v", err)
			}
			if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
				t.Errorf("the directory holds %v, %v", entries, err)
			}
		})
	}
}

func TestPlacesWithoutAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	missing := opened(t, filepath.Join(dir, "no", "store.db"), sqlite.Config{})
	err := missing.Migrate(t.Context())
	if _, ok := errors.AsType[*sqlite.FileError](err); !ok || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "create it first") {
		t.Errorf("migrate in a missing directory: %v", err)
	}
	_, err = missing.Append(t.Context(), one("bank-1"))
	notMigrated(t, err, missing.File(), 0)
	directory := opened(t, dir, sqlite.Config{})
	_, err = directory.Append(t.Context(), one("bank-1"))
	for _, err := range []error{err, directory.Migrate(t.Context())} {
		if _, ok := errors.AsType[*sqlite.FileError](err); !ok || !strings.Contains(err.Error(), "is a directory") {
			t.Errorf("a directory as file: %v", err)
		}
	}
}
