package subscribe

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/esgen/esgen/runtime/store"
)

// TestMachine drives the machine through every order of arrivals, failures,
// timers and losses against a world that is simpler than any store, and holds
// after each step what the package promises.
func TestMachine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"":       func(*rapid.T) { w.check() },
			"append": func(*rapid.T) { w.append() },
			"bell":   func(*rapid.T) { w.ring() },
			"time":   func(t *rapid.T) { w.sleep(rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "pause")) },
			"wake":   func(t *rapid.T) { w.wait(t) },

			"go on":   func(t *rapid.T) { w.goOn(t) },
			"go far":  func(t *rapid.T) { w.goOn(t) },
			"give up": func(*rapid.T) { w.giveUp(); w.restart() },

			"open":           func(t *rapid.T) { w.finish(t, opens, fine) },
			"open fails":     func(t *rapid.T) { w.finish(t, opens, fails) },
			"open lost":      func(t *rapid.T) { w.finish(t, opens, lost) },
			"read":           func(t *rapid.T) { w.finish(t, reads, fine) },
			"read fails":     func(t *rapid.T) { w.finish(t, reads, fails) },
			"read cut off":   func(t *rapid.T) { w.finish(t, reads, lost) },
			"read repeats":   func(t *rapid.T) { w.finish(t, reads, lies) },
			"handle":         func(t *rapid.T) { w.finish(t, handles, fine) },
			"handle again":   func(t *rapid.T) { w.finish(t, handles, fine) }, // twice as likely
			"handle fails":   func(t *rapid.T) { w.finish(t, handles, fails) },
			"handler stops":  func(t *rapid.T) { w.finish(t, handles, lies) },
			"save":           func(t *rapid.T) { w.finish(t, saves, fine) },
			"save fails":     func(t *rapid.T) { w.finish(t, saves, fails) },
			"save is lost":   func(t *rapid.T) { w.finish(t, saves, lost) },
			"open ends":      func(t *rapid.T) { w.finish(t, opens, breaks) },
			"read ends":      func(t *rapid.T) { w.finish(t, reads, breaks) },
			"save ends":      func(t *rapid.T) { w.finish(t, saves, breaks) },
			"ask to stop":    func(*rapid.T) { w.m.stop(w.now, errStopped) },
			"crash":          func(*rapid.T) { w.restart() },
			"stop and start": func(*rapid.T) { w.stop(); w.restart() },
		})
		w.heal()
		w.stop()
	})
}

type outcome int

const (
	fine   outcome = iota
	fails          // nothing happened
	lost           // it happened, wholly or in part, and an error came back
	lies           // what must not happen
	breaks         // an error came back that cannot heal
)

var errAway = errors.New("away")

// world is the store, the handler, the clock and the driver around a machine.
type world struct {
	t   *rapid.T
	c   Config
	m   *machine
	now time.Time
	// begin is the time of the first event to handle, zero to handle from after on.
	begin time.Time
	after uint64

	log    []store.Recorded
	exists bool   // the checkpoint was created
	stored uint64 // its place, the truth
	// handled are the places handled in any run; at is the last one in this run,
	// or where it began.
	handled map[uint64]bool
	opened  bool
	seeking bool // for the time to start at
	at      uint64
	failed  int // failures of the next event

	under map[doing]action // what is under way
	// idle is when an action of a kind came to nothing last, and how long one of
	// its kind is not to be begun from then on.
	idle  map[doing]pause
	wake  time.Time
	ended bool
	err   error
	// broken tells that the store gave an error that cannot heal.
	broken bool
}

type pause struct {
	since time.Time
	least time.Duration
}

