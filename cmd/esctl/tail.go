package main

import (
	"context"
	"errors"
	"flag"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

var tailVerb = verb{
	name: "tail", args: []string{"[STREAM]"}, about: "print events as they are appended, until interrupted",
	more: selectsEvents + `
It begins with events that are appended after it has started, unless -from says
otherwise, and goes on when the database comes back after it was away.`,
	prepare: func(f *flag.FlagSet) action {
		query := filters(f)
		from := f.Uint64("from", 0, "begin with this `VERSION` of the stream, or this position of all, 1 for the first")
		limit := f.Int("limit", 0, "end after `N` events (default never)")
		poll := f.Duration("poll", 200*time.Millisecond, "look again after this `TIME`")
		return func(ctx context.Context, s shell, args []string) error {
			q := query(args)
			begin(&q, *from)
			q.Limit = *limit
			if err := q.Check(); err != nil {
				return s.misused("%v", err)
			}
			if *poll <= 0 {
				return s.misused("-poll is more than 0")
			}
			return s.openOne(ctx, func(t target) error {
				return (&tail{printer: s.printer(), t: t, q: q, poll: *poll}).run(ctx)
			})
		}
	},
}

// tail follows a stream, or all.
type tail struct {
	*printer
	t    target
	q    store.Query
	poll time.Duration
}

// run ends without an error if ctx does: that is how following ends.
func (f *tail) run(ctx context.Context) error {
	if f.q.FromPosition == 0 && f.q.FromVersion == 0 {
		at, err := f.end(ctx)
		if err != nil {
			return err
		}
		begin(&f.q, at+1)
	}
	f.notef("following; interrupt to end")
	wait, away := f.poll, false
	for {
		// The bell is taken first: what is appended while reading rings it.
		bell := f.t.Local().Wait()
		more, err := f.catchUp(ctx)
		if ctx.Err() != nil {
			more, err = false, nil // whatever it was, it is over
		}
		switch {
		case err == nil && !more:
			f.notef("followed %s", count(f.events, "event"))
			return nil
		case err == nil:
			wait = f.poll
			if away {
				f.notef("going on")
			}
			away = false
		case store.Retryable(err):
			if !away {
				f.notef("esctl: %v; trying again", err)
			}
			away, wait = true, min(2*wait, 10*time.Second)
		default:
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-bell:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// catchUp prints what there is, and reports whether there is to be more.
func (f *tail) catchUp(ctx context.Context) (more bool, _ error) {
	// What is not selected is not looked at again either.
	end, err := f.end(ctx)
	if err != nil {
		return true, err
	}
	q := f.q
	if f.q.Limit > 0 {
		q.Limit = f.q.Limit - f.events
	}
	for r, err := range f.t.Read(ctx, q) {
		if errors.Is(err, store.ErrStreamNotFound) {
			return true, nil
		}
		if err != nil {
			return true, err
		}
		if err := f.print(r); err != nil {
			return false, err
		}
		f.next(placeIn(r, q))
		if f.q.Limit > 0 && f.events == f.q.Limit {
			return false, nil
		}
	}
	f.next(end)
	return true, nil
}

// placeIn is the place of r in what q reads.
func placeIn(r store.Recorded, q store.Query) uint64 {
	if q.Stream != "" {
		return uint64(r.Version)
	}
	return uint64(r.Position)
}

// next goes on behind a place, unless that was done.
func (f *tail) next(at uint64) {
	if at >= uint64(f.q.FromPosition) && at >= uint64(f.q.FromVersion) {
		begin(&f.q, at+1)
	}
}

// end is the last place there is, 0 if there is none.
func (f *tail) end(ctx context.Context) (uint64, error) {
	last := store.Query{Stream: f.q.Stream, Backward: true, Limit: 1}
	for r, err := range f.t.Read(ctx, last) {
		if errors.Is(err, store.ErrStreamNotFound) {
			return 0, nil
		}
		return placeIn(r, last), err
	}
	return 0, nil
}
