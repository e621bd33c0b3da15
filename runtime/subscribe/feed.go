package subscribe

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// feed reads events for all who follow a store in this process. Those who are at
// the end of the log share one read of what is new, whatever they select of it;
// who is behind reads by its own query, together with those who read the same.
// While nobody has joined it does nothing and keeps nothing.
type feed struct {
	db   store.Store
	most bounds // of its windows
	bell store.Doorbell

	mu      sync.Mutex
	taps    map[string]*tap // by what they read
	readers int
	// all holds the newest events of $all while readers of different queries
	// count positions; nil otherwise.
	all *window
	// era counts how often all was forgotten: what a read has found that began before
	// is of another log.
	era int
	// compared is when the end of the log was compared with that of all.
	compared time.Time
	// end ends what runs while somebody has joined.
	end func()
}

// tap is what those have in common who read the same. Its feed's lock guards it.
type tap struct {
	q       store.Query
	readers int
	// own holds what was read last while there are several; nil otherwise.
	own *window
	// There is nothing to be read after from, up to clear: a query that selects
	// little is not asked again and again about all that it does not select.
	from, clear uint64
	// head is where the log ended before the last read, vain how many reads in a
	// row have found nothing.
	head uint64
	vain int
}

// headEvery is after how many reads of a query that found nothing the end of the
// log is looked up, so that they need not begin where they last found something.
const headEvery = 8

type feedKey struct{ db store.Store }

// feedOf returns the feed of db. A store that wraps another has one of its own,
// also if it shares the other's bell: it may read something else.
func feedOf(db store.Store) *feed {
	var key feedKey
	if reflect.ValueOf(db).Comparable() {
		key.db = db
	}
	return db.Local().Value(key, func() any { return newFeed(db) }).(*feed)
}

func newFeed(db store.Store) *feed {
	return &feed{db: db, most: windowBounds, taps: map[string]*tap{}}
}

// join tells that somebody is about to read q, until leave is called. Only then
// are reads shared. leave may be called once.
func (f *feed) join(q store.Query) (leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readers++; f.readers == 1 {
		f.begin()
	}
	key := tapKey(q)
	t := f.taps[key]
	if t == nil {
		t = &tap{q: q}
		f.taps[key] = t
	}
	if t.readers++; t.readers == 2 {
		t.own = newWindow(f, q)
	}
	if f.all == nil && f.positional() > 1 {
		f.all = newWindow(f, store.Query{})
	}
	for _, w := range []*window{f.all, t.own} {
		if w != nil {
			w.idle = time.Time{} // who comes is not to wait for those who are idle
		}
	}
	return func() { f.leave(key, t) }
}

func (f *feed) leave(key string, t *tap) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t.readers--; t.readers == 1 {
		t.own.close()
		t.own = nil
	} else if t.readers == 0 {
		delete(f.taps, key)
	}
	if f.all != nil && f.positional() < 2 {
		f.all.close()
		f.all = nil
	}
	if f.readers--; f.readers == 0 {
		f.end()
	}
	f.bell.Ring() // who was to be woken by a read of a window that is gone
}

// positional counts the different queries that count positions.
func (f *feed) positional() (n int) {
	for _, t := range f.taps {
		if t.q.Stream == "" {
			n++
		}
	}
	return n
}

// begin passes the store's rings on, and has the store listen to other processes.
func (f *feed) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	leave := f.db.Local().Attend()
	f.end = func() { cancel(); leave() }
	f.compared = time.Now()
	rung := f.db.Local().Wait()
	go func() {
		var last time.Time
		for {
			select {
			case <-ctx.Done():
				return
			case <-rung:
			}
			if gap := time.Until(last.Add(f.gap())); gap > 0 {
				timer := time.NewTimer(gap)
				select {
				case <-timer.C:
				case <-ctx.Done():
					timer.Stop()
					return
				}
			}
			last = time.Now()
			rung = f.db.Local().Wait()
			f.bell.Ring()
		}
	}()
}

