package subscribe

import (
	"context"
	"errors"
	"slices"
	"sort"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// bounds are what a window keeps at most. Its slice may keep as much again alive
// that was evicted.
type bounds struct{ events, bytes int }

var windowBounds = bounds{events: 4096, bytes: 4 << 20}

const (
	// eventBytes is what an event takes beside its payload, about.
	eventBytes = 256
	// flightEvents is the most events of one read.
	flightEvents = 1000
)

// While nothing is new and no bell rings, there are at most this many reads in a
// row, and then one in each pause, however many ask.
const (
	idleBurst = 8
	idlePause = 200 * time.Millisecond
)

// overdue is when a read that has not ended is not waited for any longer: its
// connection may hang. Another one begins beside it.
const overdue = 2 * time.Second

// shownFor is how long at least, and twice that at most, an event is kept for who
// asks: one that was deleted for good is not shown much longer than that.
const shownFor = 5 * time.Second

// errEvicted tells that the events after a place are no longer in the window.
var errEvicted = errors.New("evicted")

// window is the newest part of what a query selects, without a gap, and the reads
// that extend it, one at a time. The lock of its feed guards it.
type window struct {
	f   *feed
	q   store.Query
	ctx context.Context //nolint:containedctx // that of its reads, which serve several callers
	// close ends its reads. Who waits for one gets an error.
	close context.CancelFunc

	// placed tells that the window is somewhere: events are all those that are
	// selected after base, up to end.
	placed    bool
	base, end uint64
	events    []store.Recorded
	// bytes are those of events; evicted those that their slice keeps alive.
	bytes, evicted int
	most           bounds
	// aged is where the window ended when age last dropped events.
	aged   uint64
	agedAt time.Time

	// begun and done are the numbers of the last read that has begun and ended,
	// under is the one under way, or nil; head tells that done found the end of
	// the log, err why it failed.
	begun, done int
	under       *flight
	head        bool
	err         error
	// began is when the last read did, and rung is closed if the bell rang since.
	began time.Time
	rung  <-chan struct{}
	// idle is when the pauses of reads that found nothing will have passed.
	idle time.Time
	// changed is closed when a read ends.
	changed chan struct{}
}

// flight is a read that extends a window.
type flight struct {
	number int
	from   uint64
	began  time.Time
	// unheard tells that somebody is to be woken for what it may find.
	unheard bool
	// again tells that the bell rang since it began, and that somebody relies on the
	// next one.
	again bool
}

func newWindow(f *feed, q store.Query) *window {
	w := &window{f: f, q: q, most: f.most, changed: make(chan struct{})}
	w.ctx, w.close = context.WithCancel(context.Background())
	return w
}

// reset places an empty window.
func (w *window) reset(at uint64) {
	w.placed, w.base, w.end, w.head = true, at, at, false
	w.aged, w.agedAt = at, time.Now()
	w.events, w.bytes, w.evicted = nil, 0, 0
	w.idle = time.Time{}
	// Who was to be woken by a read of what the window was looks for itself.
	w.f.bell.Ring()
}

// covers reports whether what follows at can be read in w, which may be nil.
func (w *window) covers(at uint64) bool {
	return w != nil && w.placed && w.base <= at && at <= w.end
}

// place is covers, after moving the window to where the foremost reader is.
func (w *window) place(at uint64) bool {
	if !w.placed || at > w.end {
		w.reset(at)
	}
	return w.covers(at)
}

// read returns what q selects after a place, and up to where it has looked. It is
// called with the feed's lock, and gives it up. If nothing is there, it returns
// after a read that began later than the call.
func (w *window) read(ctx context.Context, q store.Query, at uint64, limit int) (page []store.Recorded, reached uint64, end bool, err error) {
	defer w.f.mu.Unlock()
	want := w.begun + 1
	var timer *time.Timer
	for {
		if !w.covers(at) {
			return nil, 0, false, errEvicted
		}
		page, at = w.take(q, at, limit)
		if len(page) > 0 {
			end = w.head && at == w.end
			if end {
				w.follow()
			}
			return page, at, end, nil
		}
		if w.ctx.Err() != nil {
			// The last of its other readers has left, or it was forgotten.
			return nil, 0, false, errEvicted
		}
		if w.done >= want {
			if w.err != nil || w.head {
				return nil, at, w.err == nil, w.err
			}
		}
		wait := w.launch()
		changed, rung := w.changed, w.rung
		if w.under != nil || w.stale() {
			rung = nil // what it rang for is read next
		}
		w.f.mu.Unlock()
		if timer == nil {
			timer = time.NewTimer(wait)
			defer timer.Stop()
		} else {
			timer.Reset(wait)
		}
		select {
		case <-changed:
		case <-rung:
		case <-timer.C:
		case <-ctx.Done():
			err = ctx.Err()
		case <-w.ctx.Done():
		}
		w.f.mu.Lock()
		if err != nil {
			return nil, 0, false, err
		}
	}
}

// take returns the events after a place that q selects, and the place up to which
// they are all.
func (w *window) take(q store.Query, at uint64, limit int) ([]store.Recorded, uint64) {
	i := sort.Search(len(w.events), func(i int) bool { return placeOf(w.q, &w.events[i]) > at })
	found := w.events[i:]
	if tapKey(q) != tapKey(w.q) {
		var page []store.Recorded
		for i := range found {
			if !q.Matches(found[i]) {
				continue
			}
			if page = append(page, found[i]); len(page) == limit {
				return page, placeOf(w.q, &found[i])
			}
		}
		return page, w.end
	}
	if len(found) > limit {
		return slices.Clip(found[:limit]), placeOf(w.q, &found[limit-1])
	}
	return slices.Clip(found), w.end
}

// stale reports whether the bell rang since the last read began.
func (w *window) stale() bool {
	select {
	case <-w.rung:
		return true
	default:
		return w.rung == nil
	}
}

// launch begins a read if one is due, and returns when to look again at the latest.
func (w *window) launch() time.Duration {
	now := time.Now()
	if w.under != nil {
		if late := w.under.began.Add(overdue).Sub(now); late > 0 {
			return late
		}
	}
	if gap := w.began.Add(w.f.lockedGap()).Sub(now); w.head && gap > 0 {
		return gap
	}
	if w.head && w.err == nil && !w.stale() {
		if may := w.idle.Add((1 - idleBurst) * idlePause); may.After(now) {
			return may.Sub(now)
		}
		if w.idle.Before(now) {
			w.idle = now
		}
		w.idle = w.idle.Add(idlePause)
	}
	w.begin(!w.stale() && (w.head || w.err != nil))
	return overdue
}

// follow sees to it that who was told that there is no more is woken by what is
// being read, and by what the bell has rung for already.
func (w *window) follow() {
	switch {
	case w.under != nil:
		w.under.unheard, w.under.again = true, w.under.again || w.stale()
	case w.stale():
		w.begin(true)
	}
}

// begin begins a read.
func (w *window) begin(unheard bool) {
	w.begun++
	w.began = time.Now()
	w.under = &flight{number: w.begun, from: w.end, began: time.Now(), unheard: unheard}
	w.rung = w.f.db.Local().Wait() // before the read, so that no append falls between
	go w.fly(w.under)
}

func (w *window) fly(fl *flight) {
	page, end, err := w.f.query(w.ctx, w.q, fl.from, flightEvents)
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	if w.under == fl {
		w.under = nil
	}
	if fl.number > w.done {
		w.done, w.head, w.err = fl.number, end, err
	}
	if w.extend(fl.from, page) {
		if fl.unheard {
			w.idle = time.Time{} // polling finds what no bell rings for
		}
		if fl.unheard || w.under != nil { // an overdue one may bring what the next one would have
			w.f.bell.Ring()
		}
	}
	if fl.again && w.under == nil && w.ctx.Err() == nil {
		w.begin(true)
	}
	close(w.changed)
	w.changed = make(chan struct{})
}

// extend adds what was read after a place. An overdue read may come when another
// one has brought the same.
func (w *window) extend(from uint64, page []store.Recorded) bool {
	if !w.placed || from < w.base || from > w.end {
		return false
	}
	i := sort.Search(len(page), func(i int) bool { return placeOf(w.q, &page[i]) > w.end })
	if page = page[i:]; len(page) == 0 {
		return false
	}
	for i := range page {
		w.bytes += weight(&page[i])
	}
	w.events = append(w.events, page...)
	w.end = placeOf(w.q, &page[len(page)-1])
	w.evict()
	return true
}

// age drops what was read long ago. w may be nil.
func (w *window) age() {
	if w == nil || !w.placed || time.Since(w.agedAt) < shownFor {
		return
	}
	w.drop(sort.Search(len(w.events), func(i int) bool { return placeOf(w.q, &w.events[i]) > w.aged }))
	w.aged, w.agedAt = w.end, time.Now()
}

// evict drops the oldest events beyond what is kept, but never the last one.
func (w *window) evict() {
	n, bytes := 0, w.bytes
	for ; len(w.events)-n > 1 && (len(w.events)-n > w.most.events || bytes > w.most.bytes); n++ {
		bytes -= weight(&w.events[n])
	}
	w.drop(n)
}

// drop drops the first n events.
func (w *window) drop(n int) {
	if n == 0 {
		return
	}
	for i := range w.events[:n] {
		size := weight(&w.events[i])
		w.bytes -= size
		w.evicted += size
	}
	w.base = placeOf(w.q, &w.events[n-1])
	w.events = w.events[n:]
	// Pages that were given out share the slice, so that it cannot be cleared.
	if w.evicted > w.most.bytes {
		w.events, w.evicted = slices.Clone(w.events), 0
	}
}

func weight(r *store.Recorded) int { return eventBytes + len(r.Data) + len(r.Metadata) }
