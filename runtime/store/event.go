package store

import (
	"bytes"
	"time"

	"github.com/google/uuid"
)

// Bounds of what every store takes. [Prepare] refuses more.
const (
	// MaxStreamBytes bounds a stream name, in bytes of UTF-8.
	MaxStreamBytes = 1024
	// MaxNameBytes bounds event types, formats, and subscription names.
	MaxNameBytes = 255
	// MaxEventBytes bounds data and metadata of one event together.
	MaxEventBytes = 16 << 20
)

// Event is an event to append.
type Event struct {
	// ID is unique in the store; appending it again is detected. Defaults to a
	// new UUIDv7.
	ID uuid.UUID
	// Type is the stored name of the event's type: 1 to [MaxNameBytes] bytes.
	Type string
	// Revision of the type, from 1. Defaults to 1.
	Revision int
	// Format of Data. Required.
	Format Format
	// Data is the encoded payload. The store keeps a copy or does not keep it
	// beyond the call.
	Data []byte
	// Metadata is a JSON object about the event, or empty.
	Metadata Metadata
	// Correlation groups all that follows from one beginning, Causation is the
	// event that this one answers. Both default to what the context carries
	// (see [CausedBy]), else to none, [uuid.Nil].
	Correlation, Causation uuid.UUID
	// Time is when it happened, with microsecond precision, in years 1 to 9999.
	// Defaults to the store's clock.
	Time time.Time
}

// Batch is the events that one append adds to one stream.
type Batch struct {
	// Stream is the name: 1 to [MaxStreamBytes] bytes of UTF-8 without U+0000.
	// Names that begin with $ belong to the store.
	Stream string
	// Expected is the version that the stream must have, or [NoStream], [Any]
	// or [StreamExists].
	Expected Version
	// Events is at least one event, in order.
	Events []Event
}

// Record returns the events of b as they are stored behind version of their
// stream and behind position of $all, side by side in both. b comes from
// [Prepare]; the result shares no memory with it.
func (b Batch) Record(version Version, position Position) []Recorded {
	recorded := make([]Recorded, len(b.Events))
	for i, e := range b.Events {
		version, position = version+1, position+1
		recorded[i] = Recorded{
			Position: position,
			Stream:   b.Stream, Version: version,
			OriginalStream: b.Stream, OriginalVersion: version,
			ID: e.ID, Type: e.Type, Revision: e.Revision,
			Correlation: e.Correlation, Causation: e.Causation,
			Format: e.Format, Data: bytes.Clone(e.Data), Metadata: bytes.Clone(e.Metadata),
			Time: e.Time,
		}
	}
	return recorded
}

// Appended tells where a batch was stored.
type Appended struct {
	Stream string
	// Version of the stream after the batch: the version of its last event.
	Version Version
	// First and Last are the positions of the first and the last event. Both
	// are 0 as long as the surrounding transaction is not committed.
	First, Last Position
	// Duplicate tells that these event ids had been stored by an earlier call;
	// the numbers are those of that call. It is false as well if the reply to a
	// first try of this call was lost: nobody can tell then whether that try or an
	// earlier call has stored what is found.
	Duplicate bool
}

// Recorded is a stored event as it is read. Its names in JSON never change, so
// that a store may keep events so.
type Recorded struct {
	// Position in $all.
	Position Position `json:"position"`
	// Stream and Version are those of the stream being read; in reads of $all
	// and of categories, those of the stream the event was appended to.
	Stream  string  `json:"stream"`
	Version Version `json:"version"`
	// OriginalStream and OriginalVersion are where the event was appended.
	// They differ from Stream and Version only in a stream of links.
	OriginalStream  string  `json:"original_stream"`
	OriginalVersion Version `json:"original_version"`

	ID          uuid.UUID `json:"id"`
	Type        string    `json:"type"`
	Revision    int       `json:"revision"`
	Correlation uuid.UUID `json:"correlation"`
	Causation   uuid.UUID `json:"causation"`
	Format      Format    `json:"format"`
	// Data and Metadata belong to the receiver. In JSON they are base64.
	Data     []byte   `json:"data"`
	Metadata Metadata `json:"metadata"`
	// Time in UTC, with microsecond precision.
	Time time.Time `json:"time"`
}
