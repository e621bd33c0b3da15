package limit

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Insert inserts one row per call, prepared, with a commit of its own.
func (l *Log) Insert(ctx context.Context, c *pgx.Conn) (Op, error) {
	if _, err := c.Prepare(ctx, "insert", l.insert()); err != nil {
		return nil, err
	}
	return func(ctx context.Context) (int, error) {
		events, err := l.next(1)
		if err != nil {
			return 0, err
		}
		_, err = c.Exec(ctx, "insert", l.values(events[0])...)
		return 1, err
	}, nil
}

// InsertInTx inserts one row per call between BEGIN and COMMIT, as a program does
// that changes rows of its own with it.
func (l *Log) InsertInTx(ctx context.Context, c *pgx.Conn) (Op, error) {
	if _, err := c.Prepare(ctx, "insert", l.insert()); err != nil {
		return nil, err
	}
	return func(ctx context.Context) (int, error) {
		events, err := l.next(1)
		if err != nil {
			return 0, err
		}
		return 1, pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "insert", l.values(events[0])...)
			return err
		})
	}, nil
}
