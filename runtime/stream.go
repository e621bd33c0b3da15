package runtime

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Stream is a typed stream: the events of one id of a family. It is a small value,
// safe for concurrent use as far as its store is. Get one from [Family.Stream].
type Stream[ID, E any] struct {
	family   *Family[ID, E]
	db       store.Streams
	id       ID
	name     string
	settings settings
	// err is why the stream cannot be used.
	err error
}

// With returns a copy of the stream whose later calls have these settings, in
// addition to those that it has.
func (s Stream[ID, E]) With(settings ...Setting) Stream[ID, E] {
	s.settings = s.settings.with(settings)
	return s
}

// Append adds events to the end of the stream, all or none, if the stream is at
// version expected, and returns where they are stored. When it returns nil, they
// are committed, or will be with the surrounding transaction.
//
// Errors: [*store.ConflictError] if the stream is at another version,
// [*store.StreamDeletedError] if it was softly deleted, [*EventError] if an event
// cannot be stored, [*store.DuplicateEventError] if given event ids are stored
// elsewhere, [*store.InvalidError] for no events, [*IDError] for an id that cannot
// name a stream, [*store.UnknownOutcomeError] if the store could not learn whether
// the events were committed. Except for the last nothing was stored.
func (s Stream[ID, E]) Append(ctx context.Context, expected store.Version, events ...E) (store.Appended, error) {
	if err := s.check(); err != nil {
		return store.Appended{}, err
	}
	if len(events) == 0 {
		return store.Appended{}, &store.InvalidError{What: "append to " + printable.Name(s.name), Reason: "no events; append at least one"}
	}
	if _, ok := s.db.(store.Store); s.settings.keyed && !ok {
		// A transaction or a unit of work tells of duplicate ids only at its
		// end, when it is too late to answer with the first time's numbers.
		if first, err := s.stored(ctx, 0, len(events)); err != nil || first.Duplicate {
			return first, err
		}
	}
	appended, err := s.append(ctx, expected, events)
	if s.settings.keyed && isOvertaken(err) {
		if first, readErr := s.stored(ctx, 0, len(events)); readErr == nil && first.Duplicate {
			return first, nil
		}
	}
	return appended, err
}

// append is Append without the search for a key.
func (s Stream[ID, E]) append(ctx context.Context, expected store.Version, events []E) (store.Appended, error) {
	encoded, err := s.family.encode(s.name, s.db.Format(), events)
	if err != nil {
		return store.Appended{}, err
	}
	if err := s.settings.apply(s.name, encoded); err != nil {
		return store.Appended{}, err
	}
	appended, err := s.db.Append(ctx, store.Batch{Stream: s.name, Expected: expected, Events: encoded})
	if err != nil {
		return store.Appended{}, err
	}
	if len(appended) != 1 {
		return store.Appended{}, fmt.Errorf("append to %s: the store answered one batch with %d results", printable.Name(s.name), len(appended))
	}
	return appended[0], nil
}

// stored looks for at least n events of the stream's key, from a version on. The
// result has Duplicate set if they are there.
func (s Stream[ID, E]) stored(ctx context.Context, from store.Version, n int) (store.Appended, error) {
	t := newTrace(s.settings.key, s.name)
	for r, err := range s.db.Read(ctx, store.Query{Stream: s.name, FromVersion: from}) {
		if errors.Is(err, store.ErrStreamNotFound) {
			break
		}
		if err != nil {
			return store.Appended{}, err
		}
		t.see(r)
	}
	if t.found < n {
		return store.Appended{}, nil
	}
	return t.appended, nil
}

// Read yields the events from version from on, in order; 0 and 1 are the
// beginning. An error is the last pair: a [*ReadError] for an event that this
// binary cannot read or upcast, which is never passed over, a [*store.StreamNotFoundError]
// if the stream has no events, a [*store.StreamDeletedError] if it was softly
// deleted, or an error of the store. What is no longer an event, because an upcaster
// or a retired name says so, is told to [OnSkip] and not yielded. Breaking out of the
// loop frees everything at once.
func (s Stream[ID, E]) Read(ctx context.Context, from store.Version) iter.Seq2[Recorded[ID, E], error] {
	return func(yield func(Recorded[ID, E], error) bool) {
		fail := func(err error) { yield(Recorded[ID, E]{}, err) }
		if err := s.check(); err != nil {
			fail(err)
			return
		}
		for r, err := range s.db.Read(ctx, store.Query{Stream: s.name, FromVersion: from}) {
			if err != nil {
				fail(err)
				return
			}
			e, isEvent, err := s.family.decode(r)
			if err != nil {
				fail(err)
				return
			}
			if !isEvent {
				s.settings.skip(r)
				continue
			}
			if !yield(Recorded[ID, E]{Meta: metaOf(s.id, r), Event: e}, nil) {
				return
			}
		}
	}
}

// check returns why the stream cannot be used.
func (s Stream[ID, E]) check() error {
	switch {
	case s.err != nil:
		return s.err
	case s.family == nil:
		return &store.InvalidError{What: "stream", Reason: "the zero Stream names none; get one from StreamOf"}
	}
	if err := s.settings.check(); err != nil {
		return fmt.Errorf("%s: %w", printable.Name(s.name), err)
	}
	return nil
}
