package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
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

// looked is how many events the one connection of pool has fetched by way of an index.
func looked(t *testing.T, pool *pgxpool.Pool, schema string) (n int) {
	t.Helper()
	err := pool.QueryRow(t.Context(), `SELECT sum(coalesce(pg_stat_get_tuples_fetched(o), 0) + coalesce(pg_stat_get_xact_tuples_fetched(o), 0))
		FROM (SELECT indexrelid AS o FROM pg_index WHERE indrelid = to_regclass($1) UNION ALL SELECT to_regclass($1)) i`, schema+".events").Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
