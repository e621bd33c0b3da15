package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// StreamInfo describes stream, or returns a [*store.StreamNotFoundError].
func (s *Store) StreamInfo(ctx context.Context, stream string) (store.StreamInfo, error) {
	if err := store.CheckStream(stream); err != nil {
		return store.StreamInfo{}, err
	}
	info := store.StreamInfo{Stream: stream}
	err := s.call(ctx, "describe "+printable.Name(stream), func(ctx context.Context, conn *pgx.Conn) error {
		var created pgtype.Timestamptz
		err := conn.QueryRow(ctx, s.sql.streamInfo, stream).Scan((*int64)(&info.Version), &created)
		info.Created = created.Time.UTC()
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return store.StreamInfo{}, &store.StreamNotFoundError{Stream: stream}
	}
	if err != nil {
		return store.StreamInfo{}, err
	}
	return info, nil
}
