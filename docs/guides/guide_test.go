// Package guides_test does what the pages of docs/ say, on a real PostgreSQL: it holds
// the Go code that they show and runs their SQL.
package guides_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/esgen/esgen/internal/pages"
	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// database returns the DSN of a new database, in which everything has the names that
// the pages give it.
func database(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/guide_" + strings.ToLower(rand.Text()[:12])
	t.Cleanup(func() {
		if err := postgres.DropDatabase(context.Background(), u.String(), ""); err != nil {
			t.Error(err)
		}
	})
	if _, err := postgres.CreateDatabase(t.Context(), u.String(), ""); err != nil {
		t.Fatal(err)
	}
	return u.String()
}

// open returns a store in a new database, and its pool.
func open(t *testing.T) (*postgres.Store, *pgxpool.Pool) {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	db, err := postgres.New(pool, postgres.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db, pool
}

// sqlOf returns the SQL of a section of a page, block by block.
func sqlOf(t *testing.T, page, heading string) []string {
	t.Helper()
	return pages.Open(t, "docs/"+page+".md").Section(heading).Blocks("sql")
}

func execute(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%v in\n%s", err, sql)
	}
}

// rows runs a query and returns its rows as texts, columns apart by " | ".
func rows(t *testing.T, pool *pgxpool.Pool, sql string) (lines []string) {
	t.Helper()
	err := pool.AcquireFunc(t.Context(), func(conn *pgxpool.Conn) error {
		results, err := conn.Conn().PgConn().Exec(t.Context(), sql).ReadAll()
		for _, result := range results {
			for _, row := range result.Rows {
				texts := make([]string, len(row))
				for i, value := range row {
					texts[i] = string(value)
				}
				lines = append(lines, strings.Join(texts, " | "))
			}
		}
		return err
	})
	if err != nil {
		t.Fatalf("%v in\n%s", err, sql)
	}
	return lines
}

func positions(t *testing.T, db store.Streams) (all []store.Position) {
	t.Helper()
	for r, err := range db.Read(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Position)
	}
	return all
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
