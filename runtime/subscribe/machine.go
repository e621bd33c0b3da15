package subscribe

import (
	"errors"
	"fmt"
	"time"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// grace is how long a lane that stops tries to store its checkpoint.
const grace = 5 * time.Second

// storeBackoff is the pause after failures of the store.
var storeBackoff = backoff{first: 50 * time.Millisecond, longest: 5 * time.Second}

type doing int

const (
	// waits: nothing is to be done before action.wake, or before an input.
	waits doing = iota
	// loads the keys of which events are parked.
	loads
	reads
	saves
	// parks stores events as parked or skipped.
	parks
	// looks for a parked event that is to be handled again.
	looks
	// settles what became of that.
	settles
	// reports the lane's trouble, or that it is over.
	reports
	// expires: the lease has passed, and the handler is to be told.
	expires
	ends
	actions
)

// action is what the driver is to do. Except for waits, expires and ends, its
// outcome is due as an input of the machine; actions of different kinds run side
// by side.
type action struct {
	do doing
	// wake is when to ask again at the latest; zero means only after an input.
	wake time.Time
	// from and to are the places between which a checkpoint is moved; from is
	// also the place after which to read, up to limit events.
	from, to uint64
	limit    int
	rows     []store.Parked
	replay   *replay
	// but are keys that a look passes over.
	but  map[string]bool
	text string
	err  error
}

// machine decides what a lane does next. It does no I/O and has no clock: inputs
// carry the time, next and pull tell what to do. Reading, handling, parking and
// storing the checkpoint each have their own state, and none of them changes
// another's: a checkpoint that is due, late or lost never changes what is read.
type machine struct {
	name   string
	lane   int
	c      Config
	random func() float64
	how    manner
	// seeking is the time of the first event to handle, until it is found.
	seeking time.Time

	// busy tells which actions are under way.
	busy [actions]bool

	queue queue
	// last is the place of the newest event read, of this lane or not.
	last uint64
	reading
	inHand
	saving
	parked

	// until is when the lease passes, at most the time that the last renewal asked
	// for; expired that the driver was told.
	until   time.Time
	most    time.Time
	expired bool
	// trouble is the text stored last for the lane.
	trouble   string
	reporting setback
	reportAt  time.Time

	stopping bool
	deadline time.Time
	cause    error
	// lost tells that the lane is another's: nothing is stored any more.
	lost bool
}

// manner is what the modes differ in, for the machine.
type manner struct {
	// loose: events of other keys do not wait for one that is to come again, and
	// a stop does not wait for what the program has in its hands.
	loose bool
	// batched: Config.Batch says how many events are given at once.
	batched bool
	// moves: what is handled moves the checkpoint in its own transaction.
	moves bool
}

func newMachine(name string, lane store.Lane, c Config, how manner, random func() float64) *machine {
	m := &machine{name: name, lane: lane.Lane, c: c, how: how, random: random, last: lane.At, trouble: lane.Error}
	m.stored, m.handled = lane.At, lane.At
	if at, ok := c.Start.(At); ok && lane.At == 0 {
		m.seeking = time.Time(at)
	}
	m.keys = map[string]parkedKey{}
	return m
}

// alarm collects when to wake.
type alarm struct{ now, wake time.Time }

// due reports whether at has come; else it is one of the times to wake.
func (a *alarm) due(at time.Time) bool {
	if !at.After(a.now) {
		return true
	}
	if a.wake.IsZero() || at.Before(a.wake) {
		a.wake = at
	}
	return false
}

// next tells what to do at now. The driver asks until the answer is to wait.
func (m *machine) next(now time.Time) action {
	a := &alarm{now: now}
	if m.lost {
		if m.inFlight > 0 && !m.how.loose || m.storing() {
			return action{}
		}
		return action{do: ends, err: m.cause}
	}
	if !m.expired && a.due(m.until) {
		m.expired = true
		m.cut()
		return action{do: expires}
	}
	if do, ok := m.nextParked(a); ok {
		m.busy[do.do] = true
		return do
	}
	if m.maySave() && a.due(m.saveAt()) {
		return m.save()
	}
	m.crowded = m.queue.len() > m.c.PageSize/2
	if m.mayRead() && a.due(m.readAt) {
		m.busy[reads], m.rung = true, false
		return action{do: reads, from: m.last, limit: min(m.c.PageSize-m.queue.len(), (m.c.PageSize+1)/2)}
	}
	if text := m.troubled(); !m.stopping && !m.busy[reports] && text != m.trouble && a.due(m.reportAt) {
		m.busy[reports] = true
		return action{do: reports, text: text}
	}
	if m.stopping && (m.inFlight == 0 || m.how.loose && (m.waitless || a.due(m.deadline))) && !m.storing() &&
		(!m.unstored() || a.due(m.deadline)) {
		return action{do: ends, err: m.outcome()}
	}
	return action{wake: a.wake}
}

// storing reports whether something is under way whose outcome the store keeps.
func (m *machine) storing() bool { return m.busy[saves] || m.busy[parks] || m.busy[settles] }

// unstored reports whether something is still to be stored.
func (m *machine) unstored() bool {
	return !m.hopeless && (m.maySave() || len(m.rows) > 0 || m.replay != nil && m.replay.done)
}

// limit is called before a renewal, which may ask for less than is held: its reply may
// be lost, and the store has it then.
func (m *machine) limit(most time.Time) {
	m.most = most
	if m.until.After(most) {
		m.until = most
	}
}

// hold renews the lease.
func (m *machine) hold(until time.Time) {
	if !m.most.IsZero() && until.After(m.most) {
		until = m.most
	}
	if until.After(m.until) {
		m.until, m.expired = until, false
	}
}

// mayHandle reports whether the lease still holds at now.
func (m *machine) mayHandle(now time.Time) bool {
	return !m.stopping && !m.lost && now.Before(m.until)
}

// lose: the lane is held no longer. What is in the program's hands is given up.
func (m *machine) lose(cause error) {
	if m.lost {
		return
	}
	if m.lost, m.rows = true, nil; !m.stopping {
		m.cause = cause
	}
}

// stop begins the end: nothing more is read or given, what was handled is stored,
// and the lane ends with cause. The first cause counts. If wait is false, what
// the program of a loose lane has in its hands is not waited for.
func (m *machine) stop(now time.Time, cause error, wait bool) {
	m.waitless = m.waitless || !wait
	if !m.stopping {
		m.stopping, m.cause, m.deadline = true, cause, now.Add(grace)
	}
}

// outcome is what the lane ends with.
func (m *machine) outcome() error {
	failed := m.savings
	if failed.failures == 0 {
		failed = m.parkings
	}
	if failed.failures == 0 || errors.Is(m.cause, failed.err) {
		return m.cause
	}
	return fmt.Errorf("subscription %s: lane %d stopped at %d, but its checkpoint stays at %d, so the events between are handled again: %w: %w",
		printable.Name(m.name), m.lane, m.handled, m.stored, failed.err, m.cause)
}

// troubled is what is to be stored as the lane's trouble.
func (m *machine) troubled() string {
	for _, s := range m.setbacks() {
		if s.failures > 0 {
			return s.err.Error()
		}
	}
	if m.handledAny || m.live {
		return ""
	}
	return m.trouble
}

// setbacks are those that matter, the worst first.
func (m *machine) setbacks() [5]*setback {
	return [5]*setback{&m.handlings, &m.parkings, &m.savings, &m.readings, &m.lookings}
}

// reportPause is the least time between two reports of a lane.
const reportPause = time.Second

// hasReported: the trouble was stored, or not.
func (m *machine) hasReported(now time.Time, text string, err error) {
	m.busy[reports] = false
	m.reportAt = now.Add(reportPause)
	if errors.Is(err, store.ErrFenced) {
		m.lose(err)
	}
	if err != nil {
		m.reporting.fail(now, err, storeBackoff, m.random())
		m.reportAt = latest(m.reportAt, m.reporting.until)
		return
	}
	m.reporting.clear()
	m.trouble = text
}
