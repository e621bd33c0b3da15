package subscribe

import (
	"context"
	"errors"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// Start is where a subscription begins that has no checkpoint yet: [Origin],
// [Current], an [After], an [AfterVersion] or an [At].
type Start interface {
	// first returns the place of the last event that is not to be handled.
	first(ctx context.Context, db store.Store, c Config) (uint64, error)
}

type edge int

const (
	// Origin starts with the first event.
	Origin edge = iota
	// Current starts after the newest event that the store holds when the
	// subscription runs for the first time. Events appended once
	// [Subscription.Started] is closed are handled.
	Current
)

// After starts after this position, which need not be there yet: After(17) means
// from 18 on. For subscriptions to $all and to categories.
type After store.Position

// AfterVersion starts after this version of the stream, which need not be there
// yet. For subscriptions to one stream.
type AfterVersion store.Version

// At starts with the first event, in the order of the log, whose time is this
// one or later, and handles all events after it. The times of events are given
// by those who append, so a later event may have an earlier time; it is handled
// nevertheless. The event is found by reading from the beginning of the log, or
// of the stream or categories, on every run until it is there: an At holds while
// the checkpoint stands at 0, also in a run of a subscription that was begun with
// another Start.
type At time.Time

func (e edge) first(ctx context.Context, db store.Store, c Config) (uint64, error) {
	if e == Origin {
		return 0, nil
	}
	// The newest event of all will do for categories: what comes later in them
	// is also later than that, and it is cheaper to find.
	newest := store.Query{Stream: c.Stream, Backward: true, Limit: 1}
	for r, err := range db.Read(ctx, newest) {
		if c.Stream != "" && errors.Is(err, store.ErrStreamNotFound) {
			return 0, nil
		}
		return c.place(&r), err
	}
	return 0, nil
}

func (a After) first(context.Context, store.Store, Config) (uint64, error) { return uint64(a), nil }

func (a AfterVersion) first(context.Context, store.Store, Config) (uint64, error) {
	return uint64(a), nil
}

// first leaves the checkpoint at 0 until the event is found: the machine passes
// over earlier events without moving it, so that no process has to read them all
// before the checkpoint can exist.
func (a At) first(context.Context, store.Store, Config) (uint64, error) { return 0, nil }
