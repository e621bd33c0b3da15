package sqlite_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

func TestTheDoctor(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{})
	for range 200 {
		if _, err := s.Append(t.Context(), one("bank-1")); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Doctor(t.Context())
	if err != nil || len(r.Findings) > 0 || r.Head.Position != 200 || r.File.Bytes == 0 || r.Migrations.At != len(sqlite.Migrations()) {
		t.Errorf("%+v, %v", r, err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}

	// Pages that are overwritten: the first one, with the schema, stays.
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(slices.Repeat([]byte{0xff}, 4096), info.Size()-4096)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	damaged, err := sqlite.Open(file, sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = damaged.Close(context.Background()) })
	r, err = damaged.Doctor(t.Context())
	if err != nil || len(r.Findings) != 1 || r.Findings[0].Severity != "broken" || !strings.Contains(r.Findings[0].What, "SQLite finds damage") {
		t.Errorf("damaged: %+v, %v", r, err)
	}

	none, err := sqlite.Open(newFile(t), sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = none.Close(context.Background()) })
	if r, err := none.Doctor(t.Context()); err != nil || len(r.Findings) != 1 || len(r.Migrations.Pending) != len(sqlite.Migrations()) {
		t.Errorf("without a file: %+v, %v", r, err)
	}
	if err := none.Check(t.Context()); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("without a file: %v", err)
	}
}
