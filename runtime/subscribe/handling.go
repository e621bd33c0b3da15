package subscribe

import (
	"errors"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// unreadable is the pause before an event is tried again that this program cannot
// read: another program takes its place sooner or later.
var unreadable = backoff{first: 500 * time.Millisecond, longest: 10 * time.Second}

// replayed is the number of a delivery that had been parked.
const replayed = ^uint64(0)

// inHand is what a machine knows of the events in the program's hands.
type inHand struct {
	handlings setback
	inFlight  int
	since     time.Time
	// cursor is the number of the first item that may be waiting.
	cursor uint64
	// waits counts the items that wait, oldest is since when the first of them does.
	waits  int
	oldest time.Time
	// heldUntil is when a strict lane goes on after a failure, held the same for
	// the keys of a loose one.
	heldUntil time.Time
	held      map[string]time.Time
	// isolate is the number from which on batches are batches again: those before
	// it are given one by one, to find the one that fails.
	isolate    uint64
	waitless   bool
	handledAny bool
	count      uint64
	eventTime  time.Time
	notices    []Notice
}

// delivery is an event in the program's hands.
type delivery struct {
	r       *store.Recorded
	key     string
	number  uint64
	giving  uint32
	attempt int
}

// arrive queues an event.
func (m *machine) arrive(now time.Time, it item) {
	if m.waits == 0 {
		m.oldest = now
	}
	m.waits++
	m.queue.push(it)
}

// pull gives up to most events, or tells when to ask again; the zero time means
// after an input. A strict lane gives more only when all are answered.
func (m *machine) pull(now time.Time, most int, out []delivery) ([]delivery, time.Time) {
	a := &alarm{now: now}
	switch {
	case !m.mayHandle(now) || !m.loaded,
		!m.how.loose && m.inFlight > 0,
		m.how.moves && m.busy[saves]:
		return out, time.Time{}
	case most > 0 && m.mayReplay(a):
		return append(out, m.giveReplay(now)), time.Time{}
	case !m.how.loose && !a.due(m.heldUntil):
		return out, a.wake
	case m.how.batched && m.waits > 0 && !m.full(most) && !a.due(m.oldest.Add(m.c.Batch.After)):
		return out, a.wake
	}
	skipped := false
	n := max(m.cursor, m.queue.begin())
	for ; n < m.queue.end() && len(out) < most; n++ {
		it := m.queue.at(n)
		if m.how.moves && it.state == parking || m.beyond(n) || len(out) > 0 && m.queue.begin() < m.isolate {
			break
		}
		if it.state != queued {
			continue
		}
		if _, is := m.keys[it.key]; is {
			if !m.divert(now, n, it, store.ParkedWaiting, nil) || m.how.moves && it.state == parking {
				break
			}
			continue
		}
		if len(m.rows) > 0 && m.stillToStore(it.key) { // one before it is to be skipped first
			if !m.how.loose {
				break
			}
			if !skipped {
				skipped, m.cursor = true, n
			}
			continue
		}
		if m.how.loose {
			if m.inFlight >= m.c.InFlight {
				break
			}
			if until, is := m.held[it.key]; is && !a.due(until) {
				if !skipped {
					skipped, m.cursor = true, n
				}
				continue
			}
			delete(m.held, it.key)
		}
		if m.inFlight == 0 {
			m.since = now
		}
		m.inFlight++
		m.waits--
		it.state, it.cut = given, false
		it.giving++
		out = append(out, delivery{it.r, it.key, n, it.giving, int(it.failures) + 1})
	}
	if !skipped {
		m.cursor = n
	}
	if len(out) > 0 {
		m.oldest = now
	} else if most > 0 && m.mayReplay(a) { // it may be what has just been passed
		return append(out, m.giveReplay(now)), time.Time{}
	}
	return out, a.wake
}

// beyond reports whether a crash would repeat more than is promised if the item
// of this number were handled too.
func (m *machine) beyond(n uint64) bool {
	return !m.how.moves && m.unsaved+int(n-m.queue.begin()) >= m.c.CheckpointEvery
}

// full reports whether a batch need not wait for more events.
func (m *machine) full(most int) bool {
	room := m.c.CheckpointEvery - m.unsaved
	if m.how.moves {
		room = most
	}
	return m.waits >= min(most, room, m.c.PageSize/2+1) || m.queue.begin() < m.isolate
}

// find returns the item of a delivery that is still in flight.
func (m *machine) find(number uint64, giving uint32) *item {
	it := m.queue.at(number)
	if it == nil || it.state != given || it.giving != giving {
		return nil
	}
	return it
}

// acked: the event was handled. It reports whether that was still of interest.
func (m *machine) acked(now time.Time, number uint64, giving uint32) bool {
	if number == replayed {
		return m.replayEnded(now, giving, nil)
	}
	it := m.find(number, giving)
	if it == nil {
		return false
	}
	m.finish(now, it)
	if number == m.queue.begin() {
		m.advance(now, 0)
	}
	return true
}

func (m *machine) finish(now time.Time, it *item) {
	it.state = settled
	m.inFlight--
	m.count++
	m.handledAny = true
	m.eventTime, m.recent = it.r.Time, now
	if m.handlings.failures > 0 && (!m.how.loose || it.failures > 0) {
		m.handlings.clear()
	}
	if m.stopping {
		m.deadline = now.Add(grace)
	}
}

// cut notes that the contexts of what is in the program's hands end.
func (m *machine) cut() {
	for n := m.queue.begin(); n < m.queue.end(); n++ {
		it := m.queue.at(n)
		it.cut = it.state == given
	}
	if m.replay != nil {
		m.replay.cut = m.replay.given
	}
}

// nacked: the event was not handled, and err says what is to happen. While the
// lane stops or when its lease has passed, also if it was renewed after all, it does
// not count: the handler's context had ended.
func (m *machine) nacked(now time.Time, number uint64, giving uint32, err error) bool {
	if number == replayed {
		return m.replayEnded(now, giving, err)
	}
	it := m.find(number, giving)
	if it == nil {
		return false
	}
	if it.cut || !m.mayHandle(now) {
		m.putBack(number, it.key)
		if m.stopping {
			m.deadline = now.Add(grace)
		}
		return true
	}
	it.failures++
	decision, pause := verdictOf(err)
	policy := m.c.OnFailure
	switch decision {
	case usual:
		if m.c.Retry.Attempts < 0 || int(it.failures) < m.c.Retry.Attempts {
			m.again(now, number, it, err, backoff{m.c.Retry.First, m.c.Retry.Longest}.after(int(it.failures), m.random()))
			return true
		}
	case later:
		it.failures--
		m.again(now, number, it, err, pause)
		return true
	case foreign:
		m.again(now, number, it, err, unreadable.after(int(it.failures), m.random()))
		return true
	case stops:
		policy = ThenStop
	case skips:
		policy = ThenSkip
	case parksIt:
		policy = ThenPark
	}
	m.giveUp(now, number, it, policy, err)
	return true
}

// batchNacked: the batch was not handled.
func (m *machine) batchNacked(now time.Time, ds []delivery, err error) {
	first, last := ds[0], ds[len(ds)-1]
	it := m.find(first.number, first.giving)
	decision, _ := verdictOf(err)
	final := decision == usual && m.c.Retry.Attempts > 0 && it != nil && int(it.failures)+1 >= m.c.Retry.Attempts
	if it == nil || len(ds) == 1 || it.cut || !m.mayHandle(now) || decision == stops || decision == later || decision == usual && !final {
		m.nacked(now, first.number, first.giving, err)
		return
	}
	it.failures = 0
	m.isolate = last.number + 1
	m.putBack(first.number, first.key)
	m.handlings.failures, m.handlings.err = m.handlings.failures+1, err
}

// again puts the event back, to be given after a pause.
func (m *machine) again(now time.Time, number uint64, it *item, err error, pause time.Duration) {
	m.handlings = setback{failures: max(int(it.failures), 1), err: err, until: now.Add(pause)}
	m.putBack(number, it.key)
	if m.how.loose {
		if m.held == nil {
			m.held = map[string]time.Time{}
		}
		m.held[it.key] = now.Add(pause)
	} else {
		m.heldUntil = now.Add(pause)
	}
	m.tell(Notice{Kind: NoticeRetry, Events: 1, Key: it.key, Err: err, Pause: pause})
}

// putBack takes the event out of the program's hands, and the later ones: those
// of its key, or of a strict lane all.
func (m *machine) putBack(number uint64, key string) {
	for n := max(number, m.queue.begin()); n < m.queue.end(); n++ {
		it := m.queue.at(n)
		if it.state == given && (!m.how.loose || it.key == key) {
			it.state = queued
			m.inFlight--
			m.waits++
		}
	}
	m.cursor = min(m.cursor, number)
	m.oldest = time.Time{}
}

// giveUp does to an event what the policy says.
func (m *machine) giveUp(now time.Time, number uint64, it *item, policy Policy, err error) {
	m.handlings = setback{failures: int(it.failures), err: err}
	switch policy {
	case ThenSkip:
		m.putBack(number, it.key)
		m.divert(now, number, it, store.ParkedSkipped, err)
	case ThenPark:
		m.putBack(number, it.key)
		m.divert(now, number, it, store.ParkedWaiting, err)
	default:
		m.putBack(number, it.key)
		m.stop(now, &HandlerError{
			Subscription: m.name, Lane: m.lane, Stream: it.r.Stream, Version: it.r.Version, Position: it.r.Position, Type: it.r.Type,
			Attempts: int(it.failures), Err: err,
		}, true)
		m.tell(Notice{Kind: NoticeStopped, Err: err})
	}
}

// tell leaves a notice for the driver.
func (m *machine) tell(n Notice) {
	if m.c.Observer != nil {
		n.Subscription, n.Lane = m.name, m.lane
		m.notices = append(m.notices, n)
	}
}

// move is what a transaction does to the checkpoint that handles what was given.
func (m *machine) move() (from, to uint64) {
	if m.replay != nil && m.replay.given {
		return m.stored, m.stored
	}
	if it := m.queue.at(max(m.cursor, m.queue.begin())); it != nil {
		return m.stored, it.before
	}
	return m.stored, m.last
}

// committed: the transaction that handled what was given has moved the checkpoint.
func (m *machine) committed(now time.Time, ds []delivery, to uint64) {
	for _, d := range ds {
		m.acked(now, d.number, d.giving)
	}
	m.savings.clear()
	m.hasMoved(now, to)
}

// uncommitted: nobody knows whether the transaction was committed. It is tried
// again: that is fenced if it was.
func (m *machine) uncommitted(now time.Time, ds []delivery, err error) {
	if d := ds[0]; d.number == replayed {
		m.inFlight--
		m.replay.given, m.replay.unsure = false, true
		m.replay.at = now.Add(storeBackoff.after(1, m.random()))
	} else {
		m.putBack(d.number, d.key)
	}
	m.savings.fail(now, err, storeBackoff, m.random())
	m.heldUntil = m.savings.until
	if errors.Is(err, store.ErrFenced) {
		m.busy[saves] = true // until it is known where the checkpoint is
	}
	if permanent(err) {
		m.hopeless = true
		m.stop(now, err, true)
	}
}

// placed: the checkpoint was found at this place, under the lane's token.
func (m *machine) placed(now time.Time, at uint64) {
	for m.queue.len() > 0 && m.queue.first().place <= at {
		switch it := m.queue.first(); it.state {
		case queued:
			m.waits--
			m.handledAny, m.count = true, m.count+1
		case given:
			m.inFlight--
		case parking, settled:
		}
		m.queue.first().state = settled
		m.queue.pop()
	}
	m.busy[saves] = false
	m.savings.clear()
	m.last = max(m.last, at)
	m.advance(now, 0)
	m.hasMoved(now, at)
}

func (m *machine) hasMoved(now time.Time, to uint64) {
	m.stored, m.target = to, 0
	m.handled = max(m.handled, to)
	m.unsaved, m.sending = 0, 0
	if m.dirty = (time.Time{}); m.handled > m.stored {
		m.dirty = now
	}
}
