package postgres_test

import (
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestParkedEventsAreCountedOncePerSubscription, not once per lane: who waits for a
// subscription asks several times a second.
func TestParkedEventsAreCountedOncePerSubscription(t *testing.T) {
	t.Parallel()
	s := open(t)
	if _, err := s.Subscriptions().Open(t.Context(), store.Subscription{Name: "s", Lanes: make([]store.Lane, 64)}); err != nil {
		t.Fatal(err)
	}
	for file, args := range map[string][]any{"subscription_find": {"s"}, "subscription_list": {"", int32(10)}} {
		text, err := os.ReadFile("sql/" + file + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		statement := "EXPLAIN (ANALYZE, TIMING off, COSTS off) " + strings.ReplaceAll(string(text), "esgen.", postgres.SchemaOf(s)+".")
		rows, err := pgtest.Pool(t).Query(t.Context(), statement, append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		counted := 0
		for _, line := range plan {
			if strings.Contains(line, "on parked p") {
				counted++
				if !strings.Contains(line, "loops=1)") {
					t.Errorf("%s counts again and again: %s", file, strings.TrimSpace(line))
				}
			}
		}
		if counted != 1 {
			t.Errorf("%s: nothing counts what is parked:\n%s", file, strings.Join(plan, "\n"))
		}
	}
}
