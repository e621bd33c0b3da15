package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// StreamInfo describes stream, or returns a [*store.StreamNotFoundError].
func (s *Store) StreamInfo(ctx context.Context, stream string) (store.StreamInfo, error) {
	if err := store.CheckStream(stream); err != nil {
		return store.StreamInfo{}, err
	}
	op := "describe " + printable.Name(stream)
	ctx, cancel, err := s.begin(ctx, op)
	if err != nil {
		return store.StreamInfo{}, err
	}
	defer cancel()
	info, err := s.describe(ctx, stream)
	if err != nil && !errors.Is(err, store.ErrStreamNotFound) {
		err = interpret(store.Ended(ctx, ""), s.file, op, err)
	}
	return info, err
}

func (s *Store) describe(ctx context.Context, stream string) (store.StreamInfo, error) {
	var id, created int64
	var category *int64
	var version *store.Version
	err := s.base.row(ctx, streamSQL, []any{stream}, &id, &category, &created, &version)
	if errors.Is(err, sql.ErrNoRows) || err == nil && version == nil {
		return store.StreamInfo{}, &store.StreamNotFoundError{Stream: stream}
	}
	if err != nil {
		return store.StreamInfo{}, err
	}
	return store.StreamInfo{Stream: stream, Version: *version, Created: time.UnixMicro(created).UTC()}, nil
}
