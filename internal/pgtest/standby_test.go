//go:build unix

package pgtest_test

import (
	"strings"
	"testing"

	"github.com/esgen/esgen/internal/pgtest"
)

func TestAStandbyFollowsAndRefuses(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t, pgtest.Options{})
	if _, err := primary.Pool(t).Exec(t.Context(), "CREATE TABLE t (i int); INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	standby := primary.Standby(t)
	if _, err := primary.Pool(t).Exec(t.Context(), "INSERT INTO t VALUES (2)"); err != nil {
		t.Fatal(err)
	}
	standby.AwaitReplay(primary)
	pool := standby.Pool(t)
	var rows int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM t").Scan(&rows); err != nil || rows != 2 {
		t.Errorf("the standby has %d rows, %v", rows, err)
	}
	if _, err := pool.Exec(t.Context(), "INSERT INTO t VALUES (3)"); err == nil || !strings.Contains(err.Error(), "25006") {
		t.Errorf("the standby takes rows: %v", err)
	}
}
