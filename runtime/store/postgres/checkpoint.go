package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Checkpoints returns where subscriptions keep how far they have come.
func (s *Store) Checkpoints() store.Checkpoints { return checkpoints{s} }

type checkpoints struct{ s *Store }

// Open returns the stored checkpoint, or stores c.
func (k checkpoints) Open(ctx context.Context, c store.Checkpoint) (store.Checkpoint, error) {
	if err := c.Check(); err != nil {
		return store.Checkpoint{}, err
	}
	var stored store.Checkpoint
	err := k.s.call(ctx, "open checkpoint "+printable.Name(c.Name), func(ctx context.Context, conn *pgx.Conn) (err error) {
		stored, err = k.find(ctx, conn, c.Name)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if _, err := conn.Exec(ctx, k.s.sql.checkpointInsert, c.Name, c.Settings, int64(c.At), k.s.now()); err != nil {
			return err
		}
		// Of concurrent calls one has stored its own.
		stored, err = k.find(ctx, conn, c.Name)
		return err
	})
	return stored, err
}

func (k checkpoints) find(ctx context.Context, conn *pgx.Conn, name string) (store.Checkpoint, error) {
	c := store.Checkpoint{Name: name}
	var updated pgtype.Timestamptz
	err := conn.QueryRow(ctx, k.s.sql.checkpointFind, name).Scan(&c.Settings, &c.At, &updated)
	c.Time = updated.Time.UTC()
	return c, err
}

// Advance moves a checkpoint that is at from.
func (k checkpoints) Advance(ctx context.Context, name string, from, to uint64) error {
	if err := store.CheckAdvance(name, from, to); err != nil {
		return err
	}
	var moved *store.CheckpointError
	err := k.s.call(ctx, "advance checkpoint "+printable.Name(name), func(ctx context.Context, conn *pgx.Conn) error {
		moved = nil
		tag, err := conn.Exec(ctx, k.s.sql.checkpointAdvance, name, int64(from), int64(to), k.s.now())
		if err != nil || tag.RowsAffected() > 0 {
			return err
		}
		// A second statement: the first may have waited for somebody's move.
		stored, err := k.find(ctx, conn, name)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			moved = &store.CheckpointError{Name: name, From: from, To: to, Missing: true}
		case err != nil:
			return err
		case stored.At != to:
			moved = &store.CheckpointError{Name: name, From: from, To: to, Actual: stored.At}
		}
		return nil
	})
	if err == nil && moved != nil {
		return moved
	}
	return err
}