// The least time between two rings that are passed on, and between two reads that
// they lead to, grows with the readers that each wakes: appends that come one after
// the other would spend more on waking than on being appended: on two cores, 1 000
// appends per second took half as long again with 50 subscriptions, and a tenth with
// this. What comes after a pause is passed on at once.
const (
	gapPerReader = 100 * time.Microsecond
	longestGap   = 5 * time.Millisecond
)

func (f *feed) gap() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lockedGap()
}

func (f *feed) lockedGap() time.Duration {
	return min(time.Duration(f.readers)*gapPerReader, longestGap)
}

// tapKey tells apart what is read. No name has a U+0000.
func tapKey(q store.Query) string {
	if q.Stream == "" && len(q.Categories) == 0 && len(q.Types) == 0 {
		return ""
	}
	return q.Stream + "\x00\x00" + strings.Join(q.Categories, "\x00") + "\x00\x00" + strings.Join(q.Types, "\x00")
}

// wait returns a channel that is closed when new events may be there. Who takes it
// before reading misses none that this process hears of.
func (f *feed) wait() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readers == 0 {
		return f.db.Local().Wait()
	}
	return f.bell.Wait()
}

// forget drops what is kept: the store was replaced by another one, or by an older
// copy of it, in which places mean other events.
func (f *feed) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lockedForget()
}

func (f *feed) lockedForget() {
	f.era++
	for _, t := range f.taps {
		t.from, t.clear, t.head, t.vain = 0, 0, 0, 0
		if t.own != nil {
			t.own.close()
			t.own = newWindow(f, t.q)
		}
	}
	if f.all != nil {
		f.all.close()
		f.all = newWindow(f, store.Query{})
	}
	f.bell.Ring()
}

// read returns up to limit events after a place, and whether there were no more.
// A stream that does not exist is one without events so far. Events before an
// error are as good as others. Pages are shared: nobody may change them.
//
// q says what is read, not from where. A read of a reader that has joined may wait
// a fifth of a second for one that serves others too, while nothing is new.
func (f *feed) read(ctx context.Context, q store.Query, from uint64, limit int) (page []store.Recorded, end bool, err error) {
	era := f.now()
	page, end, err = f.shared(ctx, q, from, limit)
	if err == nil && f.now() != era { // it may have begun after what another log was known to hold
		return f.query(ctx, q, from, limit)
	}
	return page, end, err
}

// now is the era.
func (f *feed) now() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.era
}

// shared reads what others have read, or will.
func (f *feed) shared(ctx context.Context, q store.Query, from uint64, limit int) (page []store.Recorded, end bool, err error) {
	f.mu.Lock()
	t := f.taps[tapKey(q)]
	if t == nil {
		f.mu.Unlock()
		return f.query(ctx, q, from, limit)
	}
	at := from
	if from == t.from {
		at = max(from, t.clear)
	}
	all, own, era := f.all, t.own, f.era
	all.age()
	own.age()
	if q.Stream != "" {
		all = nil
	}
	if all.covers(at) {
		page, reached, end, err := all.read(ctx, q, at, limit) // unlocks
		// What is wrong for good with all events need not be with those of q.
		others := err != nil && !store.Retryable(err) && tapKey(q) != "" && ctx.Err() == nil
		if !others && !errors.Is(err, errEvicted) {
			f.mark(t, era, from, page, reached)
			if err == nil && end && len(page) == 0 {
				f.compare(ctx, era, reached)
			}
			return page, end, err
		}
		f.mu.Lock()
	}
	head := t.head
	if all != nil {
		head = max(head, all.end)
	}
	if own != nil && own.place(at) {
		var reached uint64
		page, reached, end, err = own.read(ctx, q, at, limit) // unlocks
		if !errors.Is(err, errEvicted) {
			if len(page) > 0 {
				head = reached // it may have been read before head was known
			}
			return f.settle(ctx, t, era, from, max(head, reached), page, end, err)
		}
		f.mu.Lock()
	}
	f.mu.Unlock()
	page, end, err = f.query(ctx, q, at, limit)
	return f.settle(ctx, t, era, from, head, page, end, err)
}

