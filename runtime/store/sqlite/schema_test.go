package sqlite_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

func TestStoredEventsCannotBeChanged(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{})
	if _, err := s.Append(t.Context(), one("bank-1")); err != nil {
		t.Fatal(err)
	}
	db := raw(t, file)
	for _, statement := range []string{
		"UPDATE events SET data = x'00'",
		"UPDATE events SET position = 7",
		"DELETE FROM events",
		"DELETE FROM events WHERE position = 1",
		"REPLACE INTO events SELECT * FROM events",
		"INSERT OR REPLACE INTO events SELECT position + 1, stream, version + 1, category, event_id, type, revision, time, correlation, causation, format, metadata, data FROM events",
		"UPDATE OR REPLACE events SET version = 2",
		"DELETE FROM streams",
		"UPDATE streams SET name = 'bank-2'",
	} {
		if _, err := db.Exec(statement); err == nil {
			t.Errorf("%s: no error", statement)
		}
	}
	all, err := collect(t.Context(), s, store.Query{})
	if err != nil || len(all) != 1 || string(all[0].Data) != "1" || all[0].Position != 1 {
		t.Errorf("stored: %+v, %v", all, err)
	}
}

// A position below the floor was given once, and is not given again.
func TestPositionsStartAboveTheFloor(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	s := migrated(t, file, sqlite.Config{})
	run(t, raw(t, file), "UPDATE store SET floor = 41")
	a, err := s.Append(t.Context(), one("bank-1"))
	if err != nil || a[0].First != 42 {
		t.Fatalf("%+v, %v, want position 42", a, err)
	}
	a, err = s.Append(t.Context(), one("bank-1"))
	if err != nil || a[0].First != 43 {
		t.Fatalf("%+v, %v, want position 43", a, err)
	}
}

// Every statement finds its rows by a key: none walks a table of events or
// streams, and no read of one stream, one category or $all sorts.
func TestStatementsUseIndexes(t *testing.T) {
	t.Parallel()
	file := newFile(t)
	migrated(t, file, sqlite.Config{})
	db := raw(t, file)
	statements, err := filepath.Glob("queries/*.sql")
	if err != nil || len(statements) < 20 {
		t.Fatalf("%d statements, %v", len(statements), err)
	}
	for _, name := range statements {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		plan := explain(t, db, string(text))
		for _, table := range []string{"e", "s", "m", "i", "c", "l", "o", "events", "streams", "links", "categories", "snapshots", "subscriptions", "lanes", "parked"} {
			if table == "l" && strings.HasSuffix(name, "ailing_lanes.sql") {
				continue // the doctor looks at all that are owned
			}
			if table == "m" && strings.HasSuffix(name, "share.sql") {
				continue // there are as many members as processes
			}
			if strings.Contains(plan+"\n", "SCAN "+table+"\n") || strings.Contains(plan, "SCAN "+table+" ") {
				t.Errorf("%s walks %s:\n%s", name, table, plan)
			}
		}
		if sorts := strings.Contains(plan, "TEMP B-TREE"); sorts != strings.Contains(name, "categories_") && !strings.Contains(name, "by_version") {
			t.Errorf("%s sorts: %t\n%s", name, sorts, plan)
		}
		if strings.Contains(name, "read_categor") && !strings.Contains(plan, "USING INDEX events_by_category (category=? AND rowid>? AND rowid<?)") {
			t.Errorf("%s does not read from the index of categories:\n%s", name, plan)
		}
	}
}

func explain(t *testing.T, db *sql.DB, statement string) string {
	t.Helper()
	binds := 0
	for strings.Contains(statement, fmt.Sprintf("?%d", binds+1)) {
		binds++
	}
	rows, err := db.Query("EXPLAIN QUERY PLAN "+statement, make([]any, binds)...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "\n")
}

// A filter by a rare type passes several windows of events, and finds what lies
// at their ends.
func TestRareTypesAreFoundInALongStore(t *testing.T) {
	t.Parallel()
	s := migrated(t, newFile(t), sqlite.Config{})
	const window, events = 100, 201
	s.SetWindow(window)
	want := []store.Position{1, window, window + 1, window + 2, events}
	b := store.Batch{Stream: "bank-1", Expected: store.NoStream}
	for range events {
		b.Events = append(b.Events, event("1"))
	}
	for _, p := range want {
		b.Events[p-1].Type = "sqlite.rare"
	}
	if _, err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]store.Query{
		"$all": {}, "stream": {Stream: "bank-1"}, "category": {Categories: []string{"bank"}},
		"categories": {Categories: []string{"bank", "none"}},
	} {
		q.Types = []string{"sqlite.rare", "sqlite.never"}
		for _, q.Backward = range []bool{false, true} {
			all, err := collect(t.Context(), s, q)
			if err != nil || len(all) != len(want) {
				t.Errorf("%s backward %t: %d events, %v, want %d", name, q.Backward, len(all), err, len(want))
				continue
			}
			for i, r := range all {
				if q.Backward {
					i = len(want) - 1 - i
				}
				if r.Position != want[i] {
					t.Errorf("%s backward %t: position %d, want %d", name, q.Backward, r.Position, want[i])
				}
			}
		}
	}
}

// With one connection for reads, a read that is broken off or that reads again
// inside its loop would wait for ever if it held it.
func TestReadsHoldNoConnection(t *testing.T) {
	t.Parallel()
	s := migrated(t, newFile(t), sqlite.Config{Readers: 1, Timeout: 5 * time.Second})
	b := store.Batch{Stream: "bank-1", Expected: store.NoStream}
	for range 1200 {
		b.Events = append(b.Events, event("1"))
	}
	if _, err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	inside := 0
	for _, err := range s.Read(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range s.Read(t.Context(), store.Query{Stream: "bank-1"}) {
			if err != nil {
				t.Fatal(err)
			}
			inside++
			break
		}
	}
	if inside != 1200 {
		t.Errorf("%d reads inside a read, want 1200", inside)
	}
}
