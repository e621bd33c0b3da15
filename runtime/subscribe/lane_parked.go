package subscribe

import (
	"context"
	"errors"

	"github.com/esgen/esgen/runtime/store"
)

// heads returns the first event of each key of which events are parked.
func (l *lane) heads(ctx context.Context, subs store.Subscriptions) ([]store.Parked, error) {
	q := store.ParkedQuery{
		Subscription: l.name, Lane: l.hold.Lane, Limit: 1000,
		States: []store.ParkedState{store.ParkedWaiting, store.ParkedRetry},
	}
	var heads []store.Parked
	for {
		page, err := subs.Parked(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			if len(heads) == 0 || heads[len(heads)-1].Key != p.Key {
				heads = append(heads, p)
			}
		}
		if len(page) < q.Limit {
			return heads, nil
		}
		q.More, q.AfterKey, q.AfterAt = true, page[len(page)-1].Key, afterKey
	}
}

// look finds a parked event to be handled again: one that somebody has asked for,
// or one that waits behind an event which is no longer there, but of none of the keys.
func (l *lane) look(ctx context.Context, subs store.Subscriptions, but map[string]bool) ([]store.Parked, *replay, error) {
	heads, err := l.heads(ctx, subs)
	if err != nil {
		return nil, nil, err
	}
	for _, head := range heads {
		if !tryable(head) || but[head.Key] {
			continue
		}
		r, err := l.fetch(ctx, head)
		if err != nil {
			return nil, nil, err
		}
		// An event that was deleted for good needs no handling.
		return heads, &replay{row: head, r: r, done: r == nil}, nil
	}
	return heads, nil, nil
}

// fetch reads a parked event where it is stored, or returns nil if it is there no
// longer.
func (l *lane) fetch(ctx context.Context, p store.Parked) (*store.Recorded, error) {
	q := l.c.query()
	q.Limit = 1
	if q.Stream != "" {
		q.FromVersion = p.Version
	} else {
		q.FromPosition = p.Position
	}
	for r, err := range l.run.s.db.Read(ctx, q) {
		switch {
		case errors.Is(err, store.ErrStreamNotFound):
			return nil, nil
		case err != nil:
			return nil, err
		case l.c.place(&r) != p.At:
			return nil, nil
		}
		return &r, nil
	}
	return nil, nil
}

// settle stores what became of a parked event that was handled again. If it failed,
// what somebody has decided meanwhile holds: that it is discarded, or to be tried
// again.
func (l *lane) settle(ctx context.Context, subs store.Subscriptions, r *replay) error {
	if r.err == nil {
		return subs.Unpark(ctx, l.hold, r.row.Key, r.row.At)
	}
	now, err := subs.Parked(ctx, store.ParkedQuery{
		Subscription: l.name, Lane: l.hold.Lane, Key: r.row.Key, HasKey: true,
		States: []store.ParkedState{store.ParkedWaiting, store.ParkedRetry},
		More:   true, AfterKey: r.row.Key, AfterAt: r.row.At - 1, Limit: 1,
	})
	if err != nil || len(now) == 0 || now[0].At != r.row.At {
		return err
	}
	asked := now[0].State == store.ParkedRetry && !now[0].Time.Equal(r.row.Time)
	row := r.row
	row.State, row.Error, row.Attempts = store.ParkedWaiting, r.err.Error(), row.Attempts+r.failures
	decision, _ := verdictOf(r.err)
	if decision == skips || decision == usual && l.c.OnFailure == ThenSkip {
		row.State = store.ParkedSkipped
	}
	if asked && row.State == store.ParkedWaiting {
		row.State, row.Reason = store.ParkedRetry, now[0].Reason
	}
	if err := subs.Park(ctx, l.hold, row); err != nil || row.State != store.ParkedWaiting {
		return err
	}
	_, err = subs.Mark(ctx, l.name, row.Key, store.ParkedWaiting, row.Reason)
	return err
}
