package memory

import (
	"context"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// Subscriptions returns where subscriptions are kept: as volatile as the events.
func (s *Store) Subscriptions() store.Subscriptions { return subscriptions{s} }

// subscriptions are those of the contents at the time of each call, so that who
// took them before a Reset does not go on with the old ones.
type subscriptions struct{ s *Store }

func (k subscriptions) current() *store.Ledger {
	k.s.mu.RLock()
	defer k.s.mu.RUnlock()
	return k.s.contents.ledger
}

func (k subscriptions) Open(ctx context.Context, s store.Subscription) (store.Subscription, error) {
	return k.current().Open(ctx, s)
}

func (k subscriptions) Find(ctx context.Context, name string) (store.Subscription, error) {
	return k.current().Find(ctx, name)
}

func (k subscriptions) List(ctx context.Context, after string, limit int) ([]store.Subscription, error) {
	return k.current().List(ctx, after, limit)
}

func (k subscriptions) Renew(ctx context.Context, m store.Member) (store.Renewal, error) {
	return k.current().Renew(ctx, m)
}

func (k subscriptions) Release(ctx context.Context, holds ...store.Hold) error {
	return k.current().Release(ctx, holds...)
}

func (k subscriptions) Leave(ctx context.Context, member uuid.UUID) error {
	return k.current().Leave(ctx, member)
}

func (k subscriptions) Advance(ctx context.Context, moves ...store.Move) error {
	return k.current().Advance(ctx, moves...)
}

func (k subscriptions) Report(ctx context.Context, h store.Hold, message string) error {
	return k.current().Report(ctx, h, message)
}

func (k subscriptions) Park(ctx context.Context, h store.Hold, events ...store.Parked) error {
	return k.current().Park(ctx, h, events...)
}

func (k subscriptions) Unpark(ctx context.Context, h store.Hold, key string, at uint64) error {
	return k.current().Unpark(ctx, h, key, at)
}

func (k subscriptions) Parked(ctx context.Context, q store.ParkedQuery) ([]store.Parked, error) {
	return k.current().Parked(ctx, q)
}

func (k subscriptions) Mark(ctx context.Context, name, key string, state store.ParkedState, reason string) (int, error) {
	return k.current().Mark(ctx, name, key, state, reason)
}

func (k subscriptions) Pause(ctx context.Context, name string, paused bool) error {
	return k.current().Pause(ctx, name, paused)
}

func (k subscriptions) Reset(ctx context.Context, name string, at uint64, drop bool) error {
	return k.current().Reset(ctx, name, at, drop)
}

func (k subscriptions) Rename(ctx context.Context, name, to string) error {
	return k.current().Rename(ctx, name, to)
}

func (k subscriptions) Delete(ctx context.Context, name string) error {
	return k.current().Delete(ctx, name)
}
