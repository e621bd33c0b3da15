package runtime

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// Fold returns the state that events lead to, from the zero S.
func Fold[S, E any](apply func(*S, E), events ...E) S {
	var state S
	for _, e := range events {
		apply(&state, e)
	}
	return state
}

// Load folds the stream and returns the state with the stream's version. A stream
// without events gives the zero S and version 0, which is [store.NoStream]; one that
// was truncated gives what the events lead to that were left. Errors are those of
// [Stream.Read]; state and version are zero then. With [SnapshotEvery] not all events
// need be read.
func Load[S, ID, E any](ctx context.Context, s Stream[ID, E], apply func(*S, E)) (S, store.Version, error) {
	return load(ctx, s, apply, nil)
}

// load also shows every event to t, unless that is nil.
//
// With a snapshot it reads from the event that the snapshot ends with, so that this
// one's id tells whether the stream is still the one of which it was taken.
func load[S, ID, E any](ctx context.Context, s Stream[ID, E], apply func(*S, E), t *trace) (S, store.Version, error) {
	var none S
	if err := s.check(); err != nil {
		return none, 0, err
	}
	use, usable, err := s.snapshotting()
	if err != nil {
		return none, 0, err
	}
	l := loading[S, ID, E]{stream: s, apply: apply, trace: t}
	if usable {
		if l.from, l.first = loadSnapshot(ctx, s, use, &l.state); l.from > store.NoStream {
			if err = l.read(ctx); err == nil && l.stale {
				s.settings.tell(Snapshot{Stream: s.name, Version: l.from, Stale: "the event that it ends with is not there"})
				l = loading[S, ID, E]{stream: s, apply: apply, trace: t}
			} else if err == nil {
				s.settings.tell(Snapshot{Stream: s.name, Version: l.from})
			}
		}
	}
	if err == nil && l.from == store.NoStream {
		err = l.read(ctx)
	}
	if err != nil {
		return none, 0, err
	}
	if usable && l.folded >= use.every {
		saveSnapshot(ctx, s, use, l.state, l.at, l.last)
	}
	if l.at == store.NoStream {
		if l.absent {
			return none, 0, nil
		}
		if l.at, err = emptied(ctx, s.db, s.name); err != nil {
			return none, 0, err
		}
	}
	return l.state, l.at, nil
}

// loading is a fold under way.
type loading[S, ID, E any] struct {
	stream Stream[ID, E]
	apply  func(*S, E)
	trace  *trace

	state S
	// at is the version of the last event, and last its id.
	at   store.Version
	last uuid.UUID
	// folded counts the events since the snapshot.
	folded int
	// from and first are the version and the id of the event that a snapshot ends
	// with.
	from  store.Version
	first uuid.UUID
	// stale: that event is not there. absent: the stream is not.
	stale, absent bool
}

// read folds the events, from the one that a snapshot ends with.
func (l *loading[S, ID, E]) read(ctx context.Context) error {
	s := l.stream
	for r, err := range s.db.Read(ctx, store.Query{Stream: s.name, FromVersion: l.from}) {
		if l.at == store.NoStream && errors.Is(err, store.ErrStreamNotFound) {
			l.absent, l.stale = true, true
			return nil
		}
		if err != nil {
			return err
		}
		if l.at == store.NoStream && l.from > store.NoStream {
			if r.Version != l.from || r.ID != l.first {
				l.stale = true
				return nil
			}
			l.at, l.last = r.Version, r.ID
			continue
		}
		e, isEvent, err := s.family.decode(r)
		if err != nil {
			return err
		}
		if l.trace != nil {
			l.trace.see(r)
		}
		l.folded++
		if l.at, l.last = r.Version, r.ID; !isEvent {
			s.settings.skip(r)
			continue
		}
		l.apply(&l.state, e)
	}
	l.stale = l.at == store.NoStream
	return nil
}
