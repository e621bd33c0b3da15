package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// parkedPage is how many parked events are looked at in one query.
const parkedPage = 1000

// subscriptions looks at what is kept of each: its lanes are all there, none has
// handled more than there is, and what is parked can be read.
func (v *verification) subscriptions(ctx context.Context) error {
	all, err := subscribe.List(ctx, v.t)
	if err != nil {
		return err
	}
	for _, info := range all {
		v.result.Subscriptions++
		v.lanes(info)
		if err := v.parked(ctx, info.Name); err != nil && !errors.Is(err, store.ErrSubscriptionNotFound) {
			return err
		}
	}
	return nil
}

func (v *verification) lanes(info subscribe.Info) {
	name := printable(info.Name)
	if want, known := lanesOf(info.Settings); known && want != len(info.Lanes) {
		v.wrongf("subscription %s has %s, its settings %q want %d; delete it, and begin anew", name, count(len(info.Lanes), "lane"), info.Settings, want)
	}
	// A stream of which removals have left nothing says nothing.
	// So do settings that this release cannot read: Reads is all of them then.
	known := info.Head > 0 || !strings.HasPrefix(info.Reads, "stream ") && info.Reads != info.Settings
	for i, lane := range info.Lanes {
		if lane.Lane != i {
			v.wrongf("subscription %s has no lane %d; delete it, and begin anew", name, i)
			return
		}
		if known && lane.At > info.Head && !v.holes {
			v.wrongf("subscription %s: lane %d has handled all up to %d, the last event is %d: the store is an older copy, or its last events were deleted for good (-allow-holes); see esctl subscriptions move",
				name, lane.Lane, lane.At, info.Head)
		}
	}
}

// lanesOf is how many lanes there are by the settings of a subscription.
func lanesOf(settings string) (n int, known bool) {
	for part := range strings.SplitSeq(settings, "; ") {
		var word string
		if k, err := fmt.Sscanf(part, "%d %s", &n, &word); err == nil && k == 2 && (word == "lane" || word == "lanes") {
			return n, true
		}
	}
	return 0, false
}

// parked looks for the events that wait parked.
func (v *verification) parked(ctx context.Context, name string) error {
	q := store.ParkedQuery{Subscription: name, Lane: -1, States: []store.ParkedState{store.ParkedWaiting, store.ParkedRetry}, Limit: parkedPage}
	for {
		page, err := v.t.Subscriptions().Parked(ctx, q)
		if err != nil {
			return err
		}
		for _, p := range page {
			there, err := v.there(ctx, p)
			if err != nil {
				return err
			}
			if !there {
				v.wrongf("subscription %s: version %d of %s, parked under key %s at %d, is not there any more; esctl parked discard gives the key up",
					printable(name), int64(p.Version), printable(p.Stream), printable(p.Key), p.At)
			}
		}
		if len(page) < q.Limit {
			return nil
		}
		last := page[len(page)-1]
		q.AfterKey, q.AfterAt, q.More = last.Key, last.At, true
	}
}

// there reports whether a parked event can be read.
func (v *verification) there(ctx context.Context, p store.Parked) (bool, error) {
	q := store.Query{FromPosition: p.Position, Limit: 1}
	if p.Position == 0 {
		q = store.Query{Stream: p.Stream, FromVersion: p.Version, Limit: 1}
	}
	for e, err := range v.t.Read(ctx, q) {
		switch {
		case errors.Is(err, store.ErrStreamNotFound):
			return false, nil
		case errors.Is(err, store.ErrStreamDeleted):
			return true, nil // it comes back when the stream does
		case err != nil:
			return false, err
		}
		return e.ID == p.EventID, nil
	}
	return false, nil
}
