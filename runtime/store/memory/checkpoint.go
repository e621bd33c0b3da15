package memory

import (
	"context"
	"fmt"

	"github.com/esgen/esgen/runtime/store"
)

// Checkpoints returns where subscriptions keep how far they have come: as
// volatile as the events.
func (s *Store) Checkpoints() store.Checkpoints { return checkpoints{s} }

type checkpoints struct{ s *Store }

func (c checkpoints) Open(ctx context.Context, ck store.Checkpoint) (store.Checkpoint, error) {
	if err := store.CheckSubscription(ck.Name); err != nil {
		return store.Checkpoint{}, err
	}
	if err := begin(ctx, "open checkpoint "+ck.Name); err != nil {
		return store.Checkpoint{}, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	stored, ok := c.s.contents.checkpoints[ck.Name]
	if !ok {
		stored = ck
		stored.Time = c.s.now()
		c.s.contents.checkpoints[ck.Name] = stored
	}
	return stored, nil
}

func (c checkpoints) Advance(ctx context.Context, name string, from, to uint64) error {
	if err := begin(ctx, "advance checkpoint "+name); err != nil {
		return err
	}
	if to < from {
		return &store.InvalidError{
			What: "checkpoint", Value: name,
			Reason: fmt.Sprintf("a move from %d back to %d; checkpoints only advance", from, to),
		}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	stored, ok := c.s.contents.checkpoints[name]
	switch {
	case ok && stored.At == to:
		return nil
	case !ok || stored.At != from:
		return &store.CheckpointError{Name: name, From: from, To: to, Actual: stored.At}
	}
	stored.At = to
	stored.Time = c.s.now()
	c.s.contents.checkpoints[name] = stored
	return nil
}
