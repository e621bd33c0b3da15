package subscribe

import (
	"errors"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// settle is how long there must be nothing to handle before the checkpoint is
// stored early, so that a trickle of events is not a trickle of writes.
const settle = 20 * time.Millisecond

// saving is what a machine knows of its checkpoint.
type saving struct {
	savings setback
	// handled is the place up to which all is settled, stored the checkpoint.
	handled, stored uint64
	// unsaved counts the events of the lane between the two, sending those of them
	// that the move to target covers. A move is repeated unchanged until it
	// succeeds: its reply may be what was lost, and another target would then not
	// fit.
	unsaved, sending int
	target           uint64
	// dirty is when the first place was passed that no move covers; recent when
	// the last event was handled.
	dirty, recent time.Time
	// hopeless tells that trying to store the checkpoint again is pointless.
	hopeless bool
}

// advance moves handled to the end of what is settled.
func (m *machine) advance(now time.Time, events int) {
	for m.queue.len() > 0 && m.queue.first().state == settled {
		m.queue.pop()
		events++
	}
	at := m.last
	if m.queue.len() > 0 {
		at = m.queue.first().before
	}
	m.unsaved += events
	if at > m.handled {
		m.handled = at
		if m.dirty.IsZero() {
			m.dirty = now
		}
	}
	m.live = m.live || m.idle()
	m.cursor = max(m.cursor, m.queue.begin())
}

func (m *machine) maySave() bool {
	return !m.busy[saves] && !m.hopeless && !m.lost && m.handled > m.stored && (!m.how.moves || m.inFlight == 0)
}

func (m *machine) saveAt() time.Time {
	switch {
	case m.savings.failures > 0:
		return m.savings.until
	case m.stopping || m.unsaved >= (m.c.CheckpointEvery+1)/2:
		return time.Time{}
	}
	at := m.dirty.Add(m.c.CheckpointAfter)
	if early := m.recent.Add(settle); m.unsaved > 0 && m.idle() && early.Before(at) {
		return early
	}
	return at
}

func (m *machine) save() action {
	m.busy[saves] = true
	if m.savings.failures == 0 || m.target == 0 {
		m.target, m.sending, m.dirty = m.handled, m.unsaved, time.Time{}
	}
	return action{do: saves, from: m.stored, to: m.target}
}

// hasSaved: the checkpoint is at the target, or the move may or may not have been
// made.
func (m *machine) hasSaved(now time.Time, err error) {
	m.busy[saves] = false
	switch {
	case err == nil:
		m.savings.clear()
		m.stored, m.target = m.target, 0
		m.unsaved -= m.sending
		m.sending = 0
	case errors.Is(err, store.ErrFenced):
		m.lose(err)
	default:
		m.savings.fail(now, err, storeBackoff, m.random())
		if permanent(err) {
			m.hopeless = true
			m.stop(now, err, true)
		}
	}
}
