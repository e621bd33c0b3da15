package subscribe

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// saver stores checkpoints, those of several lanes in one call: while one is under
// way, the next fills.
type saver struct {
	subs store.Subscriptions

	mu      sync.Mutex
	running bool
	queue   []saved
}

type saved struct {
	move    store.Move
	ctx     context.Context //nolint:containedctx // of the caller, who waits
	outcome chan error
	tries   int
}

// lockedPauses are those before a move is tried again whose lane another transaction
// has locked.
var lockedPauses = backoff{first: 5 * time.Millisecond, longest: 250 * time.Millisecond}

// advance moves a checkpoint. A lane has one move under way at most.
func (s *saver) advance(ctx context.Context, m store.Move) error {
	own := saved{move: m, ctx: ctx, outcome: make(chan error, 1)}
	s.enqueue(own) //nolint:contextcheck // what it begins serves several callers
	return <-own.outcome
}

func (s *saver) enqueue(own saved) {
	s.mu.Lock()
	s.queue = append(s.queue, own)
	if !s.running {
		s.running = true
		go s.drain()
	}
	s.mu.Unlock()
}

// drain ends when nobody waits.
func (s *saver) drain() {
	for {
		s.mu.Lock()
		all := s.queue
		s.queue = nil
		s.running = len(all) > 0
		s.mu.Unlock()
		if len(all) == 0 {
			return
		}
		s.flush(all)
	}
}

// flush bounds the call by the first caller's time.
func (s *saver) flush(all []saved) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(all[0].ctx), storeTimeout)
	defer cancel()
	moves := make([]store.Move, len(all))
	for i, one := range all {
		moves[i] = one.move
	}
	err := s.subs.Advance(ctx, moves...)
	fenced, some := errors.AsType[*store.FencedError](err)
	locked, busy := errors.AsType[*store.LockedError](err)
	for i, one := range all {
		switch hold := moves[i].Hold; {
		case busy && (len(all) == 1 || slices.Contains(locked.Holds, hold)):
			s.later(one, &store.LockedError{Holds: []store.Hold{hold}})
		case some && (len(all) == 1 || slices.Contains(fenced.Holds, hold)):
			one.outcome <- &store.FencedError{Holds: []store.Hold{hold}}
		case some || busy:
			one.outcome <- nil
		default:
			one.outcome <- err
		}
	}
}

// later tries a move again for as long as its caller waits. Meanwhile those of other
// lanes are made, and no connection waits.
func (s *saver) later(one saved, err error) {
	one.tries++
	pause := lockedPauses.after(one.tries, rand.Float64())
	if until, bounded := one.ctx.Deadline(); one.ctx.Err() != nil || bounded && time.Until(until) < pause {
		one.outcome <- err
		return
	}
	time.AfterFunc(pause, func() { s.enqueue(one) })
}
