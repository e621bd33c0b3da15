package subscribe

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

const (
	// bellPause is the least time between a read that found nothing and one
	// that a doorbell asks for; it doubles while the bell rings in vain, from
	// the second time in a row up to the maxVain-th. A store rings for every
	// append, so without it a subscription to a quiet stream of a busy store
	// would read all the time.
	bellPause = 5 * time.Millisecond
	maxVain   = 4
	// firstPoll is the first pause after activity; it doubles from there.
	firstPoll = 10 * time.Millisecond
	// settle is how long there must be nothing to handle before the checkpoint
	// is stored early, so that a trickle of events is not a trickle of writes.
	settle = 20 * time.Millisecond
	// grace is how long a subscription that stops tries to store its checkpoint.
	grace = 5 * time.Second
)

// storeBackoff is the pause after failures of the store.
var storeBackoff = backoff{first: 50 * time.Millisecond, longest: 5 * time.Second}

type doing int

const (
	// waits: nothing is to be done before action.wake, or before an input.
	waits doing = iota
	opens
	reads
	handles
	saves
	ends
)

// action is what the driver is to do. Except for waits and ends, its outcome is
// due as an input of the machine; actions of different kinds run side by side.
type action struct {
	do doing
	// wake is when to ask again at the latest; zero means only after an input.
	wake time.Time
	// from and to are the places between which a checkpoint is moved; from is
	// also the place after which to read, up to limit events.
	from, to uint64
	limit    int
	event    store.Recorded
	err      error
}

// machine decides what a subscription does next. It does no I/O and has no clock:
// inputs carry the time, next tells what to do. Reading, handling and storing the
// checkpoint each have their own state, and none of them changes another's: a
// checkpoint that is due, late or lost never changes what is read.
type machine struct {
	name   string
	c      Config
	random func() float64
	// seeking is the time of the first event to handle, until it is found.
	seeking time.Time

	opened, opening, handling, reading, saving bool
	openings, readings, handlings, savings     setback

	// queue is what was read and not handled; its first event is the one under
	// way. last is the place of the newest event read.
	queue queue
	last  uint64
	// readAt is when to read next; ended tells that the last read found the end
	// of the log, fruitless that it found nothing, rung that the doorbell rang
	// since it began, quiet how many reads in a row have found nothing, and vain
	// how many of them a ring had hurried.
	readAt           time.Time
	lastRead         time.Time
	ended, fruitless bool
	rung, hurried    bool
	quiet, vain      int
	// live tells that the end of the log was reached and everything before it
	// handled, and that no full page was found since.
	live bool

	// handled is the place of the last event handled, stored the checkpoint.
	handled, stored uint64
	// unsaved counts the events between the two, sending those of them that the
	// move to target covers. A move is repeated unchanged until it succeeds: its
	// reply may be what was lost, and another target would then not fit.
	unsaved, sending int
	target           uint64
	// dirty is when the first event was handled that no move covers; recent
	// when the last one was.
	dirty, recent time.Time

	stopping bool
	deadline time.Time
	cause    error
	// hopeless tells that trying to store the checkpoint again is pointless.
	hopeless bool
}

func newMachine(name string, c Config, random func() float64) *machine {
	m := &machine{name: name, c: c, random: random}
	if at, ok := c.Start.(At); ok {
		m.seeking = time.Time(at)
	}
	return m
}

// next tells what to do at now. The driver asks until the answer is to wait.
func (m *machine) next(now time.Time) action {
	var wake time.Time
	due := func(at time.Time) bool {
		if !at.After(now) {
			return true
		}
		if wake.IsZero() || at.Before(wake) {
			wake = at
		}
		return false
	}
	switch {
	case !m.opened && !m.stopping:
		if !m.opening && due(m.openings.until) {
			m.opening = true
			return action{do: opens}
		}
		return action{wake: wake}
	case m.mayHandle() && due(m.handlings.until):
		m.handling = true
		return action{do: handles, event: m.queue.first()}
	}
	if m.maySave() && due(m.saveAt()) {
		return m.save()
	}
	if m.mayRead() && due(m.readAt) {
		m.reading, m.rung = true, false
		return action{do: reads, from: m.last, limit: m.c.PageSize - m.queue.len()}
	}
	if m.stopping && !m.handling && !m.saving && (!m.maySave() || due(m.deadline)) {
		return action{do: ends, err: m.outcome()}
	}
	return action{wake: wake}
}

// mayHandle also holds back what a crash would repeat beyond the promise.
func (m *machine) mayHandle() bool {
	return !m.stopping && !m.handling && m.queue.len() > 0 && m.unsaved < m.c.CheckpointEvery
}

func (m *machine) mayRead() bool {
	return !m.stopping && !m.reading && m.queue.len() <= m.c.PageSize/2
}

func (m *machine) maySave() bool { return !m.saving && !m.hopeless && m.handled > m.stored }

func (m *machine) saveAt() time.Time {
	switch {
	case m.savings.failures > 0:
		return m.savings.until
	case m.stopping || m.unsaved >= (m.c.CheckpointEvery+1)/2:
		return time.Time{}
	}
	at := m.dirty.Add(m.c.CheckpointAfter)
	if early := m.recent.Add(settle); m.idle() && early.Before(at) {
		return early
	}
	return at
}

func (m *machine) save() action {
	m.saving = true
	if m.savings.failures == 0 {
		m.target, m.sending, m.dirty = m.handled, m.unsaved, time.Time{}
	}
	return action{do: saves, from: m.stored, to: m.target}
}

// idle reports whether everything that was there has been handled.
func (m *machine) idle() bool { return m.ended && m.queue.len() == 0 }

