package history

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// reader reads, and writes down what it saw.
type reader struct {
	store  store.Store
	log    *log
	random *rand.Rand
	// last is the highest position seen.
	last uint64
}

// follow reads $all from the beginning and on, as a subscription does. A read
// that fails is taken up where it ended.
func (r *reader) follow(ctx context.Context) error {
	var written int64
	for ctx.Err() == nil {
		bell := r.store.Local().Wait()
		q := store.Query{FromPosition: store.Position(r.last + 1)}
		n, err := r.read(ctx, q, true, clock()-written > int64(100*time.Millisecond))
		if err != nil {
			return err
		}
		if n > 0 {
			written = clock()
			continue
		}
		// The doorbell promises nothing.
		poll := time.NewTimer(5 * time.Millisecond)
		select {
		case <-bell:
		case <-poll.C:
		case <-ctx.Done():
		}
		poll.Stop()
	}
	return nil
}

// comeLate reads what is long there, and its newest end, in every way there is.
func (r *reader) comeLate(ctx context.Context) error {
	names := []string{"hot-0", "hot-1", "hot-2", "mid-0", "mid-1", "race-1"}
	for n := 0; ctx.Err() == nil; n++ {
		var q store.Query
		switch r.random.IntN(5) {
		case 0: // the end, by position
			q.FromPosition = store.Position(1 + max(r.last, 2_000) - 2_000 + r.random.Uint64N(2_000))
		case 1: // somewhere
			q.FromPosition, q.Limit = store.Position(1+r.random.Uint64N(r.last+1)), 3_000
		case 2:
			q.Categories = [][]string{{"hot"}, {"mid"}, {"race"}, {"new"}}[r.random.IntN(4)]
			q.FromPosition = store.Position(1 + max(r.last, 5_000) - 5_000)
		case 3:
			q.Stream, q.Limit = names[r.random.IntN(len(names))], 3_000
			q.Backward = r.random.IntN(2) == 0
		default:
			q.Backward, q.Limit = true, 2_000
		}
		if _, err := r.read(ctx, q, false, true); err != nil {
			return err
		}
		pause(ctx, time.Duration(r.random.IntN(200))*time.Millisecond)
	}
	return nil
}

// linesOf bounds how many events one line of a log tells of.
const linesOf = 5_000

// read reads q and writes it down, if it saw anything or empty is set. The error
// is the log's: a read that fails has shown what it has shown.
func (r *reader) read(ctx context.Context, q store.Query, follows, empty bool) (int, error) {
	part := record{
		Kind: kindRead, Begin: clock(), Stream: q.Stream, Version: int64(q.FromVersion),
		From: uint64(q.FromPosition), Backward: q.Backward, Follows: follows,
	}
	if len(q.Categories) > 0 {
		part.Category = q.Categories[0]
	}
	n, failed := 0, error(nil)
	flush := func(done bool) error {
		part.Done = done
		err := r.log.write(part)
		part.Seen = nil
		return err
	}
	for e, err := range r.store.Read(ctx, q) {
		if err != nil {
			failed = err
			break
		}
		if text := garbled(e); text != "" {
			if err := r.log.write(record{Kind: kindProblem, Why: ruleChanged, Text: text}); err != nil {
				return n, err
			}
		}
		if n%linesOf == linesOf-1 {
			// One read in several lines is one chain only for a follower.
			if follows {
				if err := flush(false); err != nil {
					return n, err
				}
				part.From = r.last + 1
			}
		}
		s := seenOf(e)
		part.Seen = add(part.Seen, s)
		r.last = max(r.last, s.position)
		n++
	}
	if n > 0 || empty && failed == nil {
		if err := flush(failed == nil && q.Limit == 0); err != nil {
			return n, err
		}
	}
	if failed != nil && !errors.Is(failed, store.ErrStreamNotFound) {
		pause(ctx, 20*time.Millisecond)
	}
	return n, nil
}
