package store

import (
	"context"
	"time"
)

// Snapshot is a stored state: what a fold over a stream gave at a version.
type Snapshot struct {
	Stream  string
	Version Version
	// Type and Revision name the state's type and shape.
	Type     string
	Revision int
	Format   Format
	Data     []byte
	Metadata Metadata
	// Time defaults to the store's clock.
	Time time.Time
}

// Snapshots is implemented by stores that keep one snapshot per stream.
type Snapshots interface {
	// SaveSnapshot stores s as the snapshot of its stream, unless a snapshot of
	// a higher version is stored already: that one stays, and the result is nil.
	SaveSnapshot(ctx context.Context, s Snapshot) error
	// LoadSnapshot returns the snapshot of stream, or a [*SnapshotNotFoundError].
	LoadSnapshot(ctx context.Context, stream string) (Snapshot, error)
	// DeleteSnapshot removes the snapshot of stream. None is no error.
	DeleteSnapshot(ctx context.Context, stream string) error
}
