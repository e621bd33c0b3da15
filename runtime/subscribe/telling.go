package subscribe

import (
	"sync/atomic"
	"time"
)

// telling tells the machine which events of a turn were handled: several at once
// while they are fast, by a timer while one takes its time.
type telling struct {
	l *lane
	// timer calls late; armed tells that it will.
	timer *time.Timer
	armed atomic.Bool
	// done counts the events that were handled.
	done atomic.Int64

	// The lock of the lane guards the events and how many of them were told.
	ds   []delivery
	told int
	// since is the time of the last telling, until the end of the lease as of then.
	// They are the handler's.
	since, until time.Time
}

// begin begins a turn.
func (t *telling) begin(ds []delivery) {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	t.ds, t.told = ds, 0
	t.done.Store(0)
}

// handled tells that the next event was handled, soon, and reports whether to go on.
func (t *telling) handled() (goOn bool) {
	t.done.Add(1)
	if now := time.Now(); now.Sub(t.since) >= tellAfter || !now.Before(t.until) {
		_, goOn := t.l.answered(func(m *machine, now time.Time) bool {
			t.since, t.until = now, m.until
			return t.tell(m, now)
		})
		return goOn // which it does not if what was told no longer counted
	}
	if !t.armed.Load() {
		t.armed.Store(true)
		t.timer.Reset(tellAfter)
	}
	return true
}

// late tells what was handled before an event that takes its time.
func (t *telling) late() {
	t.armed.Store(false)
	t.l.answered(t.tell)
}

// failed tells why the next event was not handled.
func (t *telling) failed(err error) {
	t.l.answered(func(m *machine, now time.Time) bool {
		t.tell(m, now)
		next := &t.ds[t.told]
		return m.nacked(now, next.number, next.giving, err)
	})
}

// end ends a turn. What is left goes back, unless the handler ended the goroutine
// instead of returning: then it has an event in its hands.
func (t *telling) end(returned bool) {
	t.l.answered(func(m *machine, now time.Time) bool {
		t.tell(m, now)
		if returned && t.told < len(t.ds) {
			m.putBack(t.ds[t.told].number, "")
		}
		t.ds, t.told = nil, 0
		t.done.Store(0)
		return true
	})
}

// tell is called with the lock held.
func (t *telling) tell(m *machine, now time.Time) (counted bool) {
	counted = true
	for done := int(t.done.Load()); t.told < done; t.told++ {
		d := &t.ds[t.told]
		counted = m.acked(now, d.number, d.giving) && counted
	}
	return counted
}
