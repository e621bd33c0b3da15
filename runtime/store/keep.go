package store

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/esgen/esgen/internal/printable"
)

// KeepCheckpoints returns [Checkpoints] for stores that have no database to keep
// them in. all is what is stored, by name, nil if nothing is, and
// belongs to the result from now on. now is the store's clock.
//
// Each change first calls save, unless that is nil, with all checkpoints as they
// are to be, which save does not keep. If it returns an error, nothing has
// changed, and the error is the call's. One save runs at a time.
func KeepCheckpoints(all map[string]Checkpoint, now func() time.Time, save func(all map[string]Checkpoint) error) Checkpoints {
	if all == nil {
		all = make(map[string]Checkpoint)
	}
	return &keptCheckpoints{all: all, now: now, save: save}
}

type keptCheckpoints struct {
	now  func() time.Time
	save func(map[string]Checkpoint) error

	mu  sync.Mutex
	all map[string]Checkpoint
}

func (k *keptCheckpoints) Open(ctx context.Context, c Checkpoint) (Checkpoint, error) {
	if err := c.Check(); err != nil {
		return Checkpoint{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := Ended(ctx, "open checkpoint "+printable.Name(c.Name)); err != nil {
		return Checkpoint{}, err
	}
	if stored, ok := k.all[c.Name]; ok {
		return stored, nil
	}
	return k.change(c)
}

func (k *keptCheckpoints) Advance(ctx context.Context, name string, from, to uint64) error {
	if err := CheckAdvance(name, from, to); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := Ended(ctx, "advance checkpoint "+printable.Name(name)); err != nil {
		return err
	}
	stored, ok := k.all[name]
	switch {
	case ok && stored.At == to: // the reply to an earlier call was lost
		return nil
	case !ok || stored.At != from:
		return &CheckpointError{Name: name, From: from, To: to, Actual: stored.At, Missing: !ok}
	}
	stored.At = to
	_, err := k.change(stored)
	return err
}

func (k *keptCheckpoints) change(c Checkpoint) (Checkpoint, error) {
	c.Time = k.now().UTC().Truncate(time.Microsecond)
	if k.save == nil {
		k.all[c.Name] = c
		return c, nil
	}
	// A copy, so that a save that goes wrong leaves what was there.
	changed := maps.Clone(k.all)
	changed[c.Name] = c
	if err := k.save(changed); err != nil {
		return Checkpoint{}, fmt.Errorf("save checkpoint %s: %w", printable.Name(c.Name), err)
	}
	k.all = changed
	return c, nil
}
