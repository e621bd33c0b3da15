package subscribe

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// open opens the subscription, for as long as that takes.
func (r *run) open() error {
	for {
		at, err := r.tryOpen()
		if r.work.Err() != nil {
			return r.work.Err()
		}
		r.mu.Lock()
		before := r.opening
		if err == nil {
			r.opening.clear()
			r.opened, r.first = true, at
			r.mu.Unlock()
			if before.failures > 0 {
				r.log.Info("subscription can open the checkpoint again", "failures", before.failures)
			}
			return nil
		}
		now := time.Now()
		r.opening.fail(now, err, storeBackoff, rand.Float64())
		r.lastErr, r.lastAt = err, now
		until := r.opening.until
		r.mu.Unlock()
		if permanent(err) {
			return err
		}
		if before.failures == 0 {
			r.log.Warn("subscription cannot open the checkpoint, retrying", "error", err)
		}
		timer := time.NewTimer(time.Until(until))
		select {
		case <-timer.C:
		case <-r.work.Done():
			timer.Stop()
			return r.work.Err()
		}
	}
}

// tryOpen returns where a lane begins that has no checkpoint.
func (r *run) tryOpen() (uint64, error) {
	s := r.s
	subs := s.db.Subscriptions()
	at, err := s.c.Start.first(r.work, s.db, s.c)
	if err != nil {
		return 0, r.named(err)
	}
	lanes := make([]store.Lane, s.c.Lanes)
	for i := range lanes {
		lanes[i] = store.Lane{Lane: i, At: at}
	}
	stored, err := subs.Open(r.work, store.Subscription{Name: s.name, Settings: s.settings, Lanes: lanes})
	if err == nil && (stored.Settings != s.settings || len(stored.Lanes) != s.c.Lanes) {
		return 0, &SettingsError{Name: s.name, Stored: stored.Settings, Given: s.settings}
	}
	return at, r.named(err)
}

// check returns those of the lanes that are this subscription's, and an error if it
// was replaced by another one of its name that reads something else, or if a
// checkpoint is beyond the end of the log.
func (r *run) check(ctx context.Context, lanes []store.Lane) ([]store.Lane, error) {
	// Renewals of the other lanes wait for this; the next one brings these again.
	ctx, cancel := context.WithTimeout(ctx, r.s.c.Lease/3)
	defer cancel()
	stored, err := r.s.db.Subscriptions().Find(ctx, r.s.name)
	if err != nil {
		return nil, r.named(err)
	}
	if stored.Settings != r.s.settings || len(stored.Lanes) != r.s.c.Lanes {
		return nil, &SettingsError{Name: r.s.name, Stored: stored.Settings, Given: r.s.settings}
	}
	lanes = slices.DeleteFunc(lanes, func(of store.Lane) bool {
		return of.Lane >= len(stored.Lanes) || stored.Lanes[of.Lane].Token != of.Token
	})
	return lanes, r.checkHead(ctx, lanes...)
}

// checkHead refuses a checkpoint beyond the end of the log, unless that is where
// the lane was to begin. The end is looked up once for all of them.
func (r *run) checkHead(ctx context.Context, lanes ...store.Lane) error {
	lanes = slices.DeleteFunc(slices.Clone(lanes), func(of store.Lane) bool { return of.At == 0 || of.At == r.first })
	if len(lanes) == 0 {
		return nil
	}
	head, known, err := r.head(ctx)
	if err != nil || !known {
		return r.named(err)
	}
	for _, of := range lanes {
		if of.At > head {
			r.feed.forget()
			return &BeyondHeadError{Subscription: r.s.name, Lane: of.Lane, At: of.At, Head: head}
		}
	}
	return nil
}

// head is the last place that there is, if it is known: of a stream of which
// removals have left nothing only a catalog knows.
func (r *run) head(ctx context.Context) (at uint64, known bool, err error) {
	db, stream := r.s.db, r.s.c.Stream
	catalog, ok := db.(store.Catalog)
	if ok && stream == "" {
		last, err := catalog.LastPosition(ctx)
		return uint64(last), true, err
	}
	if ok {
		info, err := catalog.StreamInfo(ctx, stream)
		if errors.Is(err, store.ErrStreamNotFound) {
			return 0, true, nil
		}
		return uint64(info.Version), true, err
	}
	for e, err := range db.Read(ctx, store.Query{Stream: stream, Backward: true, Limit: 1}) {
		if errors.Is(err, store.ErrStreamNotFound) {
			return 0, true, nil
		}
		return r.s.c.place(&e), true, err
	}
	return 0, stream == "", nil
}