func newWorld(t *rapid.T) *world {
	w := &world{
		t: t, now: time.Unix(1_000_000_000, 0), handled: map[uint64]bool{},
		c: Config{
			CheckpointEvery: rapid.SampledFrom([]int{1, 2, 3, 10}).Draw(t, "every"),
			CheckpointAfter: rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second}).Draw(t, "after"),
			PageSize:        rapid.SampledFrom([]int{1, 2, 3, 7}).Draw(t, "page"),
			Retry:           Retry{Attempts: rapid.SampledFrom([]int{-1, 1, 3}).Draw(t, "attempts")},
		},
	}
	switch rapid.SampledFrom([]string{"origin", "after", "at"}).Draw(t, "start") {
	case "after":
		w.after = rapid.Uint64Range(0, 10).Draw(t, "start after")
		w.c.Start = After(w.after)
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

// restart is a new process on the same store.
func (w *world) restart() {
	w.m = newMachine("model", w.c, func() float64 { return rapid.Float64Range(0, 0.999).Draw(w.t, "jitter") })
	w.under, w.ended, w.err, w.failed = map[doing]action{}, false, nil, 0
	w.idle = map[doing]pause{}
	w.opened, w.seeking, w.at, w.broken = false, false, 0, false
	w.pump()
}

func (w *world) append() {
	for range rapid.IntRange(1, 5).Draw(w.t, "events") {
		at := uint64(rapid.IntRange(1, 3).Draw(w.t, "gap"))
		if n := len(w.log); n > 0 {
			at += uint64(w.log[n-1].Position)
		}
		w.log = append(w.log, store.Recorded{
			Position: store.Position(at), Stream: "model-1", Type: "modelled",
			Time: time.Unix(1_000_000_000+rapid.Int64Range(0, 12).Draw(w.t, "time"), 0),
		})
	}
}

// ring reaches the machine only between the beginning of a read and the next,
// once, as a channel does; the driver drops it otherwise.
func (w *world) ring() {
	w.m.hasRung(w.now)
	w.pump()
}

func (w *world) sleep(d int64) {
	w.now = w.now.Add(time.Duration(d))
	w.pump()
}

func (w *world) wait(t *rapid.T) {
	if w.wake.IsZero() || w.ended {
		t.Skip("no timer is set")
	}
	w.now = w.wake
	w.pump()
}

// pump does what the driver does between two inputs, and holds each action
// against the promises.
func (w *world) pump() {
	for range 1000 {
		if w.ended {
			return
		}
		a := w.m.next(w.now)
		if a.do == waits {
			w.wake = a.wake
			return
		}
		if _, twice := w.under[a.do]; twice {
			w.t.Fatalf("action %d is begun while one of its kind is under way", a.do)
		}
		if p, failed := w.idle[a.do]; failed && w.now.Sub(p.since) < p.least {
			w.t.Fatalf("action %d is begun %s after one of its kind came to nothing, want a pause of %s", a.do, w.now.Sub(p.since), p.least)
		}
		switch a.do {
		case ends:
			w.ended, w.err = true, a.err
			return
		case handles:
			w.wantsHandled(a)
		case reads:
			if a.limit < 1 || a.limit+w.m.queue.len() > w.c.PageSize {
				w.t.Fatalf("read of %d events while %d are held, at most %d may be", a.limit, w.m.queue.len(), w.c.PageSize)
			}
		case saves:
			if a.to <= a.from {
				w.t.Fatalf("checkpoint moves from %d to %d", a.from, a.to)
			}
		default:
		}
		w.under[a.do] = a
	}
	w.t.Fatal("the machine never waits")
}

func (w *world) wantsHandled(a action) {
	if next := w.next(); next == len(w.log) || w.log[next].Position != a.event.Position {
		w.t.Fatalf("event %d is handled, want index %d of %s", a.event.Position, next, w.places())
	}
	if w.m.stopping {
		w.t.Fatal("an event is handled after the stop")
	}
}

func (w *world) check() {
	if w.ended {
		w.stopped()
		return
	}
	if len(w.under) == 0 && !w.wake.After(w.now) {
		w.t.Fatalf("silent stall: nothing is under way and no timer is set (wake %s)", w.wake)
	}
	if _, reading := w.under[reads]; w.opened && !reading && w.m.queue.len() == 0 && !w.m.stopping {
		if late := w.wake.Sub(w.now); w.wake.IsZero() || late > 5*time.Second {
			w.t.Fatalf("nothing is read for %s", late)
		}
	}
	if _, saving := w.under[saves]; w.m.maySave() && !saving && !w.m.stopping && w.m.savings.failures == 0 {
		longest := w.c.CheckpointAfter
		if w.m.idle() {
			longest = min(longest, settle)
		}
		if late := w.wake.Sub(w.now); w.wake.IsZero() || late > longest {
			w.t.Fatalf("the checkpoint is not stored for %s, want %s at most", late, longest)
		}
	}
	if n := w.repeated(); n > w.c.CheckpointEvery {
		w.t.Fatalf("a crash would repeat %d events, at most %d may be", n, w.c.CheckpointEvery)
	}
}

// repeated counts what a crash now would handle again.
func (w *world) repeated() int {
	n := 0
	for _, r := range w.log {
		if at := uint64(r.Position); at > w.stored && at <= w.at && w.handled[at] {
			n++
		}
	}
	return n
}

// finish ends an action that is under way.
func (w *world) finish(t *rapid.T, do doing, how outcome) {
	a, ok := w.under[do]
	if !ok || w.ended {
		t.Skip("not under way")
	}
	delete(w.under, do)
	w.broken = w.broken || how == breaks
	delete(w.idle, do)
	switch {
	case do == handles && how != fine:
		w.idle[do] = pause{w.now, w.c.Retry.First / 2}
	case do != handles && (how == fails || how == lost):
		w.idle[do] = pause{w.now, storeBackoff.first / 2}
	case do == reads && w.indexAfter(a.from) == len(w.log):
		w.idle[do] = pause{w.now, bellPause}
	}
	switch do {
	case opens:
		w.open(how)
	case reads:
		w.read(a, how)
	case handles:
		w.handle(a, how)
	case saves:
		w.save(a, how)
	default:
	}
	w.pump()
}

func (w *world) open(how outcome) {
	switch how {
	case fails:
		w.m.openFailed(w.now, errAway)
		return
	case breaks:
		w.m.openFailed(w.now, store.ErrClosed)
		return
	default:
	}
	if !w.exists {
		w.exists, w.stored = true, w.after
	}
	if how == lost {
		w.m.openFailed(w.now, errAway)
		return
	}
	w.m.hasOpened(w.stored)
	w.opened, w.at = true, w.stored
	w.seeking = w.stored == 0 && !w.begin.IsZero()
}

// next is the index of the event to be handled next.
func (w *world) next() int {
	if w.seeking {
		return w.sought()
	}
	return w.indexAfter(w.at)
}

func (w *world) indexAfter(place uint64) int {
	i := slices.IndexFunc(w.log, func(r store.Recorded) bool { return uint64(r.Position) > place })
	if i < 0 {
		return len(w.log)
	}
	return i
}

// sought is the index of the first event to handle when starting at a time.
func (w *world) sought() int {
	i := slices.IndexFunc(w.log, func(r store.Recorded) bool { return !r.Time.Before(w.begin) })
	if i < 0 {
		return len(w.log)
	}
	return i
}

func (w *world) read(a action, how outcome) {
	from := w.indexAfter(a.from)
	page := slices.Clone(w.log[from:min(len(w.log), from+a.limit)])
	switch how {
	case fine:
		w.m.hasRead(w.now, page, a.limit, nil)
	case fails:
		w.m.hasRead(w.now, nil, a.limit, errAway)
	case breaks:
		w.m.hasRead(w.now, page, a.limit, store.ErrClosed)
	case lost:
		w.m.hasRead(w.now, page[:len(page)/2], a.limit, errAway)
	case lies:
		if len(page) > 1 {
			page[len(page)-1] = page[0]
		}
		w.m.hasRead(w.now, page, a.limit, nil)
	}
	clear(page) // the page is the caller's
}

func (w *world) handle(a action, how outcome) {
	stopping := w.m.stopping
	switch how {
	case fine:
		w.at, w.seeking = uint64(a.event.Position), false
		w.handled[w.at] = true
		w.failed = 0
		w.m.hasHandled(w.now)
		return
	case fails:
		w.m.handleFailed(w.now, errAway)
	default:
		w.m.handleFailed(w.now, Stop(errAway))
	}
	w.failed++
	if end := how == lies || w.failed == w.c.Retry.Attempts; end != w.m.stopping && !stopping {
		w.t.Fatalf("after %d failures of %d allowed, stopping is %t", w.failed, w.c.Retry.Attempts, w.m.stopping)
	}
}

func (w *world) save(a action, how outcome) {
	if how != fails && how != breaks {
		switch w.stored {
		case a.from, a.to:
		default:
			w.t.Fatalf("checkpoint moves from %d to %d, it is at %d", a.from, a.to, w.stored)
		}
		for _, r := range w.log {
			at := uint64(r.Position)
			if at > w.stored && at <= a.to && !w.handled[at] && !w.before(r) {
				w.t.Fatalf("checkpoint moves to %d past %d, which was not handled", a.to, at)
			}
		}
		w.stored = a.to
	}
	switch how {
	case fine:
		w.m.hasSaved()
	case breaks:
		w.m.saveFailed(w.now, store.ErrClosed)
	default:
		w.m.saveFailed(w.now, errAway)
	}
}

// before reports whether r precedes the start.
func (w *world) before(r store.Recorded) bool {
	if w.begin.IsZero() {
		return uint64(r.Position) <= w.after
	}
	first := w.sought()
	return first == len(w.log) || r.Position < w.log[first].Position
}

// stopped checks how a run ended.
func (w *world) stopped() {
	var handler *HandlerError
	switch {
	case errors.As(w.err, &handler):
		if handler.Attempts != w.failed || !errors.Is(w.err, errAway) {
			w.t.Fatalf("ended with %v after %d failures", w.err, w.failed)
		}
	case w.broken && errors.Is(w.err, store.ErrClosed):
	case !errors.Is(w.err, errStopped):
		w.t.Fatalf("ended with %v", w.err)
	}
	if _, under := w.under[handles]; under {
		w.t.Fatal("ended while an event is being handled")
	}
	if w.m.savings.failures == 0 && w.repeated() > 0 {
		w.t.Fatalf("ended at %d, and the checkpoint stays at %d without a failure", w.m.handled, w.stored)
	}
}

var errStopped = errors.New("stopped")

// stop asks for the end and lets everything under way succeed.
func (w *world) stop() {
	w.m.stop(w.now, errStopped)
	w.pump()
	for range 100 {
		if w.ended {
			w.check()
			if n := w.repeated(); n > 0 && !w.broken {
				w.t.Fatalf("a clean stop leaves %d events to be handled again", n)
			}
			return
		}
		w.succeed()
	}
	w.t.Fatal("it never ends")
}

// goOn lets some of what is under way succeed, in any order.
func (w *world) goOn(t *rapid.T) {
	for range rapid.IntRange(1, 20).Draw(t, "times") {
		if len(w.under) == 0 || w.ended {
			return
		}
		kinds := slices.Sorted(maps.Keys(w.under))
		w.finish(t, rapid.SampledFrom(kinds).Draw(t, "finished"), fine)
		w.check()
	}
}

// giveUp asks for the end while the store is away for good.
func (w *world) giveUp() {
	since := w.now
	w.m.stop(w.now, errStopped)
	w.pump()
	for range 100 {
		if w.ended {
			if took := w.now.Sub(since); took > grace {
				w.t.Fatalf("it ended after %s, want at most %s", took, grace)
			}
			w.check()
			return
		}
		w.end(fails)
	}
	w.t.Fatal("it never ends while the store is away")
}

// succeed ends one action well, or lets the time pass.
func (w *world) succeed() { w.end(fine) }

func (w *world) end(how outcome) {
	for _, do := range []doing{opens, handles, saves, reads} {
		if _, ok := w.under[do]; ok {
			w.finish(w.t, do, how)
			return
		}
	}
	w.wait(w.t)
}

// heal lets everything succeed from now on: all events get handled and the
// checkpoint gets stored.
func (w *world) heal() {
	if w.ended {
		w.restart()
	}
	for range 100 + 20*len(w.log) {
		if w.ended {
			w.restart() // it was stopping
		}
		if w.next() == len(w.log) && w.repeated() == 0 && w.m.live && w.m.idle() {
			return
		}
		w.succeed()
	}
	w.t.Fatalf("no progress: at index %d of %s, checkpoint %d", w.next(), w.places(), w.stored)
}

func (w *world) places() string {
	places := make([]store.Position, 0, len(w.log))
	for _, r := range w.log {
		places = append(places, r.Position)
	}
	return fmt.Sprint(places)
}
