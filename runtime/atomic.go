package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Atomic runs work and then stores all that work has appended through s, to
// however many streams, or nothing. It returns one [store.Appended] per stream, in
// the order of their first append; none if work appended nothing.
//
// Within work, s reads through db and sees its own appends; their versions are
// known, their positions are 0, and reads of $all and of categories do not show
// them yet. Typed streams work as ever: bank.StreamOf(s, id).Execute(ctx, …). s is
// safe for concurrent use and ends with work.
//
// Every stream that work appends to at a version, as Execute does, must at the end
// be where work found it, else work runs again as a whole, from new reads, after a
// random pause and as often as [Retries] allows; work must therefore have no
// effects of its own. Not checked are streams that work only reads, and those that
// it appends to by [store.Any] or [store.StreamExists] alone: the versions that
// work is told of these may be taken by others, those returned by Atomic hold. An
// error of work is returned as it is and stores nothing. ctx of work is that of
// Atomic.
//
// More than one stream needs a store that declares [store.SeveralStreams]. Errors:
// those of [store.Streams], except that conflicts end in a [*RetriesError]. The
// settings are [Retries] and [OnRetry]; others belong to the streams inside.
func Atomic(ctx context.Context, db store.Streams, work func(ctx context.Context, s store.Streams) error, settings ...Setting) ([]store.Appended, error) {
	if db == nil || work == nil {
		return nil, &store.InvalidError{What: "atomic", Reason: "the store or work is nil"}
	}
	set := defaults().with(settings)
	if err := set.onlyRetries(); err != nil {
		return nil, fmt.Errorf("atomic: %w", err)
	}
	var twice uuid.UUID
	for attempt := 1; ; attempt++ {
		batches, err := collect(ctx, db, work)
		if err != nil || len(batches) == 0 {
			return nil, err
		}
		appended, err := db.Append(ctx, batches...)
		if err == nil {
			return appended, nil
		}
		var stream string
		if conflict, ok := errors.AsType[*store.ConflictError](err); ok {
			stream = conflict.Stream
		} else if duplicate, ok := errors.AsType[*store.DuplicateEventError](err); ok && duplicate.ID != twice {
			// A repeat of a keyed command was faster. Running again finds what
			// it has stored. Ids that were given would be the same again.
			stream, twice = duplicate.Stream, duplicate.ID
		} else {
			return nil, err
		}
		if err := set.pause(ctx, stream, attempt, err); err != nil {
			return nil, err
		}
	}
}

// collect runs work and returns what it has appended.
func collect(ctx context.Context, db store.Streams, work func(context.Context, store.Streams) error) ([]store.Batch, error) {
	u := &unit{db: db, pending: make(map[string]*pending)}
	defer u.end()
	if err := work(ctx, u); err != nil {
		return nil, err
	}
	batches := u.end()
	if len(batches) > 1 {
		declares, ok := db.(interface{ Capabilities() store.Capabilities })
		if ok && !declares.Capabilities().Has(store.SeveralStreams) {
			names := make([]string, len(batches))
			for i, b := range batches {
				names[i] = printable.Name(b.Stream)
			}
			return nil, &store.InvalidError{What: "atomic", Reason: fmt.Sprintf(
				"%d streams (%s) in one append, this store takes one", len(batches), strings.Join(names, ", "))}
		}
	}
	return batches, nil
}
