package subscribe

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/esgen/esgen/runtime/store"
)

// HandlerFunc handles one event. Returning nil means that the event need not
// come again; after an error it does, as [Config.Retry] says. It is called for
// one event at a time, and must not change r.Data or r.Metadata: a retry gets
// the same.
//
// ctx ends when the subscription is to stop: return soon then, with nil if the
// event was handled nevertheless. What is appended with ctx is caused by r (see
// [store.CausedBy]).
//
// A panic counts as an error. Ending the goroutine with [runtime.Goexit] counts
// as [Stop].
type HandlerFunc func(ctx context.Context, r store.Recorded) error

// Stop returns an error by which a handler says that handling the event again
// would not help: Run ends with a [*HandlerError] at once, without the retries.
// A nil err stands for an error that says so.
func Stop(err error) error {
	if err == nil {
		err = errors.New("the handler asked to stop")
	}
	return &stopError{err}
}

type stopError struct{ error }

func (e *stopError) Unwrap() error { return e.error }

func isStop(err error) bool {
	var stop *stopError
	return errors.As(err, &stop)
}

var errGoexit = Stop(errors.New("the handler ended its goroutine with runtime.Goexit, as testing's FailNow does; return an error instead"))

// call runs the handler in a goroutine that it may end.
func (h HandlerFunc) call(ctx context.Context, r store.Recorded) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return h(store.CausedBy(ctx, r), r)
}
