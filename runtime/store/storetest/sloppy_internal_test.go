package storetest

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// sloppy checkpoints move wherever they are told.
type sloppy struct {
	store.Checkpoints
	mu   sync.Mutex
	at   map[string]uint64
	lost bool // a lost reply is answered with an error instead
	// blind: what is not there seems to be at 0.
	blind bool
}

func (s *sloppy) Open(ctx context.Context, c store.Checkpoint) (store.Checkpoint, error) {
	stored, err := s.Checkpoints.Open(ctx, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.at[c.Name]; ok && err == nil {
		stored.At = at
	}
	return stored, err
}

func (s *sloppy) Advance(ctx context.Context, name string, from, to uint64) error {
	if s.lost {
		if c, err := s.Checkpoints.Open(ctx, store.Checkpoint{Name: name}); err == nil && c.At == to && from != to {
			return &store.CheckpointError{Name: name, From: from, To: to, Actual: c.At}
		}
		return s.Checkpoints.Advance(ctx, name, from, to)
	}
	if s.blind {
		err := s.Checkpoints.Advance(ctx, name, from, to)
		if moved, ok := as[*store.CheckpointError](err); ok {
			moved.Missing = false
		}
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[name] = to
	return nil
}

// early hides events for a while after their positions are given: what becomes
// of a store that gives positions before the commit.
func early(b *broken) {
	var mu sync.Mutex
	uncommitted := map[uuid.UUID]bool{}
	b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
		batches, err := store.Prepare(ctx, time.Now(), batches)
		if err != nil {
			return nil, err
		}
		mark := func(open bool) {
			mu.Lock()
			defer mu.Unlock()
			for _, batch := range batches {
				for _, e := range batch.Events {
					if open {
						uncommitted[e.ID] = true
					} else {
						delete(uncommitted, e.ID)
					}
				}
			}
		}
		if batches[0].Events[0].ID[15]%4 == 0 { // one of four is slow to commit
			mark(true)
			defer mark(false)
		}
		appended, err := b.Store.Append(ctx, batches...)
		for range 200 {
			runtime.Gosched()
		}
		return appended, err
	}
	b.changed(func(_ store.Query, r *store.Recorded) bool {
		mu.Lock()
		defer mu.Unlock()
		return !uncommitted[r.ID]
	})
}
