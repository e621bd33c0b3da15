// Package pgtest gives tests a real PostgreSQL.
//
// It uses, in this order: the server of ESGEN_TEST_DATABASE_URL; server binaries
// in ESGEN_TEST_POSTGRES_BIN, on PATH or in the usual directories; Docker;
// binaries downloaded once into the user's cache. Test processes that run at the
// same time, or soon after one another, share one server, which ends with the
// last of them, however they end. ESGEN_TEST_POSTGRES chooses: installed, docker or
// download; off skips the tests that need a server.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	urlVariable    = "ESGEN_TEST_DATABASE_URL"
	sourceVariable = "ESGEN_TEST_POSTGRES"
	remedy         = "set " + urlVariable + ", install PostgreSQL or start Docker; " + sourceVariable + "=off skips these tests"
)

// Connections bounds the pools that [Pool] returns, so that many tests at once
// stay below the server's limit of 300.
const Connections = 8

var shared = sync.OnceValues(func() (string, error) {
	url := os.Getenv(urlVariable)
	if url == "" {
		var err error
		if url, err = join(); err != nil {
			return "", err
		}
	}
	return url, dropStale(url)
})

// URL returns the connection string of the server that all tests share. It skips
// tb if PostgreSQL is switched off and fails it if there is no server.
func URL(tb testing.TB) string {
	tb.Helper()
	skipIfOff(tb)
	url, err := shared()
	if err != nil {
		tb.Fatalf("no PostgreSQL for tests: %v; %s", err, remedy)
	}
	return url
}

func skipIfOff(tb testing.TB) {
	tb.Helper()
	if strings.EqualFold(os.Getenv(sourceVariable), "off") {
		tb.Skip(sourceVariable + "=off")
	}
}

// Pool returns a pool of at most [Connections] connections to the shared server,
// closed when tb ends. Each configure may change its settings before it is made.
func Pool(tb testing.TB, configure ...func(*pgxpool.Config)) *pgxpool.Pool {
	tb.Helper()
	return open(tb, URL(tb), configure)
}

func open(tb testing.TB, url string, configure []func(*pgxpool.Config)) *pgxpool.Pool {
	tb.Helper()
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		tb.Fatalf("parse the URL of the test server: %v", err)
	}
	c.MaxConns = Connections
	for _, set := range configure {
		set(c)
	}
	// The pool outlives tb.Context(), which ends before cleanups run.
	pool, err := pgxpool.NewWithConfig(context.Background(), c)
	if err != nil {
		tb.Fatalf("open a pool on the test server: %v", err)
	}
	tb.Cleanup(pool.Close)
	return pool
}

const schemaPrefix = "esgen_test_"

// staleAfter is how long a test run may take before another run takes its
// schemas for forgotten ones.
const staleAfter = time.Hour

// SchemaName returns a new name for a schema that a later run may drop, if this one
// is killed. Whoever creates it drops it with [Drop].
func SchemaName() string {
	return schemaPrefix + strconv.FormatInt(time.Now().Unix(), 36) + "_" + strings.ToLower(rand.Text()[:10])
}

// Drop drops schemas of the shared server, with everything in them.
func Drop(names ...string) error {
	if len(names) == 0 {
		return nil
	}
	url, err := shared()
	if err != nil {
		return err
	}
	return drop(url, names...)
}

// Schema returns a name that no other test uses. The schema of this name on the
// shared server, if the test creates it, is dropped when tb ends; those that
// killed runs left are dropped by a later run.
func Schema(tb testing.TB) string {
	tb.Helper()
	url := URL(tb)
	name := SchemaName()
	tb.Cleanup(func() {
		if err := drop(url, name); err != nil {
			tb.Errorf("drop the schema of the test: %v", err)
		}
	})
	return name
}

func drop(url string, names ...string) error {
	return onServer(url, func(ctx context.Context, c *pgx.Conn) error {
		for _, name := range names {
			if _, err := c.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{name}.Sanitize()+" CASCADE"); err != nil {
				return err
			}
		}
		return nil
	})
}

func dropStale(url string) error {
	var stale []string
	err := onServer(url, func(ctx context.Context, c *pgx.Conn) error {
		rows, err := c.Query(ctx, "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, $1)", schemaPrefix)
		if err != nil {
			return err
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, name := range names {
			stamp, _, _ := strings.Cut(strings.TrimPrefix(name, schemaPrefix), "_")
			made, err := strconv.ParseInt(stamp, 36, 64)
			if err == nil && time.Since(time.Unix(made, 0)) > staleAfter {
				stale = append(stale, name)
			}
		}
		return err
	})
	if err == nil && len(stale) > 0 {
		err = drop(url, stale...)
	}
	if err != nil {
		return fmt.Errorf("drop the schemas of killed test runs: %w", err)
	}
	return nil
}

func onServer(url string, do func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }()
	return do(ctx, c)
}
