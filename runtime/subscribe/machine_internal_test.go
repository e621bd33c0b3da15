package subscribe

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/esgen/esgen/runtime/store"
)

// TestMachine drives the machine of a lane through every order of arrivals,
// answers, failures, timers, losses and renewals against a world that is simpler
// than any store, and holds after each step what the package promises.
func TestMachine(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]manner{
		"handler":     {},
		"batch":       {batched: true},
		"transaction": {batched: true, moves: true},
		"pull":        {loose: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				w := newWorld(t, how)
				t.Repeat(map[string]func(*rapid.T){
					"":      func(*rapid.T) { w.check() },
					"bell":  func(*rapid.T) { w.do(func() { w.m.hasRung(w.now) }) },
					"time":  func(t *rapid.T) { w.sleep(time.Duration(rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "pause"))) },
					"wake":  func(t *rapid.T) { w.wait(t) },
					"renew": func(*rapid.T) { w.renew() },

					"append":   func(*rapid.T) { w.append() },
					"append 2": func(*rapid.T) { w.append() },
					"go on":    func(t *rapid.T) { w.goOn(t) },
					"go far":   func(t *rapid.T) { w.goOn(t) },

					"handle":   func(t *rapid.T) { w.handle(t, fine) },
					"handle 2": func(t *rapid.T) { w.handle(t, fine) },
					"fails":    func(t *rapid.T) { w.handle(t, fails) },
					"verdict":  func(t *rapid.T) { w.handle(t, says) },
					"stops":    func(t *rapid.T) { w.handle(t, lies) },
					"commits":  func(t *rapid.T) { w.handle(t, lost) },

					"action fails":   func(t *rapid.T) { w.finishAny(t, fails) },
					"action is lost": func(t *rapid.T) { w.finishAny(t, lost) },
					"read repeats":   func(t *rapid.T) { w.finish(t, reads, lies) },
					"action breaks":  func(t *rapid.T) { w.finishAny(t, breaks) },

					"stale answer": func(t *rapid.T) { w.answerStale(t) },

					"retry parked":   func(t *rapid.T) { w.mark(t, store.ParkedRetry) },
					"discard parked": func(t *rapid.T) { w.mark(t, store.ParkedDiscarded) },

					"another owner":  func(*rapid.T) { w.steal() },
					"crash":          func(*rapid.T) { w.restart() },
					"stop and start": func(*rapid.T) { w.stop(fine); w.restart() },
					"give up":        func(*rapid.T) { w.stop(fails); w.restart() },
					"drain":          func(*rapid.T) { w.do(func() { w.m.stop(w.now, errReleased, true) }) },
				})
				w.heal()
			})
		})
	}
}

type outcome int

const (
	fine   outcome = iota
	fails          // nothing happened
	lost           // it happened, wholly or in part, and an error came back
	lies           // what must not happen
	breaks         // an error came back that cannot heal
	says           // a handler says what is to happen
)

var (
	errAway    = errors.New("away")
	errStopped = errors.New("stopped")
)

const lease = 4 * time.Second

// event is one of the world's log.
type event struct {
	store.Recorded
	key  string
	mine bool
	// handled is how often, committed how often in a transaction.
	handled, committed int
	// run is the one in which it was handled last.
	run int
	// skipped tells that a row says so; passed that it was before the start.
	skipped, discarded, passed bool
}

// world is the store, the handler, the clock and the driver around a machine.
type world struct {
	t   *rapid.T
	c   Config
	how manner
	m   *machine
	now time.Time
	// until is when the store lets another have the lane.
	until time.Time
	run   int       // counts the processes
	begin time.Time // of the start, if that is a time

	log    []*event
	stored uint64
	rows   map[uint64]*store.Parked // by place
	last   map[string]uint64        // by key: the newest place handled for the first time
	fenced bool
	broken bool

	out   []delivery // in flight, in order
	stale []delivery // taken back
	under map[doing]action
	// seen is what was parked when a look began, which may read at any time until it
	// ends.
	seen  []store.Parked
	wake  time.Time
	ended bool
	err   error
	// unknown is the To of a commit whose reply was lost.
	unknown bool
	// idleSince is when an action of a kind came to nothing last.
	idle map[doing]time.Time
}

