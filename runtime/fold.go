package runtime

import (
	"context"
	"errors"

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
// [Stream.Read]; state and version are zero then.
func Load[S, ID, E any](ctx context.Context, s Stream[ID, E], apply func(*S, E)) (S, store.Version, error) {
	return load(ctx, s, apply, nil)
}

// load also shows every event to t, unless that is nil.
func load[S, ID, E any](ctx context.Context, s Stream[ID, E], apply func(*S, E), t *trace) (S, store.Version, error) {
	var state, none S
	at := store.NoStream
	if err := s.check(); err != nil {
		return none, 0, err
	}
	for r, err := range s.db.Read(ctx, store.Query{Stream: s.name}) {
		if at == store.NoStream && errors.Is(err, store.ErrStreamNotFound) {
			return none, 0, nil
		}
		if err != nil {
			return none, 0, err
		}
		e, isEvent, err := s.family.decode(r)
		if err != nil {
			return none, 0, err
		}
		if t != nil {
			t.see(r)
		}
		if at = r.Version; !isEvent {
			s.settings.skip(r)
			continue
		}
		apply(&state, e)
	}
	if at == store.NoStream {
		var err error
		if at, err = emptied(ctx, s.db, s.name); err != nil {
			return none, 0, err
		}
	}
	return state, at, nil
}
