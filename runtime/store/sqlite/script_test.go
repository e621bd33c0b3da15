package sqlite_test

import (
	"errors"
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
