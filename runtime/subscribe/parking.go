package subscribe

import (
	"errors"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

const (
	// parkAtOnce is the most rows of one write.
	parkAtOnce = 500
	// lookPause is the least time between two looks at what is parked.
	lookPause = time.Second
)

// parked is what a machine knows of parked events.
type parked struct {
	// loaded tells that keys are known.
	loaded   bool
	loadings setback
	// keys have events parked.
	keys   map[string]parkedKey
	writes uint64
	// rows are to be stored; of those, sent are on their way.
	rows     []row
	sent     int
	parkings setback

	// lookAt is when to look for what is to be tried again; looked is the number of
	// the last write before the look under way, before that of the last replay, which
	// replays counts: a look that began before one ended may show it still.
	lookAt   time.Time
	looked   uint64
	before   uint64
	replays  uint64
	lookings setback
	replay   *replay
	// aside are replays that wait to be tried again while that of another key is.
	aside map[string]*replay
	// givings counts replays that were given.
	givings uint32
}

// parkedKey is what a machine knows of a key with parked events: the place of the
// first when it looked last, and the number of the last write for it: a look that
// began before it was stored does not tell that nothing is parked.
type parkedKey struct{ head, write uint64 }

// row is a parked event, and the number of its item.
type row struct {
	store.Parked
	number uint64
}

// replay is a parked event that is handled again.
type replay struct {
	row store.Parked
	// r is the event; nil if it is gone.
	r        *store.Recorded
	at       time.Time
	giving   uint32
	failures int
	// given: it is in the program's hands. done: err is its outcome, to be stored.
	// cut: as that of an item. unsure: nobody knows whether its transaction was
	// committed.
	given, done, cut, unsure bool
	err                      error
}

func (r *replay) waits() bool { return r != nil && !r.given && !r.done }

// is reports whether a key's first event is r's, and still to be tried again.
func (r *replay) is(head store.Parked) bool {
	return head.Key == r.row.Key && head.At == r.row.At && tryable(head)
}

// tryable reports whether a key's first event is to be tried again: somebody has asked
// for it, or it waits behind one that is no longer there.
func tryable(head store.Parked) bool { return head.State == store.ParkedRetry || head.Attempts == 0 }

// mayReplay reports whether the parked event can be handled again now: not before
// the lane has come past it, as after a crash before the checkpoint did, else it
// would be handled once more when the lane comes to it. In a transaction, which leaves
// no row of it, not before the checkpoint has either: the next process begins there.
func (m *machine) mayReplay(a *alarm) bool {
	return m.replay.waits() && m.passed(m.replay.row.At) && (!m.how.moves || m.stored >= m.replay.row.At) && a.due(m.replay.at)
}

func (m *machine) giveReplay(now time.Time) delivery {
	r := m.replay
	m.inFlight++
	m.since = now
	r.given, r.cut, r.unsure = true, false, false // if its outcome is unknown again, uncommitted says so
	m.givings++
	r.giving = m.givings
	return delivery{r.r, r.row.Key, replayed, r.giving, r.row.Attempts + r.failures + 1}
}

// passed reports whether everything at a place is settled.
func (m *machine) passed(at uint64) bool {
	if at > m.last {
		return false
	}
	n := uint64(sort.Search(m.queue.len(), func(i int) bool { return m.queue.at(m.queue.begin()+uint64(i)).place >= at }))
	it := m.queue.at(m.queue.begin() + n)
	return it == nil || it.place != at || it.state == settled
}

// nextParked tells what to do about parked events.
func (m *machine) nextParked(a *alarm) (action, bool) {
	switch {
	case !m.loaded && !m.stopping && !m.busy[loads] && a.due(m.loadings.until):
		return action{do: loads}, true
	case len(m.rows) > 0 && !m.busy[parks] && !m.hopeless && a.due(m.parkings.until):
		m.sent = min(len(m.rows), parkAtOnce)
		rows := make([]store.Parked, m.sent)
		for i := range rows {
			rows[i] = m.rows[i].Parked
		}
		return action{do: parks, rows: rows}, true
	case m.replay != nil && m.replay.done && !m.busy[settles] && !m.hopeless && a.due(m.parkings.until):
		return action{do: settles, replay: m.replay}, true
	case (m.replay == nil || m.replay.waits()) && m.loaded && !m.stopping && len(m.keys) > 0 && !m.busy[looks] && a.due(m.lookAt):
		m.looked, m.before = m.writes, m.replays
		return action{do: looks, but: m.pausing(a.now)}, true
	}
	return action{}, false
}

// hasLoaded: events of these keys are parked.
func (m *machine) hasLoaded(now time.Time, heads []store.Parked, err error) {
	m.busy[loads] = false
	if err != nil {
		m.readings.fail(now, err, storeBackoff, m.random())
		m.loadings.fail(now, err, storeBackoff, m.random())
		if permanent(err) {
			m.stop(now, err, true)
		}
		return
	}
	m.loadings.clear()
	m.readings.clear()
	m.loaded = true
	for _, head := range heads {
		m.keys[head.Key] = parkedKey{head: head.At}
	}
}

// divert takes an event out of the queue to be stored as parked or skipped. It
// reports false if that is not possible.
func (m *machine) divert(now time.Time, number uint64, it *item, state store.ParkedState, err error) bool {
	key, known := m.keys[it.key]
	if known && err == nil && it.place == key.head { // parked before a crash, with its error
		it.state = settled
		m.waits--
		m.advance(now, 0)
		return true
	}
	if state == store.ParkedWaiting && !known && len(m.keys) >= m.c.MaxParkedKeys {
		m.stop(now, &ParkedError{Subscription: m.name, Lane: m.lane, Keys: len(m.keys), Key: it.key, At: it.place, Err: err}, true)
		return false
	}
	p := store.Parked{
		Subscription: m.name, Lane: m.lane, Key: it.key, At: it.place,
		Stream: it.r.Stream, Version: it.r.Version, Position: it.r.Position, EventID: it.r.ID, Type: it.r.Type,
		State: state, Attempts: int(it.failures),
	}
	kind := NoticeParked
	if err != nil {
		p.Error = err.Error()
	}
	m.writes++
	if state == store.ParkedWaiting {
		m.keys[it.key] = parkedKey{key.head, m.writes}
	} else {
		kind = NoticeSkipped
	}
	it.state = parking
	m.waits--
	m.rows = append(m.rows, row{p, number})
	m.tell(Notice{Kind: kind, Events: 1, Key: it.key, Err: err})
	return true
}

// hasParked: the rows sent were stored, or not.
func (m *machine) hasParked(now time.Time, err error) {
	m.busy[parks] = false
	if m.lost {
		return
	}
	if !m.parkingWent(now, err) {
		return
	}
	m.writes++
	for _, row := range m.rows[:m.sent] {
		if key, known := m.keys[row.Key]; known { // a look under way may have read before
			m.keys[row.Key] = parkedKey{key.head, m.writes}
		}
		if it := m.queue.at(row.number); it != nil {
			it.state = settled
			m.handledAny = true
			m.recent = now
		}
	}
	m.rows = m.rows[m.sent:]
	m.sent = 0
	m.handlings.clear()
	m.advance(now, 0)
}

func (m *machine) parkingWent(now time.Time, err error) bool {
	if err == nil {
		m.parkings.clear()
		return true
	}
	m.parkings.fail(now, err, storeBackoff, m.random())
	if errors.Is(err, store.ErrFenced) {
		m.lose(err)
	}
	if permanent(err) {
		m.hopeless = true
		m.stop(now, err, true)
	}
	return false
}

// hasLooked: these are the first events of the keys of which events are parked,
// and perhaps one that is to be handled again.
func (m *machine) hasLooked(now time.Time, heads []store.Parked, r *replay, err error) {
	m.busy[looks] = false
	pause := max(lookPause, time.Duration(len(m.keys))*time.Millisecond)
	m.lookAt = now.Add(pause - time.Duration(m.random()*float64(pause)/4))
	if err != nil {
		m.lookings.fail(now, err, storeBackoff, m.random())
		m.lookAt = latest(m.lookAt, m.lookings.until)
	}
	if err != nil || m.lost {
		return
	}
	m.lookings.clear()
	there := make(map[string]bool, len(heads))
	for _, head := range heads {
		there[head.Key] = true
		m.keys[head.Key] = parkedKey{head.At, m.keys[head.Key].write}
	}
	for key, of := range m.keys {
		if !there[key] && of.write <= m.looked && !m.stillToStore(key) {
			delete(m.keys, key)
		}
	}
	for key, old := range m.aside {
		if !slices.ContainsFunc(heads, old.is) {
			delete(m.aside, key)
		}
	}
	current := m.before == m.replays
	switch {
	case m.replay == nil && current && r == nil:
		for _, old := range m.aside { // the first to be due
			if m.replay == nil || old.at.Before(m.replay.at) {
				m.replay = old
			}
		}
		if m.replay != nil {
			delete(m.aside, m.replay.row.Key)
		}
	case current && r != nil && m.replay.waits() && !m.replay.unsure && m.replay.at.After(now) && m.replay.row.Key != r.row.Key &&
		slices.ContainsFunc(heads, m.replay.is):
		if m.aside == nil {
			m.aside = map[string]*replay{}
		}
		m.aside[m.replay.row.Key] = m.replay
		m.takeUp(r)
	case m.replay == nil && current:
		m.takeUp(r)
	case m.replay.waits() && !m.replay.unsure && !slices.ContainsFunc(heads, m.replay.is): // somebody has decided otherwise
		m.takeUp(r)
	}
}

// takeUp makes r the replay, nil is none, with what is known of it from before.
func (m *machine) takeUp(r *replay) {
	m.replay = r
	if r == nil {
		return
	}
	if old := m.aside[r.row.Key]; old != nil {
		if old.row.At == r.row.At && old.row.Time.Equal(r.row.Time) {
			r.failures = old.failures
		}
		delete(m.aside, r.row.Key)
	}
}

// pausing are the keys of which a replay is not to be tried again yet: those of others
// come first.
func (m *machine) pausing(now time.Time) map[string]bool {
	var keys map[string]bool
	pauses := func(r *replay) {
		if r.at.After(now) {
			if keys == nil {
				keys = map[string]bool{}
			}
			keys[r.row.Key] = true
		}
	}
	if m.replay != nil {
		pauses(m.replay)
	}
	for _, r := range m.aside {
		pauses(r)
	}
	return keys
}

// stillToStore reports whether a row of the key is still to be stored.
func (m *machine) stillToStore(key string) bool {
	for _, row := range m.rows {
		if row.Key == key {
			return true
		}
	}
	return false
}

// replayEnded: a parked event was handled again.
func (m *machine) replayEnded(now time.Time, giving uint32, err error) bool {
	r := m.replay
	if r == nil || !r.given || r.giving != giving {
		return false
	}
	r.given = false
	m.inFlight--
	m.replays++
	if err != nil && (r.cut || !m.mayHandle(now)) {
		m.replay = nil // whoever has the lane next looks again
		return true
	}
	if err != nil {
		r.failures++
		decision, pause := verdictOf(err)
		switch {
		case decision == usual && (m.c.Retry.Attempts < 0 || r.failures < m.c.Retry.Attempts):
			pause = backoff{m.c.Retry.First, m.c.Retry.Longest}.after(r.failures, m.random())
		case decision != later:
			r.done, r.err = true, err
			return true
		}
		r.at = now.Add(pause)
		m.tell(Notice{Kind: NoticeRetry, Events: 1, Key: r.row.Key, Err: err, Pause: pause})
		return true
	}
	m.count++
	r.done = true
	return true
}

// hasSettled: the outcome of a replay was stored, or not.
func (m *machine) hasSettled(now time.Time, err error) {
	m.busy[settles] = false
	if m.lost || !m.parkingWent(now, err) {
		return
	}
	if m.replay.err == nil {
		m.tell(Notice{Kind: NoticeUnparked, Events: 1, Key: m.replay.row.Key})
	}
	m.replay = nil
	m.replays++
	m.lookAt = now
}

// afterKey is a place after all events of a key.
const afterKey = math.MaxInt64
