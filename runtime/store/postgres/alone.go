package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/runtime/store"
)

// alone appends without company: again and again, until there is an answer.
func (a *appending) alone(ctx context.Context) ([]store.Appended, error) {
	var wait backoff
	for {
		v, sent, err := a.send(ctx)
		switch {
		case err == nil && v.kind == verdictStored:
			return v.appended, nil
		case err == nil && v.kind == verdictRefused:
			appended, done, err := a.resolve(ctx, v.refusal)
			if done {
				return appended, err
			}
			if err != nil && a.lost == nil {
				// The reply was that nothing was stored.
				return nil, a.s.explain(ctx, a.op, err)
			}
		case err == nil:
			a.blocking = true
		case sqlState(err) == stateIsolation && !a.began:
			a.s.begin(ctx)
		case isDuplicate(err):
			appended, done, err := a.resolve(ctx, nil)
			if done {
				return appended, err
			}
			if err != nil && a.lost == nil {
				return nil, a.s.explain(ctx, a.op, err)
			}
		case rolledBack(err):
			// Nothing was stored this time.
			if !transient(err) && a.lost == nil {
				return nil, a.s.explain(ctx, a.op, err)
			}
		case sent && a.garbled:
			return nil, &store.UnknownOutcomeError{Batches: a.batches, Err: err}
		case sent:
			a.lost = err
		case a.lost == nil && (!stale(err) || wait.count >= maxAttempts):
			return nil, a.s.explain(ctx, a.op, err)
		}
		if err := wait.pause(ctx); err != nil {
			return nil, a.giveUp(ctx)
		}
	}
}

// send makes the append's one round trip. sent is false if the server cannot have
// got it.
func (a *appending) send(ctx context.Context) (v verdict, sent bool, err error) {
	// One that waits for a stranger occupies a connection as long. Beyond the few
	// that may, it looks again and again instead.
	blocking := a.blocking
	if blocking {
		select {
		case a.s.lane <- struct{}{}:
			defer func() { <-a.s.lane }()
		default:
			blocking = false
		}
	}
	conn, err := a.s.acquire(ctx)
	if err != nil {
		return v, false, err
	}
	defer conn.Release()
	v, err = a.call(ctx, conn.Conn(), blocking)
	a.garbled = err != nil && sqlState(err) == "" && !conn.Conn().IsClosed()
	return v, err != nil && !pgconn.SafeToRetry(err), err
}

// call tells one of the functions to append.
func (a *appending) call(ctx context.Context, conn *pgx.Conn, blocking bool) (verdict, error) {
	if blocking {
		return a.callWaiting(ctx, conn, false, nil)
	}
	if a.began = a.s.begins.Load(); len(a.batches) == 1 && a.events == 1 {
		r, err := a.s.callOne(ctx, conn, a.batches[0])
		if err != nil {
			return verdict{}, err
		}
		return a.judge(func(int) fate { return r.fate() }, true), nil
	}
	args := arguments{streams: make([]streamArgument, len(a.batches)), events: make([]eventsArgument, len(a.batches))}
	for i := range a.batches {
		args.streams[i], args.events[i] = a.arguments(i, int32(i+1))
	}
	r, err := a.s.callAppend(ctx, conn, &args)
	if err != nil {
		return verdict{}, err
	}
	before := r.head
	return a.judge(func(i int) fate {
		f := fate{outcome: r.outcome(i), version: r.version(i), before: before}
		before += store.Position(len(a.batches[i].Events))
		return f
	}, true), nil
}

// arguments returns what one batch contributes, as the stream at a place from 1 on.
func (a *appending) arguments(batch int, place int32) (streamArgument, eventsArgument) {
	b := &a.batches[batch]
	e := eventsArgument{stream: place, events: b.Events}
	if a.columns != nil {
		e.columns = a.columns[batch]
	}
	return streamArgument{append: 1, name: b.Stream, expected: b.Expected, count: len(b.Events), created: b.Events[0].Time}, e
}

// callWaiting appends with the function that waits for streams. At commit, xid is
// set to the transaction's id.
func (a *appending) callWaiting(ctx context.Context, conn *pgx.Conn, atCommit bool, xid *string) (verdict, error) {
	order := streamOrder(a.batches)
	place := make([]int, len(order)) // batch -> stream
	args := arguments{streams: make([]streamArgument, len(order)), events: make([]eventsArgument, len(order))}
	for at, i := range order {
		place[i] = at
		args.streams[at], args.events[i] = a.arguments(i, int32(at+1))
	}
	a.began = !atCommit && a.s.begins.Load()
	var head pgtype.Int8
	var r reply
	var id pgtype.Text
	into := []any{&head, &r.versions, &r.outcomes, &id}
	var err error
	if a.columns != nil && !a.began {
		flag := []byte{0}
		if atCommit {
			flag[0] = 1
		}
		err = runBinary(ctx, conn, a.s.sql.appendWaiting, waitingOIDs, append(args.binary()[1:], flag), into)
	} else {
		err = a.s.runPlain(ctx, conn, a.began, a.s.sql.appendWaiting, append(args.plain()[1:], atCommit), into)
	}
	if err != nil {
		return verdict{}, err
	}
	if xid != nil {
		*xid = id.String
	}
	before := store.Position(head.Int64)
	return a.judge(func(i int) fate {
		f := fate{outcome: r.outcome(place[i]), version: r.version(place[i]), before: before}
		before += store.Position(len(a.batches[i].Events))
		return f
	}, head.Valid), nil
}

// streamOrder returns the batches' indexes in the order of their streams' names:
// the order in which appends that wait lock them.
func streamOrder(batches []store.Batch) []int {
	order := make([]int, len(batches))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(batches[i].Stream, batches[j].Stream) })
	return order
}
