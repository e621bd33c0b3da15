package postgres_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

var update = flag.Bool("update", false, "record the migrations as they are: at a release, or for an edit before the first one")

const (
	sums = "testdata/migrations.sum"
	// placeholder is the schema of the scripts in testdata.
	placeholder = "schema_of_the_test"

	sumsHead = `# Migrations that were released, with their SHA-256. A database somewhere has taken
# them, so none is edited, renamed or removed: a mistake in one is mended by the next.
# At a release: go test ./runtime/store/postgres -run TestReleasedMigrations -update,
# which adds the new ones here, and schema_NN.sql beside it. Before the first release
# the same command records an edit.
`
)

// TestReleasedMigrationsStayAsTheyAre compares the files with what was recorded.
func TestReleasedMigrationsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) != len(postgres.Migrations()) {
		t.Fatalf("%d files, %v; the program knows %d migrations", len(files), err, len(postgres.Migrations()))
	}
	text := sumsHead
	for _, file := range files {
		sql, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("%x  %s\n", sha256.Sum256(sql), filepath.Base(file))
	}
	if *update {
		script, err := postgres.Script(placeholder, 0)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{sums: text, fmt.Sprintf("testdata/schema_%d.sql", len(files)): script} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	recorded, err := os.ReadFile(sums)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, string(recorded)) {
		t.Errorf("%s says\n%s\nthe files are\n%s\nadd a migration instead of editing one that was released", sums, recorded, text)
	}
}

// TestAReleasedSchemaMigrates starts from each recorded schema, as its release left
// it, with events, and ends where a new one is.
func TestAReleasedSchemaMigrates(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	fresh := pgtest.Schema(t)
	openOn(t, pool, postgres.Config{Schema: fresh})
	want := shape(t, pool, fresh)
	released, err := filepath.Glob("testdata/schema_*.sql")
	if err != nil || len(released) == 0 {
		t.Fatalf("no released schema, %v", err)
	}
	events, err := os.ReadFile("testdata/events.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range released {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		schema := pgtest.Schema(t)
		if err := runScript(t, pool, strings.ReplaceAll(string(script)+string(events), placeholder, schema)); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		s := openOn(t, pool, postgres.Config{Schema: schema})
		if got := shape(t, pool, schema); got != want {
			t.Errorf("%s and what came later make\n%s\nthis release makes\n%s", file, got, want)
		}
		all := checkStored(t, s, 3)
		if r := all[2]; r.Stream != "bank-b" || r.Type != "bank.opened" || string(r.Data) != `{"owner": "bob"}` || r.Metadata.Get("tenant") != "north" {
			t.Errorf("%s: %+v", file, r)
		}
		if a := mustAppend(t, s, one("bank-a", 2), one("bank-c", 0)); a[0].First != 4 || a[1].First != 5 {
			t.Errorf("%s: appended at %d and %d, want 4 and 5", file, a[0].First, a[1].First)
		}
	}
}

// everything is calls and what else changes events.
func everything(t *testing.T, s *postgres.Store) (errs map[string]error, acknowledged int) {
	t.Helper()
	ctx := t.Context()
	errs = calls(t, s)
	for call, n := range map[string]int{"append one": 1, "append two": 2} {
		if errs[call] == nil {
			acknowledged += n
		}
	}
	_, errs["in a transaction"] = postgres.InTx(ctx, s, func(ctx context.Context, _ pgx.Tx, in *postgres.Tx) error {
		_, err := in.Append(ctx, one("b-1", store.Any), one("c-1", store.Any))
		return err
	})
	if errs["in a transaction"] == nil {
		acknowledged += 2
	}
	_, errs["link"] = s.Link(ctx, "list-1", store.Any, event("x", `{}`).ID)
	member := store.Member{ID: uuid.New(), Label: "x", Lease: time.Second, Runs: []string{"s"}}
	_, errs["renew"] = s.Subscriptions().Renew(ctx, member)
	errs["leave"] = s.Subscriptions().Leave(ctx, member.ID)
	errs["delete softly"] = s.Delete(ctx, "none-1", store.Any, store.Soft)
	errs["truncate"] = s.Truncate(ctx, "none-1", 1, store.Soft)
	errs["delete"] = s.Delete(ctx, "none-1", store.Any, store.Hard)
	return errs, acknowledged
}

