package guides_test

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func TestSchemasAndTenants(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), database(t))
	check(t, err)
	t.Cleanup(pool.Close)
	check(t, tenants(t, t.Context(), pool))
	if got := rows(t, pool, sqlOf(t, "tenants", "Reports over tenants")[0]); !slices.Equal(got, []string{"tenant_a | 2", "tenant_b | 1"}) {
		t.Errorf("the report says %q", got)
	}
	b, err := postgres.New(pool, postgres.Config{Schema: "tenant_b"})
	check(t, err)
	if got := positions(t, b); !slices.Equal(got, []store.Position{1}) {
		t.Errorf("the other tenant's positions are %d", got)
	}
	check(t, b.Drop(t.Context()))
	if names, err := postgres.Schemas(t.Context(), pool); err != nil || !slices.Equal(names, []string{"tenant_a"}) {
		t.Errorf("after the drop: %q, %v", names, err)
	}
}

func tenants(t *testing.T, ctx context.Context, pool *pgxpool.Pool) error {
	t.Helper()
	stores := make(map[string]*postgres.Store)
	for _, tenant := range []string{"tenant_a", "tenant_b"} {
		db, err := postgres.New(pool, postgres.Config{Schema: tenant})
		if err != nil {
			return err
		}
		if err := db.Migrate(ctx); err != nil {
			return err
		}
		stores[tenant] = db
	}
	names, err := postgres.Schemas(ctx, pool)
	if err != nil || !slices.Equal(names, []string{"tenant_a", "tenant_b"}) {
		t.Errorf("schemas %q, %v", names, err)
	}

	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	for _, db := range stores {
		if _, err := bank.StreamOf(db.WithTx(tx), "a-17").Append(ctx, store.NoStream, bank.AccountOpened{Owner: "Ada"}); err != nil {
			return err
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}

	a, err := bank.StreamOf(stores["tenant_a"], "a-17").Append(ctx, 1, bank.MoneyDeposited{Amount: 5_00})
	if err != nil || a.First != 2 {
		t.Errorf("%+v, %v", a, err)
	}
	return nil
}
