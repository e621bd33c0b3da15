package runtime

import (
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// Meta tells which stream an event belongs to, and where and when it was stored.
type Meta[ID any] struct {
	// ID is the stream's id within its family.
	ID ID
	// EventID is unique in the store.
	EventID uuid.UUID
	// Stream and Version are the place in the stream being read. The first
	// version is 1.
	Stream  string
	Version store.Version
	// Position is the place in $all: from 1, or 0 as long as the surrounding
	// transaction is not committed.
	Position store.Position
	// Type and Revision name the stored shape.
	Type     string
	Revision int
	// Time in UTC, with microsecond precision.
	Time time.Time
	// Correlation groups all that follows from one beginning, Causation is the
	// event that this one answers. [uuid.Nil] means none.
	Correlation, Causation uuid.UUID
	// Metadata is a JSON object about the event, or empty.
	Metadata store.Metadata
	// OriginalStream and OriginalVersion are where the event was appended. They
	// differ from Stream and Version only in a stream of links.
	OriginalStream  string
	OriginalVersion store.Version
	// Format in which the event is stored.
	Format store.Format
}

// Recorded is an event with its [Meta].
type Recorded[ID, E any] struct {
	Meta[ID]
	Event E
}

func metaOf[ID any](id ID, r store.Recorded) Meta[ID] {
	return Meta[ID]{
		ID:              id,
		EventID:         r.ID,
		Stream:          r.Stream,
		Version:         r.Version,
		Position:        r.Position,
		Type:            r.Type,
		Revision:        r.Revision,
		Time:            r.Time,
		Correlation:     r.Correlation,
		Causation:       r.Causation,
		Metadata:        r.Metadata,
		OriginalStream:  r.OriginalStream,
		OriginalVersion: r.OriginalVersion,
		Format:          r.Format,
	}
}
