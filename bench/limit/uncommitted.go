package limit

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Uncommitted leaves in tx what an append there leaves until it commits: a new
// stream that others must not use, and an event without a position.
func (l *Log) Uncommitted(ctx context.Context, tx pgx.Tx) error {
	var stream int64
	sql := fmt.Sprintf("INSERT INTO %s.streams (name, category, version, created) VALUES ('open', 'open', 1, now()) RETURNING stream_id", l.schema)
	if err := tx.QueryRow(ctx, sql).Scan(&stream); err != nil {
		return err
	}
	e, err := l.event(0, stream, 1)
	if err != nil {
		return err
	}
	values := l.values(e)
	values[0] = nil
	_, err = tx.Exec(ctx, l.insert(), values...)
	return err
}
