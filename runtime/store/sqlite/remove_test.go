package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/esgen/esgen/runtime/store/sqlite"
)

func TestRemoveTakesOnlyStores(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{})
	if _, err := s.Append(t.Context(), one("bank-1")); err != nil {
		t.Fatal(err)
	}
	if there, err := sqlite.Exists(t.Context(), file); err != nil || !there {
		t.Errorf("it is there: %t, %v", there, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is none
		if err := sqlite.Remove(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(filepath.Dir(file))
		if err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}

	letter, theirs := newFile(t), newFile(t)
	if err := os.WriteFile(letter, []byte("Dear Ada, this is no database, and shall stay what it is."), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, raw(t, theirs), "CREATE TABLE letters (text)")
	for _, file := range []string{letter, theirs, t.TempDir()} {
		_, err := sqlite.Exists(t.Context(), file)
		for _, err := range []error{err, sqlite.Remove(t.Context(), file)} {
			if _, ok := errors.AsType[*sqlite.FileError](err); !ok {
				t.Errorf("%s: %v", file, err)
			}
		}
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sqlite.Remove(ctx, theirs); !errors.Is(err, context.Canceled) {
		t.Errorf("in a context that ended: %v", err)
	}
}