func newWorld(t *rapid.T, how manner) *world {
	w := &world{
		t: t, how: how, now: time.Unix(1_000_000_000, 0), rows: map[uint64]*store.Parked{}, last: map[string]uint64{},
		c: Config{
			CheckpointEvery: rapid.SampledFrom([]int{1, 2, 3, 10}).Draw(t, "every"),
			CheckpointAfter: rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second}).Draw(t, "after"),
			PageSize:        rapid.SampledFrom([]int{1, 2, 3, 7}).Draw(t, "page"),
			InFlight:        rapid.SampledFrom([]int{1, 3}).Draw(t, "in flight"),
			Retry:           Retry{Attempts: rapid.SampledFrom([]int{-1, 1, 3}).Draw(t, "attempts")},
			OnFailure:       rapid.SampledFrom([]Policy{ThenStop, ThenSkip, ThenPark}).Draw(t, "policy"),
			MaxParkedKeys:   rapid.SampledFrom([]int{1, 10}).Draw(t, "parked keys"),
			Batch: Batch{
				Size:  rapid.SampledFrom([]int{1, 2, 5}).Draw(t, "batch"),
				After: rapid.SampledFrom([]time.Duration{0, time.Second}).Draw(t, "linger"),
			},
		},
	}
	switch rapid.SampledFrom([]string{"origin", "after", "at"}).Draw(t, "start") {
	case "after":
		w.stored = rapid.Uint64Range(0, 10).Draw(t, "start after")
	case "at":
		w.begin = w.now.Add(time.Duration(rapid.Int64Range(0, 10).Draw(t, "start at")) * time.Second)
		w.c.Start = At(w.begin)
	}
	c, err := w.c.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	w.c = c
	w.restart()
	return w
}

// restart is a new process that gets the lane.
func (w *world) restart() {
	w.m = newMachine("model", store.Lane{At: w.stored}, w.c, w.how, func() float64 { return 0.5 })
	w.under, w.idle, w.out, w.stale = map[doing]action{}, map[doing]time.Time{}, nil, nil
	w.run++
	w.ended, w.err, w.broken, w.fenced, w.unknown = false, nil, false, false, false
	w.renew()
}

func (w *world) renew() {
	if w.fenced {
		return
	}
	w.until = w.now.Add(lease)
	w.do(func() { w.m.hold(w.until) })
}

func (w *world) do(f func()) {
	if !w.ended {
		f()
	}
	w.pump()
}

func (w *world) append() {
	for range rapid.IntRange(1, 5).Draw(w.t, "events") {
		at := uint64(rapid.IntRange(1, 3).Draw(w.t, "gap"))
		if n := len(w.log); n > 0 {
			at += uint64(w.log[n-1].Position)
		}
		key := rapid.SampledFrom([]string{"", "a", "b", "other lane"}).Draw(w.t, "key")
		e := &event{key: key, mine: key != "other lane", Recorded: store.Recorded{
			Position: store.Position(at), Stream: "model-1", Type: "modelled",
			Time: time.Unix(1_000_000_000+rapid.Int64Range(0, 12).Draw(w.t, "time"), 0),
		}}
		w.log = append(w.log, e)
		e.passed = w.stored >= at || !w.begin.IsZero() && !slices.ContainsFunc(w.log, func(e *event) bool { return !e.Time.Before(w.begin) })
	}
}

// steal gives the lane to another, once the lease has passed, and that one handles
// the next event.
func (w *world) steal() {
	if w.now.Before(w.until) || w.fenced || w.ended {
		w.t.Skip("the lease holds")
	}
	w.fenced = true
	if rapid.Bool().Draw(w.t, "told") {
		w.do(func() { w.m.lose(&store.FencedError{}) })
	}
}

func (w *world) sleep(d time.Duration) {
	w.now = w.now.Add(d)
	w.pump()
}

