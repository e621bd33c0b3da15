package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

var errPanicked = errors.New("the operation panicked")

// Observed tells an [Observer] of the operations of one store, so that all stores
// tell the same. Nil tells nobody and costs a comparison. Methods are safe for
// concurrent use.
//
// An observer that panics breaks no operation: an append that is committed must not
// look as if it were not. The operation goes on, without what the observer would
// have put into its context, and the first panic is logged.
type Observed struct {
	observer      Observer
	system, store string
	inTx          bool
	log           *slog.Logger
	panicked      *atomic.Bool
}

// Observe returns what a store of this system and name tells o through: nil if o is.
// log is told of the first panic of o; nil is [slog.Default].
func Observe(o Observer, system, name string, log *slog.Logger) *Observed {
	if o == nil {
		return nil
	}
	return &Observed{observer: o, system: system, store: name, log: log, panicked: new(atomic.Bool)}
}

// InTx returns o for the operations in a caller's transaction.
func (o *Observed) InTx() *Observed {
	if o == nil {
		return nil
	}
	tx := *o
	tx.inTx = true
	return &tx
}

// Append tells of an append, which do carries out with the context it is given.
func (o *Observed) Append(ctx context.Context, batches []Batch, do func(context.Context) ([]Appended, error)) ([]Appended, error) {
	if o == nil {
		return do(ctx)
	}
	op := Operation{Kind: OperationAppend, Streams: len(batches)}
	for i, b := range batches {
		if i == 0 {
			op.Stream = b.Stream
		}
		op.Events += len(b.Events)
	}
	ctx, call := o.Begin(ctx, op)
	// If do panics, the observer is told of an operation that stored nothing.
	result := Result{Err: errPanicked}
	defer func() { call.End(result) }()
	appended, err := do(ctx)
	result = Result{Err: err}
	if err == nil && len(appended) > 0 {
		result.Events, result.Version, result.Duplicate = op.Events, appended[0].Version, true
		for _, a := range appended {
			result.Duplicate = result.Duplicate && a.Duplicate
			result.Position = max(result.Position, a.Last)
		}
	}
	return appended, err
}

// Read tells that the loop over a read begins. Use the context for it, call Yield
// for each pair that it yields, and End when the loop is over, deferred: its body may
// panic or end its goroutine.
func (o *Observed) Read(ctx context.Context, q Query) (context.Context, *Reading) {
	op := Operation{Kind: OperationRead, Stream: q.Stream, Categories: q.Categories}
	if q.Stream == "" && len(q.Categories) == 0 {
		op.Stream = All
	}
	ctx, call := o.Begin(ctx, op)
	return ctx, &Reading{call: call}
}

// Reading is a loop over a read that an observer was told the beginning of.
type Reading struct {
	call   Observation
	result Result
}

// Yield counts an event, or keeps the error that ends the read.
func (r *Reading) Yield(err error) {
	if r.result.Err = err; err == nil {
		r.result.Events++
	}
}

// End tells how the loop ended.
func (r *Reading) End() { r.call.End(r.result) }

// Link tells of a [Linker.Link], which do carries out.
func (o *Observed) Link(ctx context.Context, stream string, ids []uuid.UUID, do func(context.Context) (Appended, error)) (Appended, error) {
	if o == nil {
		return do(ctx)
	}
	ctx, call := o.Begin(ctx, Operation{Kind: OperationLink, Stream: stream, Streams: 1, Events: len(ids)})
	result := Result{Err: errPanicked}
	defer func() { call.End(result) }()
	linked, err := do(ctx)
	if result = (Result{Err: err}); err == nil {
		result.Events, result.Version, result.Duplicate = len(ids), linked.Version, linked.Duplicate
	}
	return linked, err
}

// Do tells of an operation on a stream that has no result, such as a deletion.
func (o *Observed) Do(ctx context.Context, kind OperationKind, stream string, do func(context.Context) error) error {
	if o == nil {
		return do(ctx)
	}
	ctx, call := o.Begin(ctx, Operation{Kind: kind, Stream: stream})
	result := Result{Err: errPanicked}
	defer func() { call.End(result) }()
	result.Err = do(ctx)
	return result.Err
}

// Begin tells that an operation begins. op needs neither System nor Store. Call End
// of the result, once, when it has ended; use the context for it.
func (o *Observed) Begin(ctx context.Context, op Operation) (context.Context, Observation) {
	if o == nil {
		return ctx, Observation{}
	}
	op.System, op.Store, op.InTx = o.system, o.store, o.inTx
	begun := time.Now()
	ctx = o.begin(ctx, op)
	op.Appends = nil
	return ctx, Observation{o: o, ctx: ctx, op: op, begun: begun}
}

// begin returns the observer's context, or ctx if there is none.
func (o *Observed) begin(ctx context.Context, op Operation) (within context.Context) {
	within = ctx
	defer o.survive(op.Kind)
	if theirs := o.observer.Begin(ctx, op); theirs != nil {
		within = theirs
	}
	return within
}

// Observation is an operation that an observer was told the beginning of. The zero
// value is one that nobody is told of.
type Observation struct {
	o     *Observed
	ctx   context.Context
	op    Operation
	begun time.Time
}

// End tells how it ended. Duration is measured here unless given.
func (c Observation) End(r Result) {
	if c.o == nil {
		return
	}
	if r.Duration == 0 {
		r.Duration = time.Since(c.begun)
	}
	defer c.o.survive(c.op.Kind)
	c.o.observer.End(c.ctx, c.op, r)
}

// survive is deferred around calls of the observer.
func (o *Observed) survive(kind OperationKind) {
	if p := recover(); p != nil && o.panicked.CompareAndSwap(false, true) {
		log := o.log
		if log == nil {
			log = slog.Default()
		}
		log.Error("the store's observer panicked; its operations go on, later panics are not logged",
			"observer", fmt.Sprintf("%T", o.observer), "operation", string(kind), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	}
}
