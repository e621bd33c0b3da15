package subscribe

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Status tells how a subscription is doing in this process.
type Status struct {
	Name string
	// Reads is what the subscription reads: $all, a stream, or categories.
	Reads string
	// State says in words what goes on: "catching up", "live", "standing by",
	// "retrying an event", "reading fails, retrying", "paused", "not running"; with
	// several lanes it is that of the one that is worst off.
	State string
	// Lanes are those that this process has, by number. After a run they are those
	// that it had last.
	Lanes []LaneStatus
	// At, Stored and Live are those of the lane that is furthest behind: At is the
	// position, or for a subscription to one stream the version, up to which all
	// events are handled, and Stored the checkpoint, as far as this process knows.
	At, Stored uint64
	// Handled counts the events handled in this run.
	Handled uint64
	// Live is true once all that was there has been handled, until a read finds
	// a full page of new events or the run ends.
	Live bool
	// EventTime is the time of the last event that was handled, zero if none was
	// in this run.
	EventTime time.Time
	// Attempt counts the failures of what is being retried now, 0 if nothing is.
	Attempt int
	// LastError is the last failure of the handler or the store, also when it
	// is overcome, or what ended the last run.
	LastError error
	// LastErrorTime is when that was.
	LastErrorTime time.Time
}

// LaneStatus tells how a lane is doing.
type LaneStatus struct {
	Lane int
	// Token is that under which this process has the lane.
	Token      uint64
	State      string
	At, Stored uint64
	Handled    uint64
	Live       bool
	EventTime  time.Time
	// InFlight counts the events given to the program and not acknowledged, and
	// InFlightSince is when the oldest of them was given.
	InFlight      int
	InFlightSince time.Time
	// ParkedKeys counts the keys of which events are parked.
	ParkedKeys    int
	Attempt       int
	LastError     error
	LastErrorTime time.Time
}

// notRunning is the state before the first run and after each.
const notRunning = "not running"

// status fills in what the run knows.
func (r *run) status(s Status) Status {
	r.mu.Lock()
	lanes := slices.SortedFunc(maps.Values(r.lanes), func(a, b *lane) int { return cmp.Compare(a.hold.Lane, b.hold.Lane) })
	s.LastError, s.LastErrorTime = r.lastErr, r.lastAt
	s.Handled, s.Lanes = r.handled, nil
	s.State, s.Attempt = r.describe(len(lanes))
	if len(lanes) == 0 {
		for _, number := range slices.Sorted(maps.Keys(r.past)) {
			s.Lanes = append(s.Lanes, r.past[number])
		}
	}
	r.mu.Unlock()
	for _, l := range lanes {
		one := l.status()
		s.Handled += one.Handled
		s.Lanes = append(s.Lanes, one)
	}
	worst := -1
	for i, one := range s.Lanes {
		if i == 0 || one.At < s.At {
			s.At = one.At
		}
		if i == 0 || one.Stored < s.Stored {
			s.Stored = one.Stored
		}
		s.Live = one.Live && (i == 0 || s.Live)
		if one.EventTime.After(s.EventTime) {
			s.EventTime = one.EventTime
		}
		if one.LastErrorTime.After(s.LastErrorTime) {
			s.LastError, s.LastErrorTime = one.LastError, one.LastErrorTime
		}
		if one.Attempt > 0 || worst < 0 || s.Lanes[worst].Attempt == 0 && !one.Live {
			worst = i
		}
	}
	if len(lanes) > 0 && s.Attempt == 0 {
		s.State, s.Attempt = s.Lanes[worst].State, s.Lanes[worst].Attempt
	}
	return s
}

// describe says in words what the run itself is at.
func (r *run) describe(lanes int) (state string, attempt int) {
	switch {
	case r.opening.failures > 0:
		return "opening the checkpoint fails, retrying", r.opening.failures
	case !r.opened:
		return "opening the checkpoint", 0
	case r.renewal.failures > 0:
		return "renewing the lease fails, retrying", r.renewal.failures
	case r.paused:
		return "paused", 0
	case lanes == 0 && r.granted == nil:
		return "asking for its lanes", 0
	default:
		return "standing by", 0
	}
}

// status tells how the lane is doing.
func (l *lane) status() LaneStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.m
	s := LaneStatus{
		Lane: l.hold.Lane, Token: l.hold.Token, At: m.handled, Stored: m.stored, Handled: m.count, Live: m.live,
		EventTime: m.eventTime, InFlight: m.inFlight, ParkedKeys: len(m.keys),
		LastError: l.lastErr, LastErrorTime: l.lastAt,
	}
	if m.inFlight > 0 {
		s.InFlightSince = m.since
	}
	s.State, s.Attempt = m.describe()
	return s
}

// describe says in words what m is at, and how often what it names has failed.
func (m *machine) describe() (state string, attempt int) {
	switch {
	case m.stopping && m.inFlight > 0:
		return "stopping, waiting for the handler", 0
	case m.lost && m.inFlight > 0:
		return "lost, waiting for the handler", 0
	case m.stopping || m.lost:
		return "stopping", 0
	case m.expired:
		return "the lease has passed", 0
	case m.loadings.failures > 0:
		return "finding what is parked fails, retrying", m.loadings.failures
	case m.handlings.failures > 0:
		if d, _ := verdictOf(m.handlings.err); d == foreign {
			return "waiting for a program that can read the event", m.handlings.failures
		}
		return "retrying an event", m.handlings.failures
	case m.savings.failures > 0:
		return "storing the checkpoint fails, retrying", m.savings.failures
	case m.parkings.failures > 0:
		return "parking fails, retrying", m.parkings.failures
	case m.lookings.failures > 0:
		return "finding parked events to try again fails, retrying", m.lookings.failures
	case m.readings.failures > 0:
		return "reading fails, retrying", m.readings.failures
	case !m.seeking.IsZero():
		return "looking for the first event", 0
	case m.live:
		return "live", 0
	default:
		return "catching up", 0
	}
}
