package guides_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/internal/pages"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestUpgradeFromAShell types what the page says, on a database that lacks the last
// migrations.
func TestUpgradeFromAShell(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: builds a program")
	}
	dsn := database(t)
	pool, err := pgxpool.New(t.Context(), dsn)
	check(t, err)
	t.Cleanup(pool.Close)
	script, err := postgres.Script("", 0)
	check(t, err)
	some, _, _ := strings.Cut(script, "\n-- Migration 9: ")
	execute(t, pool, some)

	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "esctl"), "github.com/esgen/esgen/cmd/esctl")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	commands := pages.Open(t, "docs/upgrading.md").Section("Who migrates").Blocks("sh")[0]
	if _, err := exec.LookPath("psql"); err != nil {
		commands = strings.ReplaceAll(commands, `psql "$ESGEN_DSN" -v ON_ERROR_STOP=1 -f pending.sql`, "esctl migrate")
	}
	shell := exec.CommandContext(t.Context(), "bash", "-e", "-u", "-o", "pipefail", "-c", commands)
	shell.Dir = dir
	shell.Env = append(os.Environ(), "ESGEN_DSN="+dsn, "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	var stdout, stderr bytes.Buffer
	shell.Stdout, shell.Stderr = &stdout, &stderr
	if err := shell.Run(); err != nil || !strings.Contains(stdout.String(), "exit code 1: something is pending") {
		t.Errorf("%v\n%s%s", err, &stdout, &stderr)
	}
	db, err := postgres.New(pool, postgres.Config{})
	check(t, err)
	check(t, db.Check(t.Context()))
}

func TestTwoVersionsAtOnce(t *testing.T) {
	t.Parallel()
	db, pool := open(t)
	execute(t, pool, fmt.Sprintf("INSERT INTO esgen.migrations (number, name) VALUES (%d, 'later')", len(postgres.Migrations())+1))
	if err := pendingOf(t.Context(), db); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("Pending of a newer schema: %v", err)
	}
	check(t, db.Check(t.Context()))
	_, err := bank.StreamOf(db, "a-17").Execute(t.Context(), bank.Open("Ada", bank.EUR))
	check(t, err)

	// An older one is no reason to go on.
	older, err := postgres.New(pool, postgres.Config{Schema: "older"})
	check(t, err)
	if err := older.Check(t.Context()); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("Check of a schema that is not there: %v", err)
	}
	check(t, pendingOf(t.Context(), older))
}

func pendingOf(ctx context.Context, db *postgres.Store) error {
	pending, err := db.Pending(ctx)
	if err != nil {
		return err
	}
	for _, m := range pending {
		fmt.Println(m.Number, m.Name)
	}
	return nil
}
