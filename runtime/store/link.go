package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
)

// Linker is implemented by stores that can put one event into several streams.
type Linker interface {
	// Link puts references to stored events, in the order of ids, behind the
	// events of a stream, which it creates if need be. The references have
	// versions of that stream, without a gap; whoever reads it gets the events
	// with [Recorded.OriginalStream] and OriginalVersion as they were appended.
	// $all and categories show no references. A stream may hold both references
	// and events of its own.
	//
	// All ids are linked or none. Appended has no positions, for references have
	// none. expected is as in [Streams].
	//
	// Errors: [*ConflictError], [*StreamDeletedError]; [*EventNotFoundError] with
	// every id that is not stored; [*DuplicateEventError] if the stream holds one
	// of the events already; [*InvalidError] for no ids, an id that stands twice,
	// or a name that no stream can have; [*UnavailableError];
	// [*UnknownOutcomeError] without batches if the reply was lost and the store
	// could not ask: the stream shows what happened.
	Link(ctx context.Context, stream string, expected Version, ids ...uuid.UUID) (Appended, error)
}

// CheckLink returns an [*InvalidError] for a call of [Linker.Link] that no store
// takes.
func CheckLink(stream string, expected Version, ids []uuid.UUID) error {
	if err := CheckStream(stream); err != nil {
		return err
	}
	invalid := func(format string, args ...any) error {
		return &InvalidError{What: "link to " + printable.Name(stream), Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case expected < StreamExists:
		return invalid("expected version %d has no meaning", int64(expected))
	case len(ids) == 0:
		return invalid("no event ids; link at least one event")
	}
	seen := make(map[uuid.UUID]int, len(ids))
	for i, id := range ids {
		if j, again := seen[id]; again {
			return invalid("id %s stands twice, at %d and %d of %d", id, j+1, i+1, len(ids))
		}
		seen[id] = i
	}
	return nil
}