func (w *world) wait(t *rapid.T) {
	if w.wake.IsZero() || w.ended {
		t.Skip("no timer is set")
	}
	w.now = latest(w.now, w.wake)
	w.pump()
}

// pump does what the driver and the program's side do between two inputs.
func (w *world) pump() {
	for range 1000 {
		if w.ended {
			return
		}
		w.pull()
		a := w.m.next(w.now)
		w.m.notices = nil
		if a.do == waits {
			given := len(w.out)
			if w.pull(); len(w.out) > given { // the program asks until there is nothing
				continue
			}
			w.wake = a.wake
			if _, wake := w.m.pull(w.now, 0, nil); !wake.IsZero() && (w.wake.IsZero() || wake.Before(w.wake)) {
				w.wake = wake
			}
			return
		}
		w.begun(a)
	}
	w.t.Fatal("the machine never waits")
}

func (w *world) begun(a action) {
	if _, twice := w.under[a.do]; twice {
		w.t.Fatalf("action %d is begun while one of its kind is under way", a.do)
	}
	if since, ok := w.idle[a.do]; ok && w.now.Sub(since) < 5*time.Millisecond {
		w.t.Fatalf("busy loop: action %d is begun %s after one of its kind came to nothing", a.do, w.now.Sub(since))
	}
	switch a.do {
	case expires:
		return
	case ends:
		w.ended, w.err = true, a.err
		w.stopped()
		return
	case reads:
		if a.limit < 1 || a.limit+w.m.queue.len() > w.c.PageSize {
			w.t.Fatalf("read of %d events while %d are held, at most %d may be", a.limit, w.m.queue.len(), w.c.PageSize)
		}
	case saves:
		if a.to <= a.from {
			w.t.Fatalf("checkpoint moves from %d to %d", a.from, a.to)
		}
	case looks:
		w.seen = w.heads()
	default:
	}
	if w.m.lost {
		w.t.Fatalf("action %d is begun after the lane was lost", a.do)
	}
	w.under[a.do] = a
}

// pull takes what there is, and holds the order against the promise.
func (w *world) pull() {
	most := 3
	if w.how.batched {
		most = w.c.Batch.Size
	}
	ds, _ := w.m.pull(w.now, most, nil)
	for i, d := range ds {
		switch {
		case !w.now.Before(w.until):
			w.t.Fatalf("event %d is given after the lease has passed", d.r.Position)
		case w.m.stopping || w.m.lost:
			w.t.Fatalf("event %d is given after the end", d.r.Position)
		case d.number == replayed:
			continue
		}
		for _, e := range w.log {
			before := e.mine && e.Position < d.r.Position && uint64(e.Position) > w.stored && (e.key == d.key || !w.how.loose)
			if !before || w.settled(e) || w.inHand(ds[:i], e) || w.parkedHere(e) {
				continue
			}
			w.t.Fatalf("event %d of key %q is given before %d of key %q", d.r.Position, d.key, e.Position, e.key)
		}
		if _, parked := w.m.keys[d.key]; parked {
			w.t.Fatalf("event %d is given while events of its key %q are parked", d.r.Position, d.key)
		}
	}
	w.out = append(w.out, ds...)
	if w.how.loose && len(w.out) > w.c.InFlight+1 || !w.how.loose && len(w.out) > most {
		w.t.Fatalf("%d events are in flight", len(w.out))
	}
}

func (w *world) inHand(ds []delivery, e *event) bool {
	is := func(d delivery) bool { return d.r.Position == e.Position && d.number != replayed }
	return slices.ContainsFunc(w.out, is) || slices.ContainsFunc(ds, is)
}

// parkedHere: it is on its way to being parked or skipped.
func (w *world) parkedHere(e *event) bool {
	return slices.ContainsFunc(w.m.rows, func(r row) bool { return r.At == uint64(e.Position) })
}

