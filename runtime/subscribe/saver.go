package subscribe

import (
	"context"
	"errors"
	"slices"
	"sync"

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
}

// advance moves a checkpoint. A lane has one move under way at most.
func (s *saver) advance(ctx context.Context, m store.Move) error {
	own := saved{m, ctx, make(chan error, 1)}
	s.mu.Lock()
	s.queue = append(s.queue, own)
	if !s.running {
		s.running = true
		go s.drain() //nolint:contextcheck // it serves several callers
	}
	s.mu.Unlock()
	return <-own.outcome
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
	for i, one := range all {
		if some && !slices.Contains(fenced.Holds, moves[i].Hold) && len(all) > 1 {
			one.outcome <- nil
			continue
		}
		one.outcome <- err
	}
}
