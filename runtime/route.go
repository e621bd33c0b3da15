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
	// One of the two is set.
	handle func(ctx context.Context, r store.Recorded, p passing) error
	batch  func(ctx context.Context, events []store.Recorded, p passing) error
	skip   func(Skipped)
	err    error
}

// passing is what becomes of an event that is not handed to the program.
type passing struct {
	// unknown: an event of an unknown type counts as handled.
	unknown bool
	// skipped is told of what is no longer an event, unless it is nil.
	skipped func(Skipped)
}

// gone passes over what is no longer an event.
func (p passing) gone(r store.Recorded) {
	if p.skipped != nil {
		p.skipped(skipped(r))
	}
}

// OnSkip returns the route with report, which is called for what is no longer an
// event, each time that the subscription passes it over: from the goroutine that
// handles, at least once. Use it to count.
func (r Route) OnSkip(report func(Skipped)) Route {
	r.skip = report
	return r
}

// On routes the family's events to handle. An event that this binary cannot read
// does not reach it: its lane waits there with a [*ReadError], which its status and
// [subscribe.List] show, until a binary that can read it takes over. See
// [subscribe.Config.SkipUnknown] for the way around. What is no longer an event is
// passed over, and told to [Route.OnSkip].
func (f *Family[ID, E]) On(handle func(context.Context, Meta[ID], E) error) Route {
	switch {
	case f == nil:
		return Route{err: errNoFamily}
	case f.err != nil:
		return Route{err: f.err}
	case handle == nil:
		return Route{err: &store.InvalidError{What: "handler of " + f.name, Reason: isNil}}
	}
	return Route{family: f.name, handle: func(ctx context.Context, r store.Recorded, p passing) error {
		e, isEvent, err := f.recorded(r)
		if err != nil {
			return unreadable(err, p.unknown)
		}
		if !isEvent {
			p.gone(r)
			return nil
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
	return Route{family: f.name, batch: func(ctx context.Context, events []store.Recorded, p passing) error {
		typed := make([]Recorded[ID, E], 0, len(events))
		for _, r := range events {
			e, isEvent, err := f.recorded(r)
			if err != nil {
				if err = unreadable(err, p.unknown); err != nil {
					// The batch is taken apart: those before it come alone.
					return err
				}
				continue
			}
			if !isEvent {
				p.gone(r)
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
	return Route{family: category, handle: func(ctx context.Context, r store.Recorded, _ passing) error { return handle(ctx, r) }}
}

// recorded turns what is stored into an event with its meta, or returns a [*ReadError].
// It is false for what is no longer an event.
func (f *Family[ID, E]) recorded(r store.Recorded) (Recorded[ID, E], bool, error) {
	e, isEvent, err := f.decode(r)
	if err != nil || !isEvent {
		return Recorded[ID, E]{}, false, err
	}
	id, err := f.idOf(origin(r))
	if err != nil {
		return Recorded[ID, E]{}, false, readError(r, err)
	}
	return Recorded[ID, E]{Meta: metaOf(id, r), Event: e}, true, nil
}

// origin is the stream that an event was appended to.
func origin(r store.Recorded) string {
	if r.OriginalStream != "" {
		return r.OriginalStream
	}
	return r.Stream
}