// settled: nobody need handle it any more, by what the store knows or was done.
func (w *world) settled(e *event) bool {
	at := uint64(e.Position)
	return e.passed || !e.mine || e.handled > 0 || e.committed > 0 || e.skipped || e.discarded || w.rows[at] != nil
}

func (w *world) find(d delivery) *event {
	for _, e := range w.log {
		if e.Position == d.r.Position {
			return e
		}
	}
	w.t.Fatalf("event %d is not in the log", d.r.Position)
	return nil
}

// handled notes that an event had its effect, in order of its key.
func (w *world) handled(d delivery) {
	e := w.find(d)
	if d.number != replayed {
		e.run = w.run
	}
	first := e.handled == 0 && e.committed == 0 && !e.skipped && !e.discarded
	if w.how.moves {
		if e.committed++; e.committed > 1 && d.number != replayed {
			w.t.Fatalf("event %d was committed twice", d.r.Position)
		}
	} else {
		e.handled++
	}
	if at := uint64(e.Position); first {
		if at < w.last[e.key] && !w.how.loose { // there the program decides what it answers first
			w.t.Fatalf("event %d of key %q is handled after %d", at, e.key, w.last[e.key])
		}
		w.last[e.key] = at
		if row := w.rows[at]; row != nil && d.number != replayed {
			w.t.Fatalf("event %d is parked and handled", at)
		}
	}
}

// take removes the deliveries that are answered together: of a batch all.
func (w *world) take(t *rapid.T) []delivery {
	if w.ended || len(w.out) == 0 {
		t.Skip("nothing is in flight")
	}
	if w.how.batched {
		ds := w.out
		w.out = nil
		return ds
	}
	i := 0
	if w.how.loose {
		i = rapid.IntRange(0, len(w.out)-1).Draw(t, "answered")
	}
	d := w.out[i]
	w.out = slices.Delete(w.out, i, i+1)
	return []delivery{d}
}

// handle answers what is in flight.
func (w *world) handle(t *rapid.T, how outcome) {
	ds := w.take(t)
	err := errAway
	if how == says {
		err = rapid.SampledFrom([]error{Skip(errAway), Park(errAway), RetryAfter(time.Second, errAway), Unreadable(errAway)}).Draw(t, "verdict")
	}
	if how == lies {
		err = Stop(errAway)
	}
	switch {
	case w.how.moves && (how == fine || how == lost):
		w.commit(ds, how)
	case w.how.batched && (how == fine || how == lost):
		for _, d := range ds {
			w.handled(d)
			w.m.acked(w.now, d.number, d.giving)
		}
	case how == fine || how == lost:
		if w.m.acked(w.now, ds[0].number, ds[0].giving) {
			w.handled(ds[0])
		}
	case w.how.batched:
		w.m.batchNacked(w.now, ds, err)
	default:
		w.m.nacked(w.now, ds[0].number, ds[0].giving, err)
	}
	w.dropStale()
	w.pump()
}

// dropStale forgets deliveries that were taken back, as the drivers do.
func (w *world) dropStale() {
	w.out = slices.DeleteFunc(w.out, func(d delivery) bool {
		if d.number == replayed {
			return w.m.replay == nil || !w.m.replay.given || w.m.replay.giving != d.giving
		}
		if w.m.find(d.number, d.giving) == nil {
			w.stale = append(w.stale, d)
			return true
		}
		return false
	})
}

// answerStale answers a delivery that was taken back: it has no effect, also if its
// event is in flight again.
func (w *world) answerStale(t *rapid.T) {
	if len(w.stale) == 0 || w.ended {
		t.Skip("nothing was taken back")
	}
	d := rapid.SampledFrom(w.stale).Draw(t, "stale")
	if w.m.acked(w.now, d.number, d.giving) || w.m.nacked(w.now, d.number, d.giving, errAway) {
		t.Fatalf("an answer to giving %d of event %d counts, which was taken back", d.giving, d.r.Position)
	}
}

