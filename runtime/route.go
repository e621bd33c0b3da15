package runtime

import (
	"context"
	"errors"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
	"github.com/esgen/esgen/runtime/typeregistry"
)

// isNil is what is wrong with an argument.
const isNil = "nil"

// Route leads the events of a family to their handler. Get one from the generated
// On and OnBatch, from [Family.On] and [Family.OnBatch], or from [OnRaw].
type Route struct {
	family string
	// One of the two is set. What cannot be read is not handed to the program: if
	// skipUnknown, an event of an unknown type counts as handled.
	handle func(ctx context.Context, r store.Recorded, skipUnknown bool) error
	batch  func(ctx context.Context, events []store.Recorded, skipUnknown bool) error
	err    error
}

// On routes the family's events to handle. An event that this binary cannot read
// does not reach it: its lane waits there with a [*ReadError], which its status and
// [subscribe.List] show, until a binary that can read it takes over. See
// [subscribe.Config.SkipUnknown] for the way around.
func (f *Family[ID, E]) On(handle func(context.Context, Meta[ID], E) error) Route {
	switch {
	case f == nil:
		return Route{err: errNoFamily}
	case f.err != nil:
		return Route{err: f.err}
	case handle == nil:
		return Route{err: &store.InvalidError{What: "handler of " + f.name, Reason: isNil}}
	}
	return Route{family: f.name, handle: func(ctx context.Context, r store.Recorded, skipUnknown bool) error {
		e, err := f.recorded(r)
		if err != nil {
			return unreadable(err, skipUnknown)
		}
		err = handle(ctx, e.Meta, e.Event)
		if _, ok := errors.AsType[*UnhandledError](err); ok {
			return subscribe.Stop(err)
		}
		return err
	}}
}

// OnBatch routes the family's events to handle, several at once and in their order, for
// [SubscribeBatch] and [SubscribeTx]. The slice is the handler's until it returns. What
// is appended with ctx is caused by none of them unless the handler says so, see
// [CausedBy]. For what cannot be read see [Family.On]; those before it are handled.
func (f *Family[ID, E]) OnBatch(handle func(context.Context, []Recorded[ID, E]) error) Route {
	switch {
	case f == nil:
		return Route{err: errNoFamily}
	case f.err != nil:
		return Route{err: f.err}
	case handle == nil:
		return Route{err: &store.InvalidError{What: "handler of " + f.name, Reason: isNil}}
	}
	return Route{family: f.name, batch: func(ctx context.Context, events []store.Recorded, skipUnknown bool) error {
		typed := make([]Recorded[ID, E], 0, len(events))
		for _, r := range events {
			e, err := f.recorded(r)
			if err != nil {
				if err = unreadable(err, skipUnknown); err != nil {
					// The batch is taken apart: those before it come alone.
					return err
				}
				continue
			}
			typed = append(typed, e)
		}
		if len(typed) == 0 {
			return nil
		}
		return handle(ctx, typed)
	}}
}

// unreadable is what becomes of an event that cannot be read: nothing if it is to be
// passed over.
func unreadable(err error, skipUnknown bool) error {
	if read, ok := errors.AsType[*ReadError](err); ok && skipUnknown {
		if _, unknown := errors.AsType[*typeregistry.UnknownTypeError](read.Err); unknown {
			return nil
		}
	}
	return subscribe.Unreadable(err)
}

// OnRaw routes the events of a category to handle as they are stored, also those that
// no type is registered for.
func OnRaw(category string, handle subscribe.HandlerFunc) Route {
	if err := store.CheckCategory(category); err != nil {
		return Route{err: err}
	}
	if handle == nil {
		return Route{err: &store.InvalidError{What: "handler of category " + printable.Name(category), Reason: isNil}}
	}
	return Route{family: category, handle: func(ctx context.Context, r store.Recorded, _ bool) error { return handle(ctx, r) }}
}

// recorded turns what is stored into an event with its meta, or returns a [*ReadError].
func (f *Family[ID, E]) recorded(r store.Recorded) (Recorded[ID, E], error) {
	e, err := f.decode(r)
	if err != nil {
		return Recorded[ID, E]{}, err
	}
	id, err := f.idOf(origin(r))
	if err != nil {
		return Recorded[ID, E]{}, readError(r, err)
	}
	return Recorded[ID, E]{Meta: metaOf(id, r), Event: e}, nil
}

// origin is the stream that an event was appended to.
func origin(r store.Recorded) string {
	if r.OriginalStream != "" {
		return r.OriginalStream
	}
	return r.Stream
}
