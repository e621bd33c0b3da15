//go:build unix

package postgres_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// program runs a client program of PostgreSQL and returns what it prints.
func program(t *testing.T, pool *pgxpool.Pool, name string, args ...string) string {
	t.Helper()
	var version string
	if err := pool.QueryRow(t.Context(), "SHOW server_version").Scan(&version); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), pgtest.Client(t, name, regexp.MustCompile(`^[\d.]+`).FindString(version)), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	return string(out)
}

// dumped is what pg_dump says of a schema, without the schema's name.
func dumped(t *testing.T, pool *pgxpool.Pool, schema string) string {
	t.Helper()
	text := program(t, pool, "pg_dump", "--schema-only", "--schema", schema, "--dbname", pgtest.URL(t))
	// A dump carries a key of its own against what it holds being run as a command.
	text = regexp.MustCompile(`(?m)^\\(un)?restrict .*$`).ReplaceAllString(text, "")
	return strings.ReplaceAll(text, schema, "SCHEMA")
}

// scriptTo is the script up to a step.
func scriptTo(t *testing.T, schema string, from, to int) string {
	t.Helper()
	script, err := postgres.Script(schema, from)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(script, "\n-- Migration "+itoa(to+1)+": ")
	return text
}

// TestEveryWayOfMigratingDumpsAlike migrates at once, by the script, and step by step
// by each in turn.
func TestEveryWayOfMigratingDumpsAlike(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	all := len(postgres.Migrations())
	atOnce, scripted, stepped := pgtest.Schema(t), pgtest.Schema(t), pgtest.Schema(t)
	openOn(t, pool, postgres.Config{Schema: atOnce})
	if err := runScript(t, pool, scriptTo(t, scripted, 0, all)); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if err := runScript(t, pool, scriptTo(t, stepped, i, i+1)); err != nil {
			t.Fatal(err)
		}
	}
	want := dumped(t, pool, atOnce)
	if !strings.Contains(want, "CREATE FUNCTION SCHEMA.append(") {
		t.Fatalf("the dump holds no store:\n%s", want)
	}
	for name, schema := range map[string]string{"the script": scripted, "step by step": stepped} {
		if got := dumped(t, pool, schema); got != want {
			t.Errorf("%s: the dump is\n%s\nwant\n%s", name, got, want)
		}
	}
}

// TestADumpRestoredGoesOn restores, in another database, a dump that was taken while
// a transaction with appended events was open: positions, links, the epoch and the
// floor are the same, the next event gets the next position.
func TestADumpRestoredGoesOn(t *testing.T) {
	t.Parallel()
	ctx, pool, schema := t.Context(), pgtest.Pool(t), pgtest.Schema(t)
	s := openOn(t, pool, postgres.Config{Schema: schema, HardDeletes: true})
	linked := event("x", `{"n":1}`)
	mustAppend(t, s, batch("bank-1", 0, linked, event("y", `{}`)), batch("bank-2", 0, store.Event{Type: "z", Format: store.JSONB, Data: []byte(`{"n": 2}`)}))
	if _, err := s.Link(ctx, "list-1", 0, linked.ID); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, one("gone-1", 0))
	// The last position is removed: it must not come back after the restore.
	if err := s.Delete(ctx, "gone-1", 1, store.Hard); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Subscriptions().Open(ctx, store.Subscription{Name: "balances", Lanes: []store.Lane{{At: 2}}}); err != nil {
		t.Fatal(err)
	}
	tx := beginTx(t, pgx.ReadCommitted)
	mustAppend(t, s.WithTx(tx), one("open-1", 0))

	file := filepath.Join(t.TempDir(), "dump")
	program(t, pool, "pg_dump", "--format", "custom", "--file", file, "--schema", schema, "--dbname", pgtest.URL(t))
	target := missing(t)
	if _, err := postgres.CreateDatabase(ctx, target.String(), ""); err != nil {
		t.Fatal(err)
	}
	program(t, pool, "pg_restore", "--exit-on-error", "--dbname", target.String(), file)

	restoredPool, err := pgxpool.New(ctx, target.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(restoredPool.Close)
	restored, err := postgres.New(restoredPool, postgres.Config{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	if pending, err := restored.Pending(ctx); err != nil || len(pending) != 0 {
		t.Errorf("pending: %v, %v", pending, err)
	}
	for _, q := range []store.Query{{}, {Stream: "list-1"}} {
		want, err := collect(s.Read(ctx, q))
		if err != nil {
			t.Fatal(err)
		}
		got, err := collect(restored.Read(ctx, q))
		if err != nil || !equalRecorded(got, want) || len(got) == 0 {
			t.Errorf("%s: restored %+v, %v; want %+v", q, got, err, want)
		}
	}
	if epoch := epochOf(t, pool, schema); epoch == "" || epochOf(t, restoredPool, schema) != epoch {
		t.Error("the epoch is another after the restore")
	}
	if c, err := restored.Subscriptions().Open(ctx, store.Subscription{Name: "balances", Lanes: make([]store.Lane, 1)}); err != nil || c.Lanes[0].At != 2 {
		t.Errorf("the checkpoint is %+v, %v", c, err)
	}
	if a := mustAppend(t, restored, one("bank-1", 2), one("new-1", 0)); a[0].First != 5 || a[1].First != 6 {
		t.Errorf("appended at %d and %d, want 5 and 6", a[0].First, a[1].First)
	}
	for _, sql := range []string{"DELETE FROM ", "UPDATE ", "TRUNCATE "} {
		text := sql + schema + ".events"
		if sql == "UPDATE " {
			text += " SET type = 'y'"
		}
		if _, err := restoredPool.Exec(ctx, text); err == nil {
			t.Errorf("%s was not refused after the restore", text)
		}
	}
}

// TestAnEpochTellsARestoreToAnEarlierMoment goes back behind what somebody outside
// has noted: the same positions are given to other events, the new epoch tells.
func TestAnEpochTellsARestoreToAnEarlierMoment(t *testing.T) {
	t.Parallel()
	ctx, pool, schema := t.Context(), pgtest.Pool(t), pgtest.Schema(t)
	s := openOn(t, pool, postgres.Config{Schema: schema})
	mustAppend(t, s, one("bank-1", 0))
	file := filepath.Join(t.TempDir(), "dump")
	program(t, pool, "pg_dump", "--format", "custom", "--file", file, "--schema", schema, "--dbname", pgtest.URL(t))
	lost := mustAppend(t, s, one("lost-1", 0))[0]
	noted := epochOf(t, pool, schema)

	if err := s.Drop(ctx); err != nil {
		t.Fatal(err)
	}
	program(t, pool, "pg_restore", "--exit-on-error", "--dbname", pgtest.URL(t), file)
	run(t, pool, sqlOf(t, "backup.md", "After a restore to an earlier moment", schema))

	if epochOf(t, pool, schema) == noted {
		t.Error("the epoch is that before the restore")
	}
	if a := mustAppend(t, s, one("other-1", 0))[0]; a.First != lost.First {
		t.Errorf("the position is %d; if it were not the lost one's again, %d, the page would be wrong", a.First, lost.First)
	}
}

func epochOf(t *testing.T, pool *pgxpool.Pool, schema string) (epoch string) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), sqlOf(t, "backup.md", "The epoch", schema)).Scan(&epoch); err != nil {
		t.Fatal(err)
	}
	return epoch
}