// commit is a transaction of the handler and the checkpoint.
func (w *world) commit(ds []delivery, how outcome) {
	from, to := w.m.move()
	switch {
	case w.fenced || from != w.stored:
		w.m.uncommitted(w.now, ds, store.ErrFenced)
		w.place()
		return
	case how == lost && rapid.Bool().Draw(w.t, "rolled back"):
		w.m.uncommitted(w.now, ds, errAway)
		return
	}
	for _, d := range ds {
		w.handled(d)
	}
	w.moved(to)
	if how == lost {
		w.m.uncommitted(w.now, ds, errAway)
		return
	}
	delete(w.idle, saves) // the store moves checkpoints again
	w.m.committed(w.now, ds, to)
}

// place is what the driver does when a move was fenced.
func (w *world) place() {
	if w.fenced || w.stored <= w.m.stored {
		w.m.busy[saves] = false
		w.m.lose(&store.FencedError{})
		return
	}
	delete(w.idle, saves)
	w.m.placed(w.now, w.stored)
	delete(w.idle, saves) // what came to nothing is known to have come to something
}

// moved is the store's checkpoint at a new place: nothing is passed over.
func (w *world) moved(to uint64) {
	for _, e := range w.log {
		if at := uint64(e.Position); at > w.stored && at <= to && !w.settled(e) {
			w.t.Fatalf("checkpoint moves from %d to %d past %d, which was not handled", w.stored, to, at)
		}
	}
	w.stored = to
}

func (w *world) finishAny(t *rapid.T, how outcome) {
	if len(w.under) == 0 || w.ended {
		t.Skip("nothing is under way")
	}
	w.finish(t, rapid.SampledFrom(slices.Sorted(maps.Keys(w.under))).Draw(t, "action"), how)
}

// finish ends an action that is under way.
func (w *world) finish(t *rapid.T, do doing, how outcome) {
	a, ok := w.under[do]
	if !ok || w.ended {
		t.Skip("not under way")
	}
	delete(w.under, do)
	delete(w.idle, do)
	w.broken = w.broken || how == breaks
	if (how == fails || how == lost) && do != looks || do == reads && w.after(a.from) == len(w.log) {
		w.idle[do] = w.now
	}
	if how == fine && (do == parks || do == settles) {
		// The store takes them again, also what it did not take before.
		delete(w.idle, parks)
		delete(w.idle, settles)
	}
	err := map[outcome]error{fails: errAway, lost: errAway, breaks: store.ErrClosed}[how]
	happens := how != fails && how != breaks
	switch do {
	case loads:
		w.m.hasLoaded(w.now, w.heads(), err)
	case reads:
		w.read(a, how, err)
	case saves:
		w.save(a, happens, err)
	case parks:
		if happens && !w.fenced {
			w.park(a.rows)
		} else if happens {
			err = &store.FencedError{}
		}
		w.m.hasParked(w.now, err)
	case looks:
		heads := w.heads()
		if rapid.Bool().Draw(t, "looked early") {
			heads = w.seen
		}
		w.m.hasLooked(w.now, heads, w.replay(heads), err)
	case settles:
		if happens && !w.fenced {
			w.settle(a.replay)
		} else if happens {
			err = &store.FencedError{}
		}
		w.m.hasSettled(w.now, err)
	case reports:
		w.m.hasReported(w.now, a.text, err)
	default:
		w.t.Fatalf("action %d has no outcome", do)
	}
	w.pump()
}

func (w *world) after(place uint64) int {
	i := slices.IndexFunc(w.log, func(e *event) bool { return uint64(e.Position) > place })
	if i < 0 {
		return len(w.log)
	}
	return i
}

func (w *world) read(a action, how outcome, err error) {
	from := w.after(a.from)
	to := min(len(w.log), from+a.limit)
	if how == lost {
		to = from + (to-from)/2
	}
	var items []item
	if how != fails {
		for _, e := range w.log[from:to] {
			items = append(items, item{r: &e.Recorded, place: uint64(e.Position), key: e.key, mine: e.mine})
		}
	}
	if how == lies && len(items) > 1 {
		items[len(items)-1] = items[0]
	}
	w.m.hasRead(w.now, items, len(items) < a.limit, err)
}

