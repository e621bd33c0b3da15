// Package borrowed keeps subscriptions in a ledger that each call reads and writes.
package borrowed

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// Subscriptions run each call on a ledger.
type Subscriptions struct {
	With func(ctx context.Context, op string, f func(*store.Ledger) error) error
}

type stored struct {
	store.Kept
	Living []store.KeptMember `json:"living"`
}

// Encode and Decode are what is stored.
func Encode(l *store.Ledger) (string, error) {
	k := l.Kept()
	text, err := json.Marshal(stored{Kept: k, Living: k.Members})
	return string(text), err
}

// Decode reads what Encode wrote.
func Decode(text string) (store.Kept, error) {
	var k stored
	if text == "" {
		return store.Kept{}, nil
	}
	err := json.Unmarshal([]byte(text), &k)
	k.Kept.Members = k.Living
	return k.Kept, err
}

// Open is the ledger's.
func (b Subscriptions) Open(ctx context.Context, s store.Subscription) (r store.Subscription, _ error) {
	var answer error
	err := b.With(ctx, "open", func(l *store.Ledger) error {
		r, answer = l.Open(ctx, s)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return r, err
}

// Find is the ledger's.
func (b Subscriptions) Find(ctx context.Context, name string) (r store.Subscription, _ error) {
	var answer error
	err := b.With(ctx, "find", func(l *store.Ledger) error {
		r, answer = l.Find(ctx, name)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return r, err
}

// List is the ledger's.
func (b Subscriptions) List(ctx context.Context, after string, limit int) (r []store.Subscription, _ error) {
	var answer error
	err := b.With(ctx, "list", func(l *store.Ledger) error {
		r, answer = l.List(ctx, after, limit)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return r, err
}

// Renew is the ledger's.
func (b Subscriptions) Renew(ctx context.Context, m store.Member) (r store.Renewal, _ error) {
	var answer error
	err := b.With(ctx, "renew", func(l *store.Ledger) error {
		r, answer = l.Renew(ctx, m)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return r, err
}

// Release is the ledger's.
func (b Subscriptions) Release(ctx context.Context, holds ...store.Hold) error {
	var answer error
	err := b.With(ctx, "release", func(l *store.Ledger) error {
		answer = l.Release(ctx, holds...)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return err
}

// Leave is the ledger's.
func (b Subscriptions) Leave(ctx context.Context, member uuid.UUID) error {
	var answer error
	err := b.With(ctx, "leave", func(l *store.Ledger) error {
		answer = l.Leave(ctx, member)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return err
}

// Advance is the ledger's.
func (b Subscriptions) Advance(ctx context.Context, moves ...store.Move) error {
	var answer error
	err := b.With(ctx, "advance", func(l *store.Ledger) error {
		answer = l.Advance(ctx, moves...)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return err
}

// Report is the ledger's.
func (b Subscriptions) Report(ctx context.Context, h store.Hold, message string) error {
	var answer error
	err := b.With(ctx, "report", func(l *store.Ledger) error {
		answer = l.Report(ctx, h, message)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return err
}

// Park is the ledger's.
func (b Subscriptions) Park(ctx context.Context, h store.Hold, events ...store.Parked) error {
	var answer error
	err := b.With(ctx, "park", func(l *store.Ledger) error {
		answer = l.Park(ctx, h, events...)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return err
}

// Unpark is the ledger's.
func (b Subscriptions) Unpark(ctx context.Context, h store.Hold, key string, at uint64) error {
	var answer error
	err := b.With(ctx, "unpark", func(l *store.Ledger) error {
		answer = l.Unpark(ctx, h, key, at)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return err
}

// Parked is the ledger's.
func (b Subscriptions) Parked(ctx context.Context, q store.ParkedQuery) (r []store.Parked, _ error) {
	var answer error
	err := b.With(ctx, "parked", func(l *store.Ledger) error {
		r, answer = l.Parked(ctx, q)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return r, err
}

// Mark is the ledger's.
func (b Subscriptions) Mark(ctx context.Context, name, key string, state store.ParkedState, reason string) (r int, _ error) {
	var answer error
	err := b.With(ctx, "mark", func(l *store.Ledger) error {
		r, answer = l.Mark(ctx, name, key, state, reason)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return r, err
}

// Pause is the ledger's.
func (b Subscriptions) Pause(ctx context.Context, name string, paused bool) error {
	var answer error
	err := b.With(ctx, "pause", func(l *store.Ledger) error {
		answer = l.Pause(ctx, name, paused)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return err
}

// Reset is the ledger's.
func (b Subscriptions) Reset(ctx context.Context, name string, at uint64, drop bool) error {
	var answer error
	err := b.With(ctx, "reset", func(l *store.Ledger) error {
		answer = l.Reset(ctx, name, at, drop)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return err
}

// Rename is the ledger's.
func (b Subscriptions) Rename(ctx context.Context, name, to string) error {
	var answer error
	err := b.With(ctx, "rename", func(l *store.Ledger) error {
		answer = l.Rename(ctx, name, to)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return err
}

// Delete is the ledger's.
func (b Subscriptions) Delete(ctx context.Context, name string) error {
	var answer error
	err := b.With(ctx, "delete", func(l *store.Ledger) error {
		answer = l.Delete(ctx, name)
		return answer
	})
	if answer != nil {
		err = answer
	}
	return err
}
