package subscribe_test

import (
	"context"
	"iter"
	"sync/atomic"

	"github.com/google/uuid"

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
	// local replaces the store's.
	local *store.Local
	// renew fails these calls; dead fails all that are about subscriptions, as if
	// the process were cut off or stopped.
	renew func(n int64) error
	dead  atomic.Bool

	reads, opens, advances, renewals atomic.Int64
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

func (f *faulty) Local() *store.Local {
	if f.local != nil {
		return f.local
	}
	return f.Store.Local()
}

func (f *faulty) Subscriptions() store.Subscriptions {
	return faultySubscriptions{f, f.Store.Subscriptions()}
}

type faultySubscriptions struct {
	f *faulty
	store.Subscriptions
}

// gone is the error of a store that is cut off.
func (c faultySubscriptions) gone() error {
	if c.f.dead.Load() {
		return errAway
	}
	return nil
}

func (c faultySubscriptions) Renew(ctx context.Context, m store.Member) (store.Renewal, error) {
	n := c.f.renewals.Add(1)
	if c.f.renew != nil {
		if err := c.f.renew(n); err != nil {
			return store.Renewal{}, err
		}
	}
	if err := c.gone(); err != nil {
		return store.Renewal{}, err
	}
	return c.Subscriptions.Renew(ctx, m)
}

func (c faultySubscriptions) Release(ctx context.Context, holds ...store.Hold) error {
	if err := c.gone(); err != nil {
		return err
	}
	return c.Subscriptions.Release(ctx, holds...)
}

func (c faultySubscriptions) Leave(ctx context.Context, id uuid.UUID) error {
	if err := c.gone(); err != nil {
		return err
	}
	return c.Subscriptions.Leave(ctx, id)
}

func (c faultySubscriptions) Open(ctx context.Context, s store.Subscription) (store.Subscription, error) {
	if n := c.f.opens.Add(1); c.f.open != nil {
		if err := c.f.open(n); err != nil {
			return store.Subscription{}, err
		}
	}
	return c.Subscriptions.Open(ctx, s)
}

func (c faultySubscriptions) Advance(ctx context.Context, moves ...store.Move) error {
	n := c.f.advances.Add(1)
	if err := c.gone(); err != nil {
		return err
	}
	if c.f.advance != nil {
		if err := c.f.advance(n); err != nil {
			return err
		}
	}
	err := c.Subscriptions.Advance(ctx, moves...)
	if err == nil && c.f.lose != nil {
		err = c.f.lose(n)
	}
	return err
}

// another returns what another process sees of the store of db.
func another(db store.Store) *faulty { return &faulty{Store: db, local: &store.Local{}} }

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
