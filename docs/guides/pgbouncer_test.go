//go:build unix

package guides_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/internal/pages"
	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func TestThroughPgBouncer(t *testing.T) {
	t.Parallel()
	settings := make(map[string]string)
	for line := range strings.Lines(pages.Open(t, "docs/pgbouncer.md").Section("Configure it").Blocks("ini")[0]) {
		key, value, _ := strings.Cut(line, " = ")
		settings[key] = strings.TrimSpace(value)
	}
	bouncer := pgtest.StartBouncer(t, database(t), settings)
	// pgx's default, as a connection string has it that says nothing.
	dsn := strings.ReplaceAll(bouncer.URL(), "default_query_exec_mode=exec&", "")
	if dsn == bouncer.URL() {
		t.Fatalf("%s says nothing of the mode", dsn)
	}
	if err := throughPgBouncer(t, t.Context(), dsn); err != nil {
		t.Error(err)
	}

	config, err := pgxpool.ParseConfig(bouncer.URL())
	check(t, err)
	config.ConnConfig.RuntimeParams["statement_timeout"] = "30s"
	refused, err := pgxpool.NewWithConfig(t.Context(), config)
	check(t, err)
	defer refused.Close()
	if err := refused.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "statement_timeout") {
		t.Errorf("PgBouncer took a parameter at connecting: %v", err)
	}
}

func throughPgBouncer(t *testing.T, ctx context.Context, dsn string) error {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return err
	}
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	db, err := postgres.New(pool, postgres.Config{})
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	committed, err := postgres.InTx(ctx, db, func(ctx context.Context, _ pgx.Tx, s *postgres.Tx) error {
		_, err := bank.StreamOf(s, "a-17").Append(ctx, store.NoStream, bank.AccountOpened{Owner: "Ada"})
		return err
	})
	if err != nil || len(committed) != 1 || committed[0].First != 1 {
		t.Errorf("%+v, %v", committed, err)
	}
	if built, err := db.AddIndex(ctx, postgres.ByType); err != nil || !built {
		t.Errorf("built %t, %v", built, err)
	}
	if _, err := db.Doctor(ctx); err != nil {
		t.Error(err)
	}
	_, err = bank.StreamOf(db, "a-17").Execute(ctx, bank.Deposit(5_00))
	return err
}

// TestARoleHasItsTimeout runs the page's statement for a role of the test's.
func TestARoleHasItsTimeout(t *testing.T) {
	t.Parallel()
	_, pool := open(t)
	role := pgtest.Schema(t) + "_app"
	execute(t, pool, "CREATE ROLE "+role+" LOGIN")
	t.Cleanup(func() { dropRole(t, role) })
	execute(t, pool, strings.ReplaceAll(sqlOf(t, "pgbouncer", "Tell pgx")[0], "bank_app", role))
	config := pool.Config()
	config.ConnConfig.User = role
	as, err := pgxpool.NewWithConfig(t.Context(), config)
	check(t, err)
	defer as.Close()
	if got := rows(t, as, "SHOW statement_timeout"); len(got) != 1 || got[0] != "30s" {
		t.Errorf("the role's timeout is %q", got)
	}
}

func dropRole(t *testing.T, role string) {
	t.Helper()
	// The test's context and pools have ended.
	conn, err := pgx.Connect(context.Background(), pgtest.URL(t))
	check(t, err)
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), "DROP ROLE "+role); err != nil {
		t.Error(err)
	}
}