func (w *world) save(a action, happens bool, err error) {
	if happens {
		switch {
		case w.fenced || w.stored != a.from && w.stored != a.to:
			if w.how.moves {
				w.place()
				return
			}
			if !w.fenced {
				w.t.Fatalf("checkpoint moves from %d to %d, it is at %d", a.from, a.to, w.stored)
			}
			err = &store.FencedError{}
		default:
			w.moved(a.to)
		}
	}
	w.m.hasSaved(w.now, err)
}

func (w *world) park(rows []store.Parked) {
	for _, r := range rows {
		if r.State == store.ParkedSkipped {
			for _, e := range w.log {
				e.skipped = e.skipped || uint64(e.Position) == r.At
			}
			delete(w.rows, r.At)
			continue
		}
		w.rows[r.At] = &r
	}
}

// heads are the first parked events of each key.
func (w *world) heads() []store.Parked {
	first := map[string]*store.Parked{}
	for _, r := range w.rows {
		if h := first[r.Key]; h == nil || r.At < h.At {
			first[r.Key] = r
		}
	}
	heads := make([]store.Parked, 0, len(first))
	for _, key := range slices.Sorted(maps.Keys(first)) {
		heads = append(heads, *first[key])
	}
	return heads
}

func (w *world) replay(heads []store.Parked) *replay {
	for _, h := range heads {
		if h.State == store.ParkedRetry || h.Attempts == 0 {
			return &replay{row: h, r: &w.log[w.after(h.At-1)].Recorded}
		}
	}
	return nil
}

func (w *world) settle(r *replay) {
	if r.err == nil {
		delete(w.rows, r.row.At)
		return
	}
	if d, _ := verdictOf(r.err); d == skips || d == usual && w.c.OnFailure == ThenSkip {
		w.park([]store.Parked{{At: r.row.At, State: store.ParkedSkipped}})
		return
	}
	if row := w.rows[r.row.At]; row != nil {
		row.Attempts += r.failures
	}
	for _, row := range w.rows {
		if row.Key == r.row.Key {
			row.State = store.ParkedWaiting
		}
	}
}

// mark is somebody who decides about parked events.
func (w *world) mark(t *rapid.T, state store.ParkedState) {
	if len(w.rows) == 0 {
		t.Skip("nothing is parked")
	}
	at := rapid.SampledFrom(slices.Sorted(maps.Keys(w.rows))).Draw(t, "parked")
	w.markKey(w.rows[at].Key, state)
}

func (w *world) markKey(key string, state store.ParkedState) {
	for _, e := range w.log {
		row := w.rows[uint64(e.Position)]
		if row == nil || row.Key != key {
			continue
		}
		if row.State = state; state == store.ParkedDiscarded {
			e.discarded = true
			delete(w.rows, row.At)
		}
	}
}

func (w *world) check() {
	if w.ended {
		return
	}
	if len(w.under) == 0 && len(w.out) == 0 && !w.m.lost && !w.m.expired && (w.wake.IsZero() || w.wake.Sub(w.now) > 10*time.Second) {
		w.t.Fatalf("silent stall: nothing is under way and no timer is set (wake %s)", w.wake)
	}
	if _, reading := w.under[reads]; w.m.loaded && !reading && w.m.queue.len() == 0 && !w.m.stopping && !w.m.lost {
		if late := w.wake.Sub(w.now); w.wake.IsZero() || late > 5*time.Second {
			w.t.Fatalf("nothing is read for %s", late)
		}
	}
	for n := w.m.queue.begin(); n < w.m.queue.end() && !w.m.lost; n++ {
		stored := func(r row) bool { return r.number == n }
		if w.m.queue.at(n).state == parking && !slices.ContainsFunc(w.m.rows, stored) {
			w.t.Fatalf("event %d is to be parked, and nothing is going to park it", w.m.queue.at(n).place)
		}
	}
	for _, row := range w.rows {
		if _, known := w.m.keys[row.Key]; !known && w.m.loaded && !w.m.lost && !w.fenced {
			w.t.Fatalf("event %d of key %q is parked, and the machine has forgotten the key", row.At, row.Key)
		}
	}
	if n := w.repeated(); n > w.c.CheckpointEvery && !w.how.moves {
		w.t.Fatalf("a crash would repeat %d events, at most %d may be", n, w.c.CheckpointEvery)
	}
}

