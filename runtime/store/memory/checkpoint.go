package memory

import (
	"context"

	"github.com/esgen/esgen/runtime/store"
)

// Checkpoints returns where subscriptions keep how far they have come: as
// volatile as the events.
func (s *Store) Checkpoints() store.Checkpoints { return checkpoints{s} }

// checkpoints are those of the contents at the time of each call, so that who
// took them before a Reset does not go on with the old ones.
type checkpoints struct{ s *Store }

func (c checkpoints) Open(ctx context.Context, ck store.Checkpoint) (store.Checkpoint, error) {
	return c.current().Open(ctx, ck)
}

func (c checkpoints) Advance(ctx context.Context, name string, from, to uint64) error {
	return c.current().Advance(ctx, name, from, to)
}

func (c checkpoints) current() store.Checkpoints {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	return c.s.contents.checkpoints
}
