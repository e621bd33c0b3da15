package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/esgen/esgen/runtime/store"
)

// conn is a connection of the pool.
type conn interface {
	Conn() *pgx.Conn
	Release()
}

// flush is the appends that are sent in one transaction.
type flush struct {
	appends []*appending
	streams []flushStream
	// places finds a stream in streams.
	places               map[string]int
	events, bytes, names int

	conn   conn
	ctx    context.Context
	cancel context.CancelFunc

	// left counts callers that have gone; over is set at the end. Both are guarded
	// by the queue's mutex.
	left int
	over bool
}

// flushStream is a stream of a flush, with the batches that go to it.
type flushStream struct {
	argument streamArgument
	shared   bool // may be joined by others that expect the same
	batches  []flushBatch
}

type flushBatch struct {
	a     *appending
	batch int
}

// full reports that no append can join.
func (f *flush) full() bool { return f.events >= maxFlushEvents || f.bytes >= maxFlushBytes }

// add lets a join, or reports that it must wait for the next flush: because of
// bounds, or since another append changes a version that it expects.
func (f *flush) add(a *appending) bool {
	if len(f.appends) > 0 && (f.events+a.events > maxFlushEvents || f.bytes+a.bytes > maxFlushBytes || f.names+len(a.batches) > maxFlushNames) {
		return false
	}
	alone := len(a.batches) == 1
	for _, b := range a.batches {
		if at, taken := f.places[b.Stream]; taken && (!alone || !f.streams[at].shared || f.streams[at].argument.expected != b.Expected) {
			return false
		}
	}
	f.appends = append(f.appends, a)
	a.fates = make([]fate, len(a.batches))
	f.events += a.events
	f.bytes += a.bytes
	for i, b := range a.batches {
		at, taken := f.places[b.Stream]
		if !taken {
			at = len(f.streams)
			f.places[b.Stream] = at
			f.streams = append(f.streams, flushStream{
				argument: streamArgument{append: int32(len(f.appends)), name: b.Stream, expected: b.Expected, created: b.Events[0].Time},
				shared:   alone && (b.Expected == store.Any || b.Expected == store.StreamExists),
			})
			if b.Expected == store.Any || b.Expected == store.NoStream {
				f.names++
			}
		}
		s := &f.streams[at]
		s.argument.count += len(b.Events)
		s.batches = append(s.batches, flushBatch{a, i})
	}
	return true
}

// arguments are those of append.sql: the events in the order of the streams.
func (f *flush) arguments() *arguments {
	args := &arguments{streams: make([]streamArgument, len(f.streams)), events: make([]eventsArgument, 0, len(f.appends))}
	for i := range f.streams {
		s := &f.streams[i]
		args.streams[i] = s.argument
		before := int32(0)
		for _, b := range s.batches {
			_, e := b.a.arguments(b.batch, int32(i+1))
			e.before = before
			before += int32(len(e.events))
			args.events = append(args.events, e)
		}
	}
	return args
}

// sendFlush makes a flush's round trip and answers its callers.
func (s *Store) sendFlush(ctx context.Context, f *flush) {
	ctx, told := s.observed.Begin(ctx, f.operation(s.observed))
	var r reply
	var err error
	if len(f.appends) == 1 && f.events == 1 {
		r, err = s.callOne(ctx, f.conn.Conn(), f.appends[0].batches[0])
	} else {
		r, err = s.callAppend(ctx, f.conn.Conn(), f.arguments())
	}
	told.End(store.Result{Err: err, HeadWait: r.waited})
	if err != nil {
		s.failFlush(f, err)
		return
	}
	f.answer(&r)
}

// operation is what an observer is told of a flush.
func (f *flush) operation(o *store.Observed) store.Operation {
	if o == nil {
		return store.Operation{}
	}
	op := store.Operation{
		Kind: store.OperationFlush, Streams: len(f.streams), Events: f.events,
		Appends: make([]store.Queued, len(f.appends)),
	}
	for i, a := range f.appends {
		op.Appends[i] = store.Queued{Context: a.ctx, For: time.Since(a.since)}
	}
	return op
}

// answer tells each caller what became of its append.
func (f *flush) answer(r *reply) {
	before := r.head
	for i := range f.streams {
		s := &f.streams[i]
		version, outcome := r.version(i), r.outcome(i)
		for _, b := range s.batches {
			n := len(b.a.batches[b.batch].Events)
			b.a.fates[b.batch] = fate{outcome: outcome, version: version, before: before}
			if outcome == outcomeStored {
				version += store.Version(n)
				before += store.Position(n)
			}
		}
	}
	for _, a := range f.appends {
		a.answer = a.judge(func(batch int) fate { return a.fates[batch] }, true)
		close(a.done)
	}
}

// failFlush lets each caller try alone: the fault may be one append's.
func (s *Store) failFlush(f *flush, err error) {
	if sqlState(err) == stateIsolation {
		s.begin(f.ctx)
	}
	s.logFailedFlush(f, err)
	lost := !rolledBack(err) && !pgconn.SafeToRetry(err)
	for _, a := range f.appends {
		if lost {
			a.answer.lost = err
		}
		close(a.done)
	}
}
