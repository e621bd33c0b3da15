package subscribe_test

import (
	"context"
	"iter"
	"sync/atomic"

	"github.com/esgen/esgen/runtime/store"
)

// faulty is a store that fails when it is told to. Its functions are set before
// use; each is called with the number of the call, from 1.
type faulty struct {
	store.Store
	// read fails a read after the events it yields; cut is how many those are.
	read func(n int64, q store.Query) error
	cut  int
	// open and advance fail these calls before they do anything.
	open, advance func(n int64) error
	// lose fails the reply of an advance that was made.
	lose func(n int64) error
	// doorbell replaces the store's.
	doorbell func() <-chan struct{}

	reads, opens, advances atomic.Int64
}

func (f *faulty) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	n := f.reads.Add(1)
	return func(yield func(store.Recorded, error) bool) {
		var failure error
		if f.read != nil {
			failure = f.read(n, q)
		}
		yielded := 0
		for r, err := range f.Store.Read(ctx, q) {
			if failure != nil && yielded == f.cut {
				break
			}
			if !yield(r, err) || err != nil {
				return
			}
			yielded++
		}
		if failure != nil {
			yield(store.Recorded{}, failure)
		}
	}
}

func (f *faulty) Doorbell() <-chan struct{} {
	if f.doorbell != nil {
		return f.doorbell()
	}
	return f.Store.Doorbell()
}

func (f *faulty) Checkpoints() store.Checkpoints { return faultyCheckpoints{f, f.Store.Checkpoints()} }

type faultyCheckpoints struct {
	f *faulty
	store.Checkpoints
}

func (c faultyCheckpoints) Open(ctx context.Context, ck store.Checkpoint) (store.Checkpoint, error) {
	if n := c.f.opens.Add(1); c.f.open != nil {
		if err := c.f.open(n); err != nil {
			return store.Checkpoint{}, err
		}
	}
	return c.Checkpoints.Open(ctx, ck)
}

func (c faultyCheckpoints) Advance(ctx context.Context, name string, from, to uint64) error {
	n := c.f.advances.Add(1)
	if c.f.advance != nil {
		if err := c.f.advance(n); err != nil {
			return err
		}
	}
	err := c.Checkpoints.Advance(ctx, name, from, to)
	if err == nil && c.f.lose != nil {
		err = c.f.lose(n)
	}
	return err
}

// until returns a failure for the first n calls.
func until(n int64, err error) func(int64) error {
	return func(call int64) error {
		if call <= n {
			return err
		}
		return nil
	}
}

// stutter is a store that yields each event twice.
type stutter struct{ *faulty }

func (s *stutter) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		for r, err := range s.faulty.Read(ctx, q) {
			for range 2 {
				if !yield(r, err) {
					return
				}
			}
		}
	}
}
