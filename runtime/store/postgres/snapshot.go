package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// SaveSnapshot stores sn, unless one of a higher version is there.
func (o *operations) SaveSnapshot(ctx context.Context, sn store.Snapshot) error {
	return o.observed.Do(ctx, store.OperationSaveSnapshot, sn.Stream, func(ctx context.Context) error {
		return o.saveSnapshot(ctx, sn)
	})
}

func (o *operations) saveSnapshot(ctx context.Context, sn store.Snapshot) error {
	sn, err := store.PrepareSnapshot(o.s.config.Now(), sn)
	if err != nil {
		return err
	}
	data, json := encodeData(sn.Format, sn.Data)
	return o.call(ctx, "save snapshot of "+printable.Name(sn.Stream), func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, o.s.sql.snapshotSave, sn.Stream, int64(sn.Version), sn.Time,
			int32(sn.Revision), sn.Type, string(sn.Format), data, json, encodeText(sn.Metadata))
		return err
	})
}

// LoadSnapshot returns the snapshot of stream, or a [*store.SnapshotNotFoundError].
func (o *operations) LoadSnapshot(ctx context.Context, stream string) (sn store.Snapshot, err error) {
	err = o.observed.Do(ctx, store.OperationLoadSnapshot, stream, func(ctx context.Context) error {
		sn, err = o.loadSnapshot(ctx, stream)
		return err
	})
	return sn, err
}

func (o *operations) loadSnapshot(ctx context.Context, stream string) (store.Snapshot, error) {
	if err := store.CheckStream(stream); err != nil {
		return store.Snapshot{}, err
	}
	sn := store.Snapshot{Stream: stream}
	err := o.call(ctx, "load snapshot of "+printable.Name(stream), func(ctx context.Context, conn *pgx.Conn) error {
		var data, json, metadata []byte
		var at pgtype.Timestamptz
		err := conn.QueryRow(ctx, o.s.sql.snapshotLoad, stream).Scan((*int64)(&sn.Version), &at, &sn.Revision,
			&sn.Type, (*string)(&sn.Format), &data, &json, &metadata)
		if sn.Data = data; json != nil {
			sn.Data = json
		}
		sn.Metadata, sn.Time = metadata, at.Time.UTC()
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return store.Snapshot{}, &store.SnapshotNotFoundError{Stream: stream}
	}
	if err != nil {
		return store.Snapshot{}, err
	}
	return sn, nil
}

// DeleteSnapshot removes the snapshot of stream. None is no error.
func (o *operations) DeleteSnapshot(ctx context.Context, stream string) error {
	return o.observed.Do(ctx, store.OperationDeleteSnapshot, stream, func(ctx context.Context) error {
		return o.deleteSnapshot(ctx, stream)
	})
}

func (o *operations) deleteSnapshot(ctx context.Context, stream string) error {
	if err := store.CheckStream(stream); err != nil {
		return err
	}
	return o.call(ctx, "delete snapshot of "+printable.Name(stream), func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, o.s.sql.snapshotDelete, stream)
		return err
	})
}
