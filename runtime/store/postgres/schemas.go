package postgres

import (
	"context"
	_ "embed"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed sql/schemas.sql
var schemasSQL string

// Schemas returns the schemas of pool's database that hold a store, sorted, also
// those that are not migrated to this release or that the role may not use. A
// context without a deadline waits as long as it takes. The error is a
// [*store.UnavailableError].
func Schemas(ctx context.Context, pool *pgxpool.Pool) ([]string, error) {
	rows, err := pool.Query(ctx, schemasSQL)
	if err == nil {
		var names []string
		if names, err = pgx.CollectRows(rows, pgx.RowTo[string]); err == nil {
			return names, nil
		}
	}
	return nil, explainDatabase(ctx, "look for schemas that hold a store", err)
}
