package store

import (
	"context"
	"iter"
)

// Streams appends and reads events. A store is one, and so is a transaction or
// a unit of work that collects appends. All methods are safe for concurrent use
// unless the implementation says otherwise.
type Streams interface {
	// Format is the format in which new payloads are to be encoded. Stored
	// events carry their own and stay readable when this one changes.
	Format() Format

	// Append stores all events of all batches, or none, and returns one
	// [Appended] per batch in the same order. When it returns nil, the events
	// are committed.
	//
	// Events whose ids are all stored already at the place where this append
	// would have put them are a success with Duplicate set, also if the stream was
	// softly deleted since; that makes a retry safe. A store that does not declare [SeveralStreams] refuses a call with
	// several batches.
	//
	// Errors: [*ConflictError] if a stream is not at the expected version,
	// [*StreamDeletedError] before that if it is softly deleted,
	// [*DuplicateEventError] if an event id is stored elsewhere,
	// [*InvalidError] for input that no store takes, [*UnknownOutcomeError] if
	// the store could not learn whether the events were committed. After any
	// other error nothing was stored.
	//
	// A context without a deadline gets the store's default timeout.
	Append(ctx context.Context, batches ...Batch) ([]Appended, error)

	// Read yields the events that q selects, in its order. An error is the last
	// pair of the sequence. Events that are committed while a forward read is
	// under way may or may not be yielded; a backward read ends with the events
	// that were there when it began. Reading pages through the store: it holds
	// no transaction and no connection between pages, and breaking out of the
	// loop frees everything at once.
	//
	// Errors: [*StreamNotFoundError] if q names a stream that has no events,
	// [*StreamDeletedError] if it is softly deleted, also under way if the rest can
	// no longer be read, [*InvalidError] if q contradicts itself. A stream of which
	// removals have left nothing yields nothing, and no error.
	//
	// A context without a deadline gets the store's default timeout for each
	// page, not for the whole sequence.
	Read(ctx context.Context, q Query) iter.Seq2[Recorded, error]
}

// Store is what a subscription needs. Six methods make a store; package storetest
// tells whether it is one.
type Store interface {
	Streams

	// Subscriptions returns where subscriptions are kept: the same for the life of
	// the store.
	Subscriptions() Subscriptions

	// Local returns what the parts of this process share who use this store: the
	// same for the life of the store. The store rings it after commit.
	Local() *Local

	// Capabilities declares the optional promises that this store keeps.
	// The result is the same for the life of the store.
	Capabilities() Capabilities
}
