package subscribe

import "time"

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
