package store

import (
	"context"
	"slices"

	"github.com/esgen/esgen/internal/printable"
)

// own gives e its own copy of what is parked, if somebody may still need the old
// one: a save may go wrong.
func (l *Ledger) own(e *entry) {
	if l.save != nil {
		e.parked = slices.Clone(e.parked)
	}
}

// park changes what is parked under a hold.
func (l *Ledger) park(ctx context.Context, op string, h Hold, f func(*entry)) error {
	op += " subscription " + printable.Name(h.Subscription)
	if err := l.begin(ctx, op); err != nil {
		return err
	}
	defer l.mu.Unlock()
	if l.held(nil, h) == nil {
		return &FencedError{Holds: []Hold{h}}
	}
	e := l.entries[h.Subscription].draft()
	l.own(e)
	f(e)
	return l.change(op, map[string]*entry{h.Subscription: e})
}

// Park stores events that were not handled.
func (l *Ledger) Park(ctx context.Context, h Hold, events ...Parked) error {
	if err := CheckPark(h, events); err != nil {
		return err
	}
	return l.park(ctx, "park events of", h, func(e *entry) {
		now := l.now()
		for _, p := range events {
			p.Subscription, p.Lane, p.Time = h.Subscription, h.Lane, now
			p.Error, p.Reason = CutError(p.Error), CutError(p.Reason)
			i, found := slices.BinarySearchFunc(e.parked, p, byPlace)
			if found {
				e.parked[i] = p
			} else {
				e.parked = slices.Insert(e.parked, i, p)
			}
		}
	})
}

// Unpark removes an event that has been handled.
func (l *Ledger) Unpark(ctx context.Context, h Hold, key string, at uint64) error {
	if err := CheckUnpark(h, key, at); err != nil {
		return err
	}
	return l.park(ctx, "unpark an event of", h, func(e *entry) {
		if i, found := slices.BinarySearchFunc(e.parked, Parked{Key: key, At: at}, byPlace); found {
			e.parked = slices.Delete(e.parked, i, i+1)
		}
	})
}

// Parked returns a page of parked events.
func (l *Ledger) Parked(ctx context.Context, q ParkedQuery) ([]Parked, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if err := l.begin(ctx, "list parked events of subscription "+printable.Name(q.Subscription)); err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	e := l.entries[q.Subscription]
	if e == nil {
		return nil, &SubscriptionNotFoundError{Name: q.Subscription}
	}
	var page []Parked
	for _, p := range e.parked {
		if len(page) < q.Limit && q.matches(p) {
			page = append(page, p)
		}
	}
	return page, nil
}

func (q ParkedQuery) matches(p Parked) bool {
	return (q.Lane < 0 || p.Lane == q.Lane) &&
		(!q.HasKey || p.Key == q.Key) &&
		(len(q.States) == 0 || slices.Contains(q.States, p.State)) &&
		(!q.More || byPlace(p, Parked{Key: q.AfterKey, At: q.AfterAt}) > 0)
}

// Mark gives the waiting events of a key another state.
func (l *Ledger) Mark(ctx context.Context, name, key string, state ParkedState, reason string) (int, error) {
	if err := CheckMark(name, key, state); err != nil {
		return 0, err
	}
	marked := 0
	err := l.edit(ctx, "mark parked events of", name, func(e *entry) {
		l.own(e)
		now := l.now()
		for i := range e.parked {
			if p := &e.parked[i]; p.Key == key && p.State.waits() {
				p.State, p.Reason, p.Time = state, CutError(reason), now
				marked++
			}
		}
	})
	if err != nil {
		return 0, err
	}
	return marked, nil
}
