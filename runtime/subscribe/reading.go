package subscribe

import (
	"fmt"
	"time"

	"github.com/esgen/esgen/internal/printable"
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
)

// reading is what a machine knows of its reads.
type reading struct {
	readings setback
	// readAt is when to read next; ended tells that the last read found the end
	// of the log, fruitless that it found nothing, rung that the doorbell rang
	// since it began, quiet how many reads in a row have found nothing, and vain
	// how many of them a ring had hurried.
	readAt           time.Time
	lastRead         time.Time
	ended, fruitless bool
	rung, hurried    bool
	// crowded tells that the driver, when it asked last, was not told of readAt:
	// there was no room.
	crowded     bool
	quiet, vain int
	// live tells that the end of the log was reached and everything before it
	// handled, and that no full page was found since.
	live bool
}

func (m *machine) mayRead() bool {
	return !m.stopping && !m.busy[reads] && m.loaded && m.queue.len() <= m.c.PageSize/2
}

// idle reports whether everything that was there has been handled.
func (m *machine) idle() bool { return m.ended && m.queue.len() == 0 }

// hasRead: a read gave these, and then the end of the log or perhaps an error.
// Events before the error are as good as others.
func (m *machine) hasRead(now time.Time, items []item, end bool, err error) {
	m.busy[reads], m.lastRead = false, now
	if m.stopping || m.lost {
		return
	}
	m.fruitless = true
	for i := range items {
		it := &items[i]
		if it.place <= m.last {
			err = fmt.Errorf("subscription %s: the store gave event %d after %d; it must give each event once and in order", printable.Name(m.name), it.place, m.last)
			break
		}
		m.fruitless = false
		if !m.seeking.IsZero() && it.r.Time.Before(m.seeking) {
			m.last = it.place // the checkpoint stays, so that a later run seeks too
			continue
		}
		if !m.seeking.IsZero() {
			m.seeking = time.Time{}
			if m.last = it.place - 1; m.last > m.handled {
				m.advance(now, 0)
			}
		}
		it.before = m.last
		m.last = it.place
		if it.mine {
			m.arrive(now, *it)
		}
	}
	if m.seeking.IsZero() {
		m.advance(now, 0)
	}
	if err != nil {
		m.readings.fail(now, err, storeBackoff, m.random())
		m.readAt = m.readings.until
		if permanent(err) {
			m.stop(now, err, true)
		}
		return
	}
	m.readings.clear()
	m.plan(now, !end)
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
	if !m.busy[reads] && m.readings.failures == 0 {
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
