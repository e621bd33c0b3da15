package subscribe

import (
	"context"
	"fmt"
	"time"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// The pauses between looks at the checkpoints of other processes.
const (
	firstLook   = 5 * time.Millisecond
	longestLook = 250 * time.Millisecond
)

// WaitFor returns nil once the subscription has handled what was appended, so that
// what it keeps can be read: read your own writes. Events count as handled also if they
// were parked or skipped, and those that the subscription does not read.
//
// Of lanes that this process runs it learns that at once. Of others it learns by their
// checkpoints, which it looks at every 5 milliseconds at first and every 250 later;
// those are stored when all events are handled, and else after [Config.CheckpointAfter].
//
// When ctx ends, the error is a [*WaitError], which says how far the subscription is and
// wraps the context's. A subscription that is not there is a
// [*store.SubscriptionNotFoundError] at once. Appends in a transaction have no
// positions until the commit: pass what is known after it.
func WaitFor(ctx context.Context, db store.Store, name string, appended ...store.Appended) error {
	w := waiting{db: db, name: name, appended: appended, begun: time.Now(), here: standingsOf(db.Local())}
	moved, done := w.here.wait()
	defer done()
	pause := firstLook
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		select {
		case <-moved:
			moved = w.here.moved.Wait() // before the lanes are looked at
			if w.handledHere() {
				return nil
			}
			continue
		case <-look.C:
		case <-ctx.Done():
			return w.overdue(context.Cause(ctx))
		}
		handled, err := w.look(ctx)
		switch {
		case ctx.Err() != nil && !handled:
			return w.overdue(context.Cause(ctx))
		case err != nil && !store.Retryable(err):
			return fmt.Errorf("wait for subscription %s: %w", printable.Name(name), err)
		case handled:
			return nil
		}
		look.Reset(pause)
		pause = min(2*pause, longestLook)
	}
}

// waiting is a call of [WaitFor].
type waiting struct {
	db       store.Store
	name     string
	appended []store.Appended
	begun    time.Time
	here     *standings

	// found is what the last look has found, and target what is waited for.
	found  *store.Subscription
	target uint64
}

// look asks the store whether all is handled.
func (w *waiting) look(ctx context.Context) (bool, error) {
	s, err := w.db.Subscriptions().Find(ctx, w.name)
	if err != nil {
		return false, err
	}
	r, err := parseScope(s.Settings)
	if err != nil {
		return false, err
	}
	if w.target, err = targetOf(r, w.appended); err != nil {
		return false, err
	}
	w.found = &s
	at, _ := w.lowest()
	if at >= w.target || w.handledHere() {
		return true, nil
	}
	if r.all() {
		return false, nil
	}
	// A checkpoint stays where it is while nothing comes that is read.
	next, err := r.next(ctx, w.db, at, 1)
	return err == nil && (len(next) == 0 || r.place(next[0]) > w.target), err
}

// targetOf is the place to wait for, 0 if nothing of what was appended is read.
func targetOf(r scope, appended []store.Appended) (at uint64, _ error) {
	for _, a := range appended {
		switch {
		case r.selects.Stream == "" && a.Last == 0 && a.Version > 0:
			return 0, invalid("what was appended to %s has no position yet; wait after the commit, with the positions that it gave", printable.Name(a.Stream))
		case r.selects.Stream == "":
			at = max(at, uint64(a.Last))
		case a.Stream == r.selects.Stream:
			at = max(at, uint64(a.Version))
		}
	}
	return at, nil
}

// lowest is the place of the lane that is least far, and that lane.
func (w *waiting) lowest() (at uint64, lane int) {
	for i, l := range w.found.Lanes {
		if here := w.here.find(l).place(l); i == 0 || here < at {
			at, lane = here, l.Lane
		}
	}
	return at, lane
}

// handledHere reports whether the lanes that were not there at the last look are by now.
func (w *waiting) handledHere() bool {
	if w.found == nil {
		return false
	}
	at, _ := w.lowest()
	return at >= w.target
}

// overdue is the error when the context has ended.
func (w *waiting) overdue(cause error) error {
	e := &WaitError{Subscription: w.name, Waited: time.Since(w.begun), Err: cause}
	if w.found == nil {
		return e
	}
	now := time.Now()
	info := Info{Reads: w.found.Settings, Paused: w.found.Paused, Lanes: make([]LaneInfo, len(w.found.Lanes)), Head: w.target}
	for i, lane := range w.found.Lanes {
		l := laneOfStore(lane, w.here.find(lane), now)
		l.Behind = w.target - min(w.target, l.At)
		info.Behind = max(info.Behind, l.Behind)
		info.Lanes[i] = l
	}
	info.sum()
	e.State, e.LastError = info.describe(now), info.LastError
	e.At, e.Lane = w.lowest()
	e.Wanted, e.Lanes = w.target, len(w.found.Lanes)
	return e
}

// WaitError tells that a subscription was not far enough in time.
type WaitError struct {
	Subscription string
	// Wanted is the place that was waited for, and At the place of the lane that is
	// least far. Both are 0 if the store did not answer at all.
	Wanted, At uint64
	// Lane is that lane, of so many Lanes.
	Lane, Lanes int
	// State is that of [Info], and LastError as well.
	State, LastError string
	Waited           time.Duration
	// Err is why the wait has ended.
	Err error
}

func (e *WaitError) Error() string {
	name := printable.Name(e.Subscription)
	if e.Lanes == 0 {
		return fmt.Sprintf("wait for subscription %s: the store has not answered after %s: %v", name, e.Waited.Round(time.Millisecond), e.Err)
	}
	lane := ""
	if e.Lanes > 1 {
		lane = fmt.Sprintf("lane %d of ", e.Lane)
	}
	text := fmt.Sprintf("wait for subscription %s to handle %d: %sit is at %d after %s (%s)",
		name, e.Wanted, lane, e.At, e.Waited.Round(time.Millisecond), e.State)
	if e.LastError != "" {
		text += ", its last error: " + printable.Name(e.LastError)
	}
	return fmt.Sprintf("%s: %v", text, e.Err)
}

func (e *WaitError) Unwrap() error { return e.Err }
