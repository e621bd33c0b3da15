package subscribe

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// lockable is a store in which a lane may be locked.
type lockable struct {
	store.Subscriptions
	mu     sync.Mutex
	locked map[int]bool
	fenced map[int]bool
	moved  map[int]int
}

func (k *lockable) Advance(_ context.Context, moves ...store.Move) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	busy, fenced := &store.LockedError{}, &store.FencedError{}
	for _, m := range moves {
		switch {
		case k.locked[m.Lane]:
			busy.Holds = append(busy.Holds, m.Hold)
		case k.fenced[m.Lane]:
			fenced.Holds = append(fenced.Holds, m.Hold)
		default:
			k.moved[m.Lane]++
		}
	}
	var errs []error
	if len(busy.Holds) > 0 {
		errs = append(errs, busy)
	}
	if len(fenced.Holds) > 0 {
		errs = append(errs, fenced)
	}
	return errors.Join(errs...)
}

// TestALockedLaneHoldsUpNoCheckpointOfAnother: its move is repeated, and theirs are
// made; nobody is told of a move that was not made.
func TestALockedLaneHoldsUpNoCheckpointOfAnother(t *testing.T) {
	t.Parallel()
	k := &lockable{locked: map[int]bool{1: true}, fenced: map[int]bool{2: true}, moved: map[int]int{}}
	s := &saver{subs: k}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	move := func(lane int) store.Move { return store.Move{Hold: store.Hold{Subscription: "s", Lane: lane}, To: 1} }
	outcomes := make([]saved, 3)
	s.running = true
	for i := range outcomes {
		outcomes[i] = saved{move: move(i), ctx: ctx, outcome: make(chan error, 1)}
		s.enqueue(outcomes[i])
	}
	go s.drain()
	if err := <-outcomes[0].outcome; err != nil {
		t.Errorf("lane 0: %v", err)
	}
	if err := <-outcomes[2].outcome; !errors.Is(err, store.ErrFenced) {
		t.Errorf("lane 2: %v", err)
	}
	if err := s.advance(ctx, move(3)); err != nil {
		t.Errorf("lane 3: %v", err)
	}
	select {
	case err := <-outcomes[1].outcome:
		t.Errorf("lane 1 is locked: %v", err)
	default:
	}
	short, end := context.WithTimeout(ctx, 50*time.Millisecond)
	defer end()
	if _, is := errors.AsType[*store.LockedError](s.advance(short, move(1))); !is {
		t.Error("a move that was not made is not told as one of a locked lane")
	}
	k.mu.Lock()
	k.locked[1] = false
	k.mu.Unlock()
	if err := <-outcomes[1].outcome; err != nil || k.moved[1] != 1 {
		t.Errorf("lane 1: %v, moved %d times", err, k.moved[1])
	}
}