// hasOpened: the checkpoint is at this place.
func (m *machine) hasOpened(at uint64) {
	m.opening, m.opened = false, true
	m.openings.clear()
	m.last, m.handled, m.stored = at, at, at
	if at > 0 {
		m.seeking = time.Time{}
	}
}

// openFailed: the checkpoint could not be opened.
func (m *machine) openFailed(now time.Time, err error) {
	m.opening = false
	if m.stopping {
		return
	}
	m.openings.fail(now, err, storeBackoff, m.random())
	if permanent(err) {
		m.stop(now, err)
	}
}

// hasRead: a read of up to limit events gave these, and then perhaps an error.
// Events before the error are as good as others. The page stays the caller's.
func (m *machine) hasRead(now time.Time, page []store.Recorded, limit int, err error) {
	m.reading, m.lastRead = false, now
	if m.stopping {
		return
	}
	full := len(page) == limit
	for i, r := range page {
		at := m.c.place(r)
		if at <= m.last {
			page, err = page[:i], fmt.Errorf("subscription %s: the store gave event %d after %d; it must give each event once and in order", printable.Name(m.name), at, m.last)
			break
		}
		m.last = at
	}
	if !m.seeking.IsZero() {
		page = m.seek(now, page)
	}
	m.queue.push(page)
	m.fruitless = len(page) == 0
	if err != nil {
		m.readings.fail(now, err, storeBackoff, m.random())
		m.readAt = m.readings.until
		if permanent(err) {
			m.stop(now, err)
		}
		return
	}
	m.readings.clear()
	m.plan(now, full)
}

// plan decides when to read again.
func (m *machine) plan(now time.Time, full bool) {
	m.ended = !full
	m.live = m.idle() || m.live && !full
	if m.fruitless {
		m.quiet++
	} else {
		m.quiet = 0
	}
	if m.fruitless && m.hurried {
		m.vain = min(m.vain+1, maxVain)
	} else {
		m.vain = 0
	}
	m.hurried = false
	poll := backoff{firstPoll, max(m.c.PollInterval, time.Millisecond)}
	if full {
		m.readAt = now
		return
	}
	m.readAt = now.Add(poll.after(m.quiet+1, m.random()))
	if m.rung {
		m.hurry(now)
	}
}

// hasRung: the doorbell rang since the last read began.
func (m *machine) hasRung(now time.Time) {
	m.rung = true
	if !m.reading && m.readings.failures == 0 {
		m.hurry(now)
	}
}

// hurry brings the next read forward. After a failure nothing does, lest a store
// in trouble be asked once for each ring.
func (m *machine) hurry(now time.Time) {
	at := now
	if m.fruitless {
		at = m.lastRead.Add(bellPause << max(m.vain-1, 0))
	}
	if at.Before(m.readAt) {
		m.readAt, m.hurried = at, true
	}
}

// seek passes over the events before the time to start at. The checkpoint does
// not move until the first event is found; then it moves to just before it.
func (m *machine) seek(now time.Time, page []store.Recorded) []store.Recorded {
	i := slices.IndexFunc(page, func(r store.Recorded) bool { return !r.Time.Before(m.seeking) })
	if i < 0 {
		return nil
	}
	m.seeking = time.Time{}
	m.handled = m.c.place(page[i]) - 1
	m.dirty, m.recent = now, now
	return page[i:]
}

// hasHandled: the handler returned nil.
func (m *machine) hasHandled(now time.Time) {
	m.handling = false
	m.handlings.clear()
	m.handled = m.c.place(m.queue.first())
	m.queue.pop()
	m.live = m.live || m.idle()
	m.unsaved++
	m.recent = now
	if m.dirty.IsZero() {
		m.dirty = now
	}
	if m.stopping {
		m.deadline = now.Add(grace)
	}
}

// handleFailed: the handler returned an error. While stopping it does not count:
// the handler's context had ended.
func (m *machine) handleFailed(now time.Time, err error) {
	m.handling = false
	if m.stopping {
		m.deadline = now.Add(grace)
		return
	}
	retry := m.c.Retry
	m.handlings.fail(now, err, backoff{retry.First, retry.Longest}, m.random())
	if isStop(err) || retry.Attempts > 0 && m.handlings.failures >= retry.Attempts {
		r := m.queue.first()
		m.stop(now, &HandlerError{
			Subscription: m.name, Stream: r.Stream, Version: r.Version, Position: r.Position, Type: r.Type,
			Attempts: m.handlings.failures, Err: err,
		})
	}
}

// hasSaved: the checkpoint is at the target.
func (m *machine) hasSaved() {
	m.saving = false
	m.savings.clear()
	m.stored = m.target
	m.unsaved -= m.sending
	m.sending = 0
}

// saveFailed: the checkpoint may or may not be at the target.
func (m *machine) saveFailed(now time.Time, err error) {
	m.saving = false
	m.savings.fail(now, err, storeBackoff, m.random())
	if permanent(err) {
		m.hopeless = true
		m.stop(now, err)
	}
}

// stop begins the end: nothing more is read or given to the handler, what was
// handled is stored, and Run returns cause. The first cause counts.
func (m *machine) stop(now time.Time, cause error) {
	if !m.stopping {
		m.stopping, m.cause, m.deadline = true, cause, now.Add(grace)
	}
}

// outcome is what Run returns.
func (m *machine) outcome() error {
	if m.savings.failures == 0 || errors.Is(m.cause, m.savings.err) {
		return m.cause
	}
	return fmt.Errorf("subscription %s: it stopped at %d, but its checkpoint stays at %d, so the events between are handled again: %w: %w",
		printable.Name(m.name), m.handled, m.stored, m.savings.err, m.cause)
}
