package memory

import (
	"bytes"
	"context"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// SaveSnapshot stores a copy of sn, unless one of a higher version is there.
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
	if err := store.Ended(ctx, "save snapshot of "+printable.Name(sn.Stream)); err != nil {
		return err
	}
	sn = ownSnapshot(sn)
	s.mu.Lock()
	defer s.mu.Unlock()
	if stored, ok := s.contents.snapshots[sn.Stream]; !ok || stored.Version <= sn.Version {
		s.contents.snapshots[sn.Stream] = sn
	}
	return nil
}

// LoadSnapshot returns a copy, or a [*store.SnapshotNotFoundError].
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
	if err := store.Ended(ctx, "load snapshot of "+printable.Name(stream)); err != nil {
		return store.Snapshot{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	sn, ok := s.contents.snapshots[stream]
	if !ok {
		return store.Snapshot{}, &store.SnapshotNotFoundError{Stream: stream}
	}
	return ownSnapshot(sn), nil
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
	if err := store.Ended(ctx, "delete snapshot of "+printable.Name(stream)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.contents.snapshots, stream)
	return nil
}

func ownSnapshot(sn store.Snapshot) store.Snapshot {
	sn.Data = bytes.Clone(sn.Data)
	sn.Metadata = bytes.Clone(sn.Metadata)
	return sn
}
