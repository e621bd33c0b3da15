package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

func TestAScriptDoesWhatMigrateDoes(t *testing.T) {
	t.Parallel()
	schema := func(file string) (text string) {
		rows, err := raw(t, file).Query("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema UNION ALL SELECT 'store', migration, floor, '' FROM store ORDER BY 1, 2")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var parts [4]string
			if err := rows.Scan(&parts[0], &parts[1], &parts[2], &parts[3]); err != nil {
				t.Fatal(err)
			}
			text += strings.Join(parts[:], " ") + "\n"
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return text
	}
	byMigrate, byScript := newFile(t), newFile(t)
	migrated(t, byMigrate, sqlite.Config{})
	script, err := sqlite.Script(0)
	if err != nil {
		t.Fatal(err)
	}
	run(t, raw(t, byScript), script)
	if got, want := schema(byScript), schema(byMigrate); got != want {
		t.Errorf("a script made\n%s\nMigrate made\n%s", got, want)
	}
	s := migrated(t, byScript, sqlite.Config{})
	if _, err := s.Append(t.Context(), one("bank-1")); err != nil {
		t.Error(err)
	}
	for _, after := range []int{-1, len(sqlite.Migrations()) + 1} {
		if _, err := sqlite.Script(after); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("after %d: %v", after, err)
		}
	}
	if rest, err := sqlite.Script(len(sqlite.Migrations())); err != nil || strings.Contains(rest, "CREATE") {
		t.Errorf("nothing is left, but the script is %s, %v", rest, err)
	}
}

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
