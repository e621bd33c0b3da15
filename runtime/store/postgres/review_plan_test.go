package postgres_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

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
	removed := regexp.MustCompile(`Rows Removed by \w+: (\d+)`)
	for _, last := range []int{10, 1_000, 10_000, 60_000} {
		since := began.Add(time.Duration(n-last) * time.Second)
		// What read_range.sql asks first, planned, as there, for these times.
		rows, err := pool.Query(t.Context(), fmt.Sprintf(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT min(e.position) FROM %s.events e
			WHERE e.position IS NOT NULL AND e.time >= '%s' AND e.time < 'infinity'`, schema, since.Format(time.RFC3339)))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range removed.FindAllStringSubmatch(strings.Join(plan, "\n"), -1) {
			if looked, _ := strconv.Atoi(m[1]); looked > n/2 {
				t.Errorf("looked at %d events of %d to find the first of the last %d:\n%s", looked, n, last, strings.Join(plan, "\n"))
			}
		}
	}
}