// anAnswer reports that err says something of the events, not of the tables.
func anAnswer(err error) bool {
	return err == nil || errors.Is(err, store.ErrStreamNotFound) || errors.Is(err, store.ErrEventNotFound) ||
		errors.Is(err, store.ErrSnapshotNotFound) || errors.Is(err, store.ErrFenced)
}

// TestAProgramIsAheadOfItsSchema calls everything at every step on the way: each call
// works or says how far the schema is, and nothing is half written.
func TestAProgramIsAheadOfItsSchema(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	want := len(postgres.Migrations())
	for have := range want {
		t.Run(itoa(have), func(t *testing.T) {
			t.Parallel()
			schema := pgtest.Schema(t)
			if err := runScript(t, pool, scriptTo(t, schema, 0, have)); have > 0 && err != nil {
				t.Fatal(err)
			}
			s := newStore(t, postgres.Config{Schema: schema, HardDeletes: true})
			errs, acknowledged := everything(t, s)
			missing := 0
			for call, err := range errs {
				var e *store.NotMigratedError
				switch {
				case errors.As(err, &e) && e.Have == have && e.Want == want:
					missing++
				case !anAnswer(err):
					t.Errorf("%s: %v", call, err)
				}
			}
			if missing == 0 {
				t.Error("everything works without the rest of the migrations")
			}
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			checkStored(t, s, acknowledged)
			var without int
			if err := pool.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM "+schema+".events) - $1 + (SELECT count(*) FROM "+schema+".pending)", acknowledged).Scan(&without); err != nil || without != 0 {
				t.Errorf("%d rows more than events that were acknowledged, %v", without, err)
			}
		})
	}
}

// TestASchemaIsAheadOfItsProgram has migrations that this program does not know. What
// they only add to, it goes on with; where they have taken something away, it says so.
func TestASchemaIsAheadOfItsProgram(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t), HardDeletes: true})
	schema, want := postgres.SchemaOf(s), len(postgres.Migrations())
	_, acknowledged := everything(t, s)
	run(t, pool, fmt.Sprintf(`BEGIN; SET LOCAL search_path = %s;
		ALTER TABLE events ADD COLUMN tag text;
		CREATE TABLE added (id bigint);
		INSERT INTO migrations (number, name) VALUES (%d, 'later'); COMMIT`, schema, want+1))
	errs, more := everything(t, s)
	for call, err := range errs {
		if !anAnswer(err) {
			t.Errorf("%s, after something was added: %v", call, err)
		}
	}
	var e *store.NotMigratedError
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check of a newer schema: %v", err)
	}
	if more != 5 {
		t.Errorf("%d events are acknowledged, want 5", more)
	}
	acknowledged += more
	checkStored(t, s, acknowledged)

	run(t, pool, fmt.Sprintf(`BEGIN; SET LOCAL search_path = %s;
		ALTER FUNCTION append RENAME TO append_2; ALTER FUNCTION append_one RENAME TO append_one_2;
		ALTER FUNCTION append_waiting RENAME TO append_waiting_2; COMMIT`, schema))
	errs, more = everything(t, s)
	for _, call := range []string{"append one", "append two", "in a transaction"} {
		if err := errs[call]; !errors.As(err, &e) || e.Have != want+1 || !strings.Contains(err.Error(), "update the program") {
			t.Errorf("%s, after its function was taken away: %v", call, err)
		}
	}
	if more != 0 {
		t.Errorf("%d events are acknowledged without a function that appends", more)
	}
	checkStored(t, s, acknowledged)
}
