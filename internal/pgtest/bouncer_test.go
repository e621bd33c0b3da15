//go:build unix

package pgtest_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
)

func TestPgBouncerHandsOutTransactions(t *testing.T) {
	t.Parallel()
	b := pgtest.StartBouncer(t, pgtest.URL(t), map[string]string{"default_pool_size": "1"})
	first, err := pgx.Connect(t.Context(), b.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close(t.Context())
	second := pgtest.Pool(t, b.Through)
	pid := func(q interface {
		QueryRow(context.Context, string, ...any) pgx.Row
	}) (pid int) {
		if err := q.QueryRow(t.Context(), "SELECT pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid); err != nil {
			t.Fatal(err)
		}
		return pid
	}
	if pid(first) != pid(second) {
		t.Error("two clients have two connections of a pool of one")
	}
	// A pooler of statements would not let a transaction begin.
	tx, err := first.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestPgBouncerStopsAndStarts(t *testing.T) {
	t.Parallel()
	b := pgtest.StartBouncer(t, pgtest.URL(t), nil)
	for _, m := range []pgtest.Mode{pgtest.Fast, pgtest.Immediate, pgtest.Kill} {
		if !answers(t, b.URL()) {
			t.Fatal("a PgBouncer that runs does not answer")
		}
		b.Stop(m)
		if answers(t, b.URL()) {
			t.Fatal("a PgBouncer that was stopped answers")
		}
		b.Restart()
	}
}

func TestPgBouncerEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	tmp := shortDir(t)
	p := spawn(t, tmp, nil, childVariable+"=", privateVariable+"=bouncer")
	if !answers(t, p.url) {
		t.Fatal("no answer")
	}
	p.kill()
	eventually(t, "PgBouncer ends with its process, killed", func() bool {
		left, _ := filepath.Glob(filepath.Join(tmp, "*", "bouncer-*"))
		return len(left) == 0 && !answers(t, p.url)
	})
}

func TestPgBouncerCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	pgtest.SkipIfOff(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestPgBouncerStopsAndStarts$", "-test.v")
	cmd.Env = append(os.Environ(), "ESGEN_TEST_PGBOUNCER=off")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "SKIP") || !strings.Contains(string(out), "ESGEN_TEST_PGBOUNCER=off") {
		t.Errorf("switched off: %s, %v", out, err)
	}
}
