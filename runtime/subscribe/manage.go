package subscribe

import (
	"context"
	"fmt"
	"time"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// The functions below change subscriptions from outside, whoever runs them: nobody
// needs the program that does, or to stop it. A process that owns lanes learns it from
// its next renewal, or when it is to store a checkpoint, whichever comes first: within
// a third of [Config.Lease]. What it handled in the meantime and could not store may
// be handled again.
//
// All return a [*store.SubscriptionNotFoundError] if there is none of the name.

// Pause takes the lanes from all who have them; nobody gets them until [Resume]. A
// paused subscription stays paused, however often programs start. One that is paused
// already is no error.
func Pause(ctx context.Context, db store.Store, name string) error {
	return db.Subscriptions().Pause(ctx, name, true)
}

// Resume lets a paused subscription go on from its checkpoints.
func Resume(ctx context.Context, db store.Store, name string) error {
	if err := db.Subscriptions().Pause(ctx, name, false); err != nil {
		return err
	}
	db.Local().Ring()
	return nil
}

// Reset begins again: it puts all lanes at start and forgets what was parked, skipped
// and discarded, of which what lies after start comes again. A nil start is [Origin].
// It returns the place at which the lanes are: that of the last event which is not
// handled again.
//
// An [After] or [AfterVersion] must not be beyond the last event, and an [At] finds
// the first event that is not older; if there is none yet, it is [Current].
func Reset(ctx context.Context, db store.Store, name string, start Start) (at uint64, err error) {
	return putAt(ctx, db, name, start, true)
}

// Move puts all lanes at start, as [Reset] does, and leaves what is parked, skipped
// and discarded as it is. It passes over events that are not to be handled, or goes
// back for some that are to be handled again; an event that is still parked stays so.
func Move(ctx context.Context, db store.Store, name string, start Start) (at uint64, err error) {
	return putAt(ctx, db, name, start, false)
}

func putAt(ctx context.Context, db store.Store, name string, start Start, drop bool) (at uint64, err error) {
	s, err := db.Subscriptions().Find(ctx, name)
	if err != nil {
		return 0, err
	}
	if at, err = resolve(ctx, db, s, start); err != nil {
		return 0, fmt.Errorf("subscription %s: %w", printable.Name(name), err)
	}
	if err := db.Subscriptions().Reset(ctx, name, at, drop); err != nil {
		return 0, err
	}
	db.Local().Ring()
	return at, nil
}

// resolve is the place of the last event before start, as s counts.
func resolve(ctx context.Context, db store.Streams, s store.Subscription, start Start) (uint64, error) {
	r, err := parseScope(s.Settings)
	if err != nil {
		if edge, ok := start.(edge); start == nil || ok && edge == Origin {
			return 0, nil // whatever it reads
		}
		return 0, err
	}
	q := r.selects
	if err := (Config{Start: start, Stream: q.Stream, Categories: q.Categories}).check(); err != nil {
		return 0, err
	}
	head, err := r.head(ctx, db)
	if err != nil {
		return 0, err
	}
	var at uint64
	switch start := start.(type) {
	case nil:
	case edge:
		if start == Current {
			at = head
		}
	case After:
		at = uint64(start)
	case AfterVersion:
		at = uint64(start)
	case At:
		return r.before(ctx, db, time.Time(start), head)
	default:
		return 0, invalid("start %T is not known here", start)
	}
	if at > head {
		return 0, invalid("to begin after %d is to pass over what is not there yet, for the last event is %d; use Current to begin with the next one", at, head)
	}
	return at, nil
}

// before is the place before the first event whose time is not before t.
func (r scope) before(ctx context.Context, db store.Streams, t time.Time, head uint64) (uint64, error) {
	q := r.selects
	q.Since, q.Limit = t, 1
	if err := q.Check(); err != nil {
		return 0, err
	}
	first, err := r.read(ctx, db, q)
	if err != nil || len(first) == 0 {
		return head, err
	}
	return r.place(first[0]) - 1, nil
}

// Rename gives a subscription another name, with its checkpoints and what is parked.
// Programs that run it under the old name stop with an error; one that asks for the
// new name goes on. If the new name is taken, the error is a
// [*store.SubscriptionExistsError].
func Rename(ctx context.Context, db store.Store, name, to string) error {
	return db.Subscriptions().Rename(ctx, name, to)
}

// Delete removes a subscription, with its checkpoints and what is parked, skipped and
// discarded. Programs that run it stop with an error. Under its name a new one may
// begin, as [Config.Start] says.
func Delete(ctx context.Context, db store.Store, name string) error {
	return db.Subscriptions().Delete(ctx, name)
}