// settle notes what a read has found that was not of the newest events of all, and
// at the end of the log prepares that the next one is.
func (f *feed) settle(ctx context.Context, t *tap, era int, from, head uint64, page []store.Recorded, end bool, err error) ([]store.Recorded, bool, error) {
	if err != nil || !end || t.q.Stream != "" {
		return page, end, err
	}
	vain := f.mark(t, era, from, page, head)
	f.mu.Lock()
	all, before := f.all, t.head
	unplaced := all != nil && (!all.placed || len(page) > 0 && all.end < uint64(page[len(page)-1].Position))
	f.mu.Unlock()
	if !unplaced && (tapKey(t.q) == "" || vain%headEvery != 1) {
		return page, end, err
	}
	newest, failed := f.newest(ctx)
	if failed != nil {
		return page, end, err // of no consequence: it is looked up again
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if era != f.era {
		return page, end, err
	}
	if newest < before {
		f.lockedForget()
		return page, end, err
	}
	t.head = newest
	if unplaced && all == f.all && (!all.placed || all.end < newest) {
		all.reset(newest)
	}
	return page, end, err
}

// compare forgets all if the log ends before where it has ended: the store is an older
// one, in which what is written next has places that were passed. What was deleted
// for good at the end looks the same, and costs some reads.
func (f *feed) compare(ctx context.Context, era int, reached uint64) {
	f.mu.Lock()
	due := time.Since(f.compared) >= headPause
	if due {
		f.compared = time.Now()
	}
	f.mu.Unlock()
	if !due {
		return
	}
	newest, err := f.newest(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && newest < reached && era == f.era {
		f.lockedForget()
	}
}

// mark notes that the tap's query selects nothing between what was read last, page
// or from, and clear. It returns how many reads in a row have found nothing.
func (f *feed) mark(t *tap, era int, from uint64, page []store.Recorded, clear uint64) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if era != f.era {
		return 0
	}
	if len(page) > 0 {
		from = placeOf(t.q, &page[len(page)-1])
		t.vain = 0
	} else {
		t.vain++
	}
	switch {
	case from < t.from:
	case from == t.from:
		t.clear = max(t.clear, clear)
	default:
		t.from, t.clear = from, max(from, clear)
	}
	return t.vain
}

// newest returns the position of the newest event of all.
func (f *feed) newest(ctx context.Context) (uint64, error) {
	for r, err := range f.db.Read(ctx, store.Query{Backward: true, Limit: 1}) {
		return uint64(r.Position), err
	}
	return 0, nil
}

// query reads by a query of its own.
func (f *feed) query(ctx context.Context, q store.Query, from uint64, limit int) (page []store.Recorded, end bool, err error) {
	q.Limit = limit
	if q.Stream != "" {
		q.FromVersion = store.Version(from) + 1
	} else {
		q.FromPosition = store.Position(from) + 1
	}
	bytes := 0
	for event, err := range f.db.Read(ctx, q) {
		if err != nil {
			if q.Stream != "" && errors.Is(err, store.ErrStreamNotFound) {
				return page, true, nil
			}
			return page, false, err
		}
		if len(page) == fewEvents { // there are many
			page = slices.Grow(page, max(min(limit, flightEvents)-fewEvents, 0))
		}
		page = append(page, event)
		if bytes += len(event.Data) + len(event.Metadata); bytes > pageBytes {
			return page, false, nil
		}
	}
	return page, len(page) < limit, nil
}

// fewEvents is after how many a page gets room for all that it may have: an event that
// comes alone takes little, and a full page is copied once.
const fewEvents = 16

// pageBytes bounds the payloads of a page: it has one event more.
const pageBytes = 8 << 20

func placeOf(q store.Query, r *store.Recorded) uint64 {
	if q.Stream != "" {
		return uint64(r.Version)
	}
	return uint64(r.Position)
}
