package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/esgen/esgen/internal/pgtest"
)

// TestMain lets the stories run this test binary as the program esctl.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"esctl": func() { os.Exit(start()) }})
}

type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestStories runs what an operator types, and compares what the operator sees.
func TestStories(t *testing.T) {
	t.Parallel()
	testscript.Run(t, params("testdata/script", nil))
}

// TestStoriesOnPostgres does the same on databases that are not there yet: $PG, and
// $PG2 for stories that need another one.
func TestStoriesOnPostgres(t *testing.T) {
	t.Parallel()
	testscript.Run(t, params("testdata/postgres", func(env *testscript.Env) error {
		dsn := freshDatabase(t)
		u, err := url.Parse(dsn)
		if err != nil {
			return err
		}
		env.Setenv("ESGEN_DSN", dsn)
		env.Setenv("PG", dsn)
		env.Setenv("PG2", freshDatabase(t))
		env.Setenv("DB", strings.TrimPrefix(u.Path, "/"))
		env.Setenv("DATABASE", regexp.QuoteMeta(strings.TrimPrefix(u.Path, "/")))
		u.Path = "/postgres"
		env.Setenv("SERVER", u.String())
		// Whoever trusts the user takes any password.
		u.User = url.UserPassword(u.User.Username(), "sesame")
		u.Path = "/missing"
		env.Setenv("SECRET", u.String())
		return nil
	}))
}

func params(dir string, setup func(*testscript.Env) error) testscript.Params {
	return testscript.Params{
		Dir: dir, Setup: setup, UpdateScripts: os.Getenv("UPDATE") != "", RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"query": query, "code": code, "consume": consume},
	}
}

// freshDatabase returns the DSN of a database that is not there yet, and removes it
// in the end.
func freshDatabase(t *testing.T) string {
	t.Helper()
	server := pgtest.URL(t)
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	name := "esctl_" + strings.ToLower(rand.Text()[:12])
	u.Path = "/" + name
	t.Cleanup(func() {
		// t.Context has ended.
		if err := execute(context.Background(), server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return u.String()
}

func execute(ctx context.Context, dsn, sql string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// query runs SQL on $PG, or on the DSN in front of it: query [DSN] SQL.
func query(ts *testscript.TestScript, neg bool, args []string) {
	dsn := ts.Getenv("PG")
	if len(args) == 2 {
		dsn, args = args[0], args[1:]
	}
	if len(args) != 1 {
		ts.Fatalf("usage: query [DSN] SQL")
	}
	if err := execute(context.Background(), dsn, args[0]); (err != nil) != neg {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

// code runs a command and compares its exit code: code N COMMAND ….
func code(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND ...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("%s: exit code %s, want %s", filepath.Base(args[1]), got, args[0])
	}
}