// repeated counts what a crash now would handle again of what this process has.
func (w *world) repeated() int {
	n := 0
	for _, e := range w.log {
		if uint64(e.Position) > w.stored && e.run == w.run && !w.fenced {
			n++
		}
	}
	return n
}

// stopped checks how the lane ended.
func (w *world) stopped() {
	_, handler := errors.AsType[*HandlerError](w.err)
	_, full := errors.AsType[*ParkedError](w.err)
	switch {
	case handler, full, w.broken && errors.Is(w.err, store.ErrClosed), w.m.lost && errors.Is(w.err, store.ErrFenced),
		errors.Is(w.err, errStopped), errors.Is(w.err, errReleased):
	default:
		w.t.Fatalf("ended with %v", w.err)
	}
	if !w.how.loose && len(w.out) > 0 {
		w.t.Fatal("ended while an event is being handled")
	}
}

// stop asks for the end and lets everything under way end as how says.
func (w *world) stop(how outcome) {
	since := w.now
	w.do(func() { w.m.stop(w.now, errStopped, false) })
	for range 1000 {
		if w.ended {
			if took := w.now.Sub(since); took > grace {
				w.t.Fatalf("it ended after %s, want at most %s", took, grace)
			}
			if n := w.repeated(); n > 0 && how == fine && !w.how.loose && !w.broken && !w.m.lost && w.m.savings.failures == 0 {
				w.t.Fatalf("a clean stop leaves %d events to be handled again", n)
			}
			return
		}
		w.step(how)
	}
	w.t.Fatal("it never ends")
}

// goOn lets some of what is under way succeed, in any order.
func (w *world) goOn(t *rapid.T) {
	for range rapid.IntRange(1, 20).Draw(t, "times") {
		if w.ended || len(w.under)+len(w.out) == 0 {
			return
		}
		w.any(t)
		w.check()
	}
}

// any ends one of the things under way, whichever began first.
func (w *world) any(t *rapid.T) {
	next := slices.Sorted(maps.Keys(w.under))
	if len(w.out) > 0 {
		next = append(next, actions)
	}
	if do := rapid.SampledFrom(next).Draw(t, "next"); do != actions {
		w.finish(t, do, fine)
		return
	}
	w.handle(t, fine)
}

// step ends one thing that is under way, or lets the time pass.
func (w *world) step(how outcome) {
	for _, do := range []doing{loads, parks, settles, saves, reads, looks, reports} {
		if _, ok := w.under[do]; ok {
			w.finish(w.t, do, how)
			return
		}
	}
	if len(w.out) > 0 {
		w.handle(w.t, how)
		return
	}
	if w.wake.IsZero() {
		w.sleep(time.Second)
		return
	}
	w.now = latest(w.now, w.wake)
	w.pump()
}

// heal lets everything succeed from now on, and has all that is parked tried
// again: all events get settled and the checkpoint gets stored.
func (w *world) heal() {
	w.restart()
	for range 1000 + 100*len(w.log) {
		if w.ended {
			w.restart() // it was stopping
		}
		w.renew()
		for _, h := range w.heads() {
			w.markKey(h.Key, store.ParkedRetry)
		}
		left := slices.ContainsFunc(w.log, func(e *event) bool { return !w.settled(e) })
		if !left && len(w.rows) == 0 && len(w.out) == 0 && w.m.live && w.m.idle() && w.m.handled == w.m.stored {
			return
		}
		w.step(fine)
	}
	w.t.Fatalf("no progress: checkpoint %d, machine at %d of %d, %d rows, live %t, keys %v", w.stored, w.m.handled, w.m.last, len(w.rows), w.m.live, w.m.keys)
}
