package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/internal/borrowed"
)

// Subscriptions returns where subscriptions are kept.
func (s *Store) Subscriptions() store.Subscriptions {
	return borrowed.Subscriptions{With: func(ctx context.Context, op string, f func(*store.Ledger) error) error {
		var answer error
		err := s.call(ctx, op+" subscription", func(ctx context.Context, conn *pgx.Conn) error {
			tx, err := conn.Begin(ctx)
			if err != nil {
				return err
			}
			defer rollback(ctx, tx)
			if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext($1))", s.schema); err != nil {
				return err
			}
			var text string
			err = tx.QueryRow(ctx, "SELECT settings FROM "+s.schema+".subscriptions WHERE name = '$ledger'").Scan(&text)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			kept, err := borrowed.Decode(text)
			if err != nil {
				return err
			}
			l := store.NewLedger(kept, s.config.Now, nil)
			if answer = f(l); answer != nil && !errors.Is(answer, store.ErrFenced) {
				return nil
			}
			if text, err = borrowed.Encode(l); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "INSERT INTO "+s.schema+".subscriptions (name, settings, at, updated) VALUES ('$ledger', $1, 0, now()) ON CONFLICT (name) DO UPDATE SET settings = $1", text); err != nil {
				return err
			}
			return tx.Commit(ctx)
		})
		if err != nil {
			answer = nil
			return err
		}
		return answer
	}}
}
