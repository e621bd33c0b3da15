package postgres_test

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pages"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func collect(events iter.Seq2[store.Recorded, error]) (all []store.Recorded, _ error) {
	for r, err := range events {
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

// waitFor returns when condition, a query, is true.
func waitFor(t *testing.T, pool *pgxpool.Pool, what, condition string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		var yes bool
		if err := pool.QueryRow(t.Context(), condition).Scan(&yes); err != nil {
			t.Fatal(err)
		}
		if yes {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s in vain: %s", what)
		}
	}
}

func dropSchema(t *testing.T, pool *pgxpool.Pool, name string) {
	t.Helper()
	// In a cleanup, when t.Context has ended.
	if _, err := pool.Exec(context.Background(), "DROP SCHEMA IF EXISTS "+pgx.Identifier{name}.Sanitize()+" CASCADE"); err != nil {
		t.Error(err)
	}
}

// checkOrder fails t unless positions and versions are dense, and returns the events.
func checkOrder(t *testing.T, s *postgres.Store) []store.Recorded {
	t.Helper()
	all, err := collect(s.Read(t.Context(), store.Query{}))
	if err != nil {
		t.Fatal(err)
	}
	versions := make(map[string]store.Version)
	for i, r := range all {
		if r.Position != store.Position(i+1) {
			t.Fatalf("position %d at place %d", r.Position, i+1)
		}
		if versions[r.Stream]++; r.Version != versions[r.Stream] {
			t.Fatalf("%s: version %d follows %d", r.Stream, r.Version, versions[r.Stream]-1)
		}
	}
	for stream, v := range versions {
		if info, err := s.StreamInfo(t.Context(), stream); err != nil || info.Version != v {
			t.Fatalf("%s has %d events, its info says %+v, %v", stream, v, info, err)
		}
	}
	return all
}

// hint is PostgreSQL's advice about err.
func hint(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Hint
	}
	return ""
}

func itoa(n int) string { return strconv.Itoa(n) }

func equalRecorded(a, b []store.Recorded) bool { return reflect.DeepEqual(a, b) }

// sqlOf is the SQL of a page of docs under a heading, for a schema.
func sqlOf(t testing.TB, page, heading, schema string) string {
	t.Helper()
	return strings.ReplaceAll(pages.Open(t, "docs/"+page).Section(heading).Blocks("sql")[0], "esgen.", schema+".")
}
