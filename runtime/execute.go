package runtime

import (
	"context"
	"errors"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Execute loads the stream, lets decide choose events by the state that they have
// led to, and appends those at exactly the version that was loaded. If somebody
// else has appended meanwhile, it pauses for a random moment, loads and decides
// again, as often as [Retries] allows; decide must therefore have no effects of its
// own.
//
// If decide returns no events, nothing is appended and the result holds the
// stream's current version. An error of decide is returned as it is. With a [Key]
// that the stream holds already, decide is not called and the result has Duplicate
// set.
//
// Errors: those of [Stream.Read] and [Stream.Append], except that conflicts end in
// a [*RetriesError]. Without a deadline in ctx each call to the store gets the
// store's timeout.
func Execute[S, ID, E any](ctx context.Context, s Stream[ID, E], apply func(*S, E), decide func(S) ([]E, error)) (store.Appended, error) {
	if decide == nil {
		return store.Appended{}, &store.InvalidError{What: "execute on " + printable.Name(s.name), Reason: "decide is nil"}
	}
	// actual is what the last conflict told, before the events were read again. If
	// reads show less, links behind the last event were removed: it is the version
	// all the same.
	actual := store.NoStream
	for attempt := 1; ; attempt++ {
		var first *trace
		if s.settings.keyed {
			first = newTrace(s.settings.key, s.name)
		}
		state, at, err := load(ctx, s, apply, first)
		if err != nil {
			return store.Appended{}, err
		}
		if first != nil && first.found > 0 {
			return first.appended, nil
		}
		events, err := decide(state)
		if err != nil {
			return store.Appended{}, err
		}
		if at = max(at, actual); len(events) == 0 {
			return store.Appended{Stream: s.name, Version: at}, nil
		}
		appended, err := s.append(ctx, at, events)
		if err == nil {
			return appended, nil
		}
		if conflict, ok := errors.AsType[*store.ConflictError](err); ok {
			actual = conflict.Actual
		}
		if s.settings.keyed && isOvertaken(err) {
			// Who was faster may be a repeat of this very command.
			if first, readErr := s.stored(ctx, at+1, 1); readErr == nil && first.Duplicate {
				return first, nil
			}
		} else if !errors.Is(err, store.ErrConflict) {
			return store.Appended{}, err
		}
		if err := s.settings.pause(ctx, s.name, attempt, err); err != nil {
			return store.Appended{}, err
		}
	}
}
