package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
)

// Snapshot is a stored state: what a fold over a stream gave at a version.
type Snapshot struct {
	// Stream is a name as in [Batch]; it need not have events.
	Stream string
	// Version of the last event that the state knows, at least 1.
	Version Version
	// Type and Revision name the state's type and shape, within the bounds of
	// an [Event]'s. Revision defaults to 1.
	Type     string
	Revision int
	// Format of Data. Required.
	Format Format
	// Data and Metadata are checked and bounded as those of an [Event] are.
	Data     []byte
	Metadata Metadata
	// Time has microsecond precision, in years 1 to 9999. Defaults to the
	// store's clock.
	Time time.Time
}

// Snapshots is implemented by stores that keep one snapshot per stream.
type Snapshots interface {
	// SaveSnapshot stores s as the snapshot of its stream, unless a snapshot of
	// a higher version is stored already: that one stays, and the result is nil.
	// It returns an [*InvalidError] for what [PrepareSnapshot] refuses.
	SaveSnapshot(ctx context.Context, s Snapshot) error
	// LoadSnapshot returns the snapshot of stream, or a [*SnapshotNotFoundError],
	// or an [*InvalidError] if nothing can have that name.
	LoadSnapshot(ctx context.Context, stream string) (Snapshot, error)
	// DeleteSnapshot removes the snapshot of stream. None is no error, but a name
	// that nothing can have is an [*InvalidError].
	DeleteSnapshot(ctx context.Context, stream string) error
}

// PrepareSnapshot checks s and returns it with a revision and with a time of at
// most microsecond precision in UTC. Every store calls it first, so that all take
// and refuse the same. Data and metadata are not copied. The error is an
// [*InvalidError]; nothing is stored then.
func PrepareSnapshot(now time.Time, s Snapshot) (Snapshot, error) {
	if err := CheckStream(s.Stream); err != nil {
		return Snapshot{}, err
	}
	invalid := func(reason string) error {
		return &InvalidError{What: "snapshot of " + printable.Name(s.Stream), Reason: reason}
	}
	if s.Version < 1 {
		return Snapshot{}, invalid(fmt.Sprintf("version %d, which no event has; versions begin at 1", int64(s.Version)))
	}
	// Its content is bounded as an event's, which would get an id if it had none.
	e := Event{
		ID: uuid.Max, Type: s.Type, Revision: s.Revision,
		Format: s.Format, Data: s.Data, Metadata: s.Metadata, Time: s.Time,
	}
	if err := prepareEvent(&e, now, cause{}, nil); err != nil {
		return Snapshot{}, invalid(err.Error())
	}
	s.Revision, s.Metadata, s.Time = e.Revision, e.Metadata, e.Time
	return s, nil
}
