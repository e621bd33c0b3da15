package subscribe

import "time"

// Status tells how a subscription is doing.
type Status struct {
	Name string
	// Reads is what the subscription reads: $all, a stream, or categories.
	Reads string
	// State says in words what goes on: "catching up", "live", "retrying an
	// event", "reading fails, retrying", "not running".
	State string
	// At is the position, or for a subscription to one stream the version, of
	// the last event that was handled.
	At uint64
	// EventTime is the time of that event, zero if none was handled in this run.
	EventTime time.Time
	// Stored is the stored checkpoint, as far as this process knows.
	Stored uint64
	// Handled counts the events handled in this run.
	Handled uint64
	// Live is true once the subscription has handled all that was there, until
	// a read finds a full page of new events or the run ends.
	Live bool
	// Attempt counts the failures of what is being retried now, 0 if nothing is.
	Attempt int
	// LastError is the last failure of the handler or the store, also when it
	// is overcome, or what ended the last run.
	LastError error
	// LastErrorTime is when that was.
	LastErrorTime time.Time
}

// notRunning is the state before the first run and after each.
const notRunning = "not running"

// describe says in words what m is at.
func (m *machine) describe() string {
	switch {
	case m.stopping && m.handling:
		return "stopping, waiting for the handler"
	case m.stopping:
		return "stopping"
	case m.openings.failures > 0:
		return "opening the checkpoint fails, retrying"
	case !m.opened:
		return "opening the checkpoint"
	case m.handlings.failures > 0:
		return "retrying an event"
	case m.savings.failures > 0:
		return "storing the checkpoint fails, retrying"
	case m.readings.failures > 0:
		return "reading fails, retrying"
	case !m.seeking.IsZero():
		return "looking for the first event"
	case m.live:
		return "live"
	default:
		return "catching up"
	}
}

// attempt counts the failures of what describe names.
func (m *machine) attempt() int {
	for _, s := range []setback{m.openings, m.handlings, m.savings, m.readings} {
		if s.failures > 0 {
			return s.failures
		}
	}
	return 0
}
