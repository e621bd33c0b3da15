package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestRangesOfTimeAreFoundWithoutWalkingAllPositions asks for the last part of a large
// store: the planner must not walk the positions from the first in the hope that an
// early one matches.
func TestRangesOfTimeAreFoundWithoutWalkingAllPositions(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t, single)
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	schema := postgres.SchemaOf(s)
	const n = 300_000
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	seed := event("x", `{}`)
	seed.Time = began
	mustAppend(t, s, batch("a-1", 0, seed))
	for _, sql := range []string{
		fmt.Sprintf(`INSERT INTO %[1]s.events (position, stream_id, version, time, revision, event_id, type, format, data)
			SELECT i, 1, i, '2026-01-01T00:00:00Z'::timestamptz + i * interval '1 second', 1, gen_random_uuid(), 'x', 'json', '{}' FROM generate_series(2, %[2]d) i`, schema, n),
		"ANALYZE " + schema + ".events",
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pool.Exec(t.Context(), "VACUUM ANALYZE "+schema+".events"); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for _, c := range []struct{ last, low, most int }{{10, n - 9, 15_000}, {1_000, n - 999, 15_000}, {60_000, n - 59_999, 75_000}, {200_000, 1, 110_000}} {
		since := began.Add(time.Duration(n-c.last+1) * time.Second)
		before := looked(t, pool, schema)
		var low int
		if err := pool.QueryRow(ctx, "SELECT low FROM "+schema+".read_range($1, NULL)", since).Scan(&low); err != nil {
			t.Fatal(err)
		}
		if n := looked(t, pool, schema) - before; low != c.low || n == 0 || n > c.most {
			t.Errorf("the last %d begin at %d, want %d; looked at %d events", c.last, low, c.low, n)
		}
	}
}

// TestAnAppendLooksAtItsOwnStreamsOnly makes plans while there are three streams, and
// appends to twenty of three thousand with them: a join that reads all of them would
// make every append slower than the last.
func TestAnAppendLooksAtItsOwnStreamsOnly(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t, single)
	for _, c := range []postgres.Config{{}, {NoGroupCommit: true}} {
		c.Schema = pgtest.Schema(t)
		s := openOn(t, pool, c)
		mustAppend(t, s, one("a-1", 0), one("a-2", 0), one("a-3", 0))
		if _, err := pool.Exec(t.Context(), "ANALYZE "+c.Schema+".streams"); err != nil {
			t.Fatal(err)
		}
		mustAppend(t, s, one("a-1", store.Any), one("a-2", 1), one("a-4", 0))
		mustAppend(t, s, one("a-1", store.Any))
		tx, err := pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		mustAppend(t, s.WithTx(tx), one("a-1", store.Any), one("a-5", 0))
		commit(t, tx)
		for i := range 30 {
			many := make([]store.Batch, 100)
			for j := range many {
				many[j] = one(fmt.Sprintf("b-%d-%d", i, j), store.NoStream)
			}
			mustAppend(t, s, many...)
		}
		some := make([]store.Batch, 0, 20)
		for i := range 10 {
			some = append(some, one(fmt.Sprintf("b-%d-7", i), 1), one(fmt.Sprintf("c-%d", i), 0))
		}
		before := lookedIn(t, pool, c.Schema+".streams")
		mustAppend(t, s, some...)
		if n := lookedIn(t, pool, c.Schema+".streams") - before; n == 0 || n > 100 {
			t.Errorf("an append to 20 streams looked at %d", n)
		}
		before = lookedIn(t, pool, c.Schema+".events")
		if tx, err = pool.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustAppend(t, s.WithTx(tx), one(some[0].Stream, store.Any), one("d-1", 0))
		commit(t, tx)
		if n := lookedIn(t, pool, c.Schema+".events") - before; n == 0 || n > 20 {
			t.Errorf("a transaction with 2 events looked at %d", n)
		}
	}
}

// looked is how many events the one connection of pool has fetched by way of an index.
func looked(t *testing.T, pool *pgxpool.Pool, schema string) int {
	t.Helper()
	return lookedIn(t, pool, schema+".events")
}

func lookedIn(t *testing.T, pool *pgxpool.Pool, table string) (n int) {
	t.Helper()
	err := pool.QueryRow(t.Context(), `SELECT sum(coalesce(pg_stat_get_tuples_fetched(o), 0) + coalesce(pg_stat_get_xact_tuples_fetched(o), 0))
		FROM (SELECT indexrelid AS o FROM pg_index WHERE indrelid = to_regclass($1) UNION ALL SELECT to_regclass($1)) i`, table).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
