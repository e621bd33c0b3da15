package subscribe

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// observed tells an [Observer], and keeps its panics away from the lanes. Nil tells
// nobody and costs a comparison.
type observed struct {
	observer Observer
	log      *slog.Logger
	panicked atomic.Bool
}

// observe returns what tells o: nil if o is. log is told of its first panic.
func observe(o Observer, log *slog.Logger) *observed {
	if o == nil {
		return nil
	}
	return &observed{observer: o, log: log}
}

// handling is a call of a handler that the observer was told the beginning of. The
// zero value is one that nobody is told of.
type handling struct {
	o     *observed
	ctx   context.Context
	h     Handling
	begun time.Time
}

// begin tells that events are about to be handled. Use the context for it, and call
// end of the result once. One event is a slice of the page that holds it: to make one
// would cost those without an observer an allocation.
func (o *observed) begin(ctx context.Context, kind HandlingKind, name string, lane, attempt int, events []store.Recorded) (context.Context, handling) {
	if o == nil {
		return ctx, handling{}
	}
	h := Handling{Kind: kind, Subscription: name, Lane: lane, Events: events, Count: len(events), Attempt: attempt}
	begun := time.Now()
	ctx = o.within(ctx, h)
	h.Events = nil
	return ctx, handling{o: o, ctx: ctx, h: h, begun: begun}
}

// within is the observer's context, or ctx if there is none.
func (o *observed) within(ctx context.Context, h Handling) (within context.Context) {
	within = ctx
	defer o.survive()
	if theirs := o.observer.Begin(ctx, h); theirs != nil {
		within = theirs
	}
	return within
}

// end tells how it ended.
func (c handling) end(err error) {
	if c.o == nil {
		return
	}
	defer c.o.survive()
	c.o.observer.End(c.ctx, c.h, Handled{Err: err, Duration: time.Since(c.begun)})
}

// notice tells what has happened. It must not be called under a lock that an
// observer's own calls of the subscription could need.
func (o *observed) notice(n Notice) {
	if o == nil {
		return
	}
	defer o.survive()
	o.observer.Notice(n)
}

// survive is deferred around calls of the observer.
func (o *observed) survive() {
	if p := recover(); p != nil && o.panicked.CompareAndSwap(false, true) {
		o.log.Error("the observer of the subscription panicked; it goes on, later panics are not logged",
			"observer", fmt.Sprintf("%T", o.observer), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	}
}
