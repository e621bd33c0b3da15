package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// SaveSnapshot stores sn, unless one of a higher version is there.
func (s *Store) SaveSnapshot(ctx context.Context, sn store.Snapshot) error {
	return s.observed.Do(ctx, store.OperationSaveSnapshot, sn.Stream, func(ctx context.Context) error {
		return s.saveSnapshot(ctx, sn)
	})
}

func (s *Store) saveSnapshot(ctx context.Context, sn store.Snapshot) error {
	sn, err := store.PrepareSnapshot(s.config.Now(), sn)
	if err != nil {
		return err
	}
	op := "save snapshot of " + printable.Name(sn.Stream)
	ctx, cancel, err := s.begin(ctx, op)
	if err != nil {
		return err
	}
	defer cancel()
	var metadata any
	if len(sn.Metadata) > 0 {
		metadata = string(sn.Metadata)
	}
	if sn.Data == nil {
		sn.Data = []byte{}
	}
	return s.change(ctx, op, func(t *tx) error { //nolint:contextcheck // a flush is no caller's to interrupt
		t.exec(saveSnapshotSQL, sn.Stream, int64(sn.Version), sn.Type, sn.Revision, string(sn.Format),
			sn.Time.UnixMicro(), metadata, sn.Data)
		return nil
	})
}

// LoadSnapshot returns the snapshot of stream, or a [*store.SnapshotNotFoundError].
func (s *Store) LoadSnapshot(ctx context.Context, stream string) (sn store.Snapshot, err error) {
	err = s.observed.Do(ctx, store.OperationLoadSnapshot, stream, func(ctx context.Context) error {
		sn, err = s.loadSnapshot(ctx, stream)
		return err
	})
	return sn, err
}

func (s *Store) loadSnapshot(ctx context.Context, stream string) (store.Snapshot, error) {
	if err := store.CheckStream(stream); err != nil {
		return store.Snapshot{}, err
	}
	op := "load snapshot of " + printable.Name(stream)
	ctx, cancel, err := s.begin(ctx, op)
	if err != nil {
		return store.Snapshot{}, err
	}
	defer cancel()
	sn := store.Snapshot{Stream: stream}
	var micros int64
	err = s.base.row(ctx, loadSnapshotSQL, []any{stream}, &sn.Version, &sn.Type, &sn.Revision, &sn.Format,
		&micros, (*[]byte)(&sn.Metadata), &sn.Data)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Snapshot{}, &store.SnapshotNotFoundError{Stream: stream}
	case err != nil:
		return store.Snapshot{}, interpret(store.Ended(ctx, ""), s.file, op, err)
	}
	sn.Time = instant(micros)
	return sn, nil
}

// DeleteSnapshot removes the snapshot of stream. None is no error.
func (s *Store) DeleteSnapshot(ctx context.Context, stream string) error {
	return s.observed.Do(ctx, store.OperationDeleteSnapshot, stream, func(ctx context.Context) error {
		return s.deleteSnapshot(ctx, stream)
	})
}

func (s *Store) deleteSnapshot(ctx context.Context, stream string) error {
	if err := store.CheckStream(stream); err != nil {
		return err
	}
	op := "delete snapshot of " + printable.Name(stream)
	ctx, cancel, err := s.begin(ctx, op)
	if err != nil {
		return err
	}
	defer cancel()
	return s.change(ctx, op, func(t *tx) error { //nolint:contextcheck // a flush is no caller's to interrupt
		t.exec(deleteSnapshotSQL, stream)
		return nil
	})
}
