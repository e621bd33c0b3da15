package subscribe

import (
	"context"
	"fmt"
	"iter"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Parked yields the parked events that q selects, and with other States what was
// skipped and discarded, in the order of key and place. An error is the last pair. It
// reads pages of q.Limit, 0 is 100; breaking out of the loop frees everything.
func Parked(ctx context.Context, db store.Store, q store.ParkedQuery) iter.Seq2[store.Parked, error] {
	if q.Limit == 0 {
		q.Limit = 100
	}
	return func(yield func(store.Parked, error) bool) {
		for {
			page, err := db.Subscriptions().Parked(ctx, q)
			if err != nil {
				yield(store.Parked{}, err)
				return
			}
			for _, p := range page {
				if !yield(p, nil) {
					return
				}
			}
			if len(page) < q.Limit {
				return
			}
			last := page[len(page)-1]
			q.AfterKey, q.AfterAt, q.More = last.Key, last.At, true
		}
	}
}

// ParkedEvent reads the event itself. If it is no longer there, because the stream was
// deleted or truncated, the error says so and wraps [store.ErrEventNotFound].
func ParkedEvent(ctx context.Context, db store.Streams, p store.Parked) (store.Recorded, error) {
	q := store.Query{Stream: p.Stream, FromVersion: p.Version, Limit: 1}
	for r, err := range db.Read(ctx, q) {
		switch {
		case err != nil:
			return store.Recorded{}, fmt.Errorf("read what subscription %s has parked: %w", printable.Name(p.Subscription), err)
		case r.ID == p.EventID:
			return r, nil
		}
	}
	return store.Recorded{}, fmt.Errorf("read what subscription %s has parked: version %d of %s, event %s: %w; discard it",
		printable.Name(p.Subscription), int64(p.Version), printable.Name(p.Stream), p.EventID, store.ErrEventNotFound)
}

// RetryParked asks the owner of the lane to handle the parked events of a key again,
// in order, once what was wrong is mended, and returns how many there are. It returns at
// once: see [Parked] for what has become of them. New events of the key wait until
// none is parked. If the handler still fails, they are parked again, with one attempt
// more.
//
// If nothing of the key is parked, it returns 0.
func RetryParked(ctx context.Context, db store.Store, name, key, reason string) (int, error) {
	n, err := db.Subscriptions().Mark(ctx, name, key, store.ParkedRetry, reason)
	if err == nil && n > 0 {
		db.Local().Ring()
	}
	return n, err
}

// DiscardParked gives up the parked events of a key, of which none is handled any
// more, and returns how many. They stay listed as discarded, with the reason, which
// must not be empty: those who ask later have nothing else.
func DiscardParked(ctx context.Context, db store.Store, name, key, reason string) (int, error) {
	if reason == "" {
		return 0, invalid("%s: to discard what is parked for key %q needs a reason", printable.Name(name), key)
	}
	n, err := db.Subscriptions().Mark(ctx, name, key, store.ParkedDiscarded, reason)
	if err == nil && n > 0 {
		db.Local().Ring()
	}
	return n, err
}
