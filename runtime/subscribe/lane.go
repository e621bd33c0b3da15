package subscribe

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// storeTimeout bounds one try to store what was handled. It does not end with the
// context of Run, for the last checkpoint is stored when that has ended.
const storeTimeout = 5 * time.Second

// headPause is the least time between two looks whether the stream still has the
// events that were handled: if it was deleted for good and begun again, the new
// ones have numbers that were handled.
const headPause = 5 * time.Second

// lane does the I/O that its machine asks for, and gives its deliveries to the
// program.
type lane struct {
	run  *run
	hold store.Hold
	log  *slog.Logger
	feed *feed
	sorter

	mu sync.Mutex
	m  *machine
	// work is the context of handlers: it ends with the lease, and there is another
	// one when that was renewed after all.
	work context.Context //nolint:containedctx // see above
	halt context.CancelCauseFunc
	over bool
	// told is when the progress was told last, toldAt and toldLive what.
	told     time.Time
	toldAt   uint64
	toldLive bool

	// kick wakes the driver, ready the program's side.
	kick, ready chan struct{}
	// done is closed when the lane has ended.
	done    chan struct{}
	wg      sync.WaitGroup
	outcome error

	// items are those of the read under way, which the machine copies.
	items []item
	// sought is when the end of the stream was looked for last; it belongs to the
	// read under way.
	sought time.Time
	// standing tells others in the process how far the lane is.
	standing *standing
	lastErr  error
	lastAt   time.Time
	outs     outs
}

// tellStanding is called with the lock held, after changes.
func (l *lane) tellStanding() {
	l.standing.moveTo(l.m.handled)
	l.standing.inFlight.Store(int64(l.m.inFlight))
}

func newLane(r *run, of store.Lane, until time.Time) *lane {
	s := r.s
	l := &lane{
		run:  r,
		hold: store.Hold{Subscription: s.name, Lane: of.Lane, Token: of.Token},
		log:  r.log.With("lane", of.Lane), feed: r.feed,
		sorter: sorter{name: s.name, c: &s.c, lane: of.Lane},
		m:      newMachine(s.name, of, s.c, s.mode.manner(), rand.Float64),
		kick:   make(chan struct{}, 1), ready: make(chan struct{}, 1), done: make(chan struct{}),
	}
	l.m.hold(until)
	l.standing = r.standings.own(of)
	l.work, l.halt = context.WithCancelCause(r.work)
	return l
}

func wake(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// change lets f change the machine, and wakes who may have something to do.
func (l *lane) change(f func(m *machine, now time.Time)) {
	l.mu.Lock()
	f(l.m, time.Now())
	l.tellStanding()
	notices, live := l.m.notices, l.m.live
	l.m.notices = nil
	l.mu.Unlock()
	l.run.tell(notices)
	if live {
		l.run.isLive()
	}
	wake(l.kick)
	wake(l.ready)
}

// drive runs the lane until it ends.
func (l *lane) drive() {
	leave := l.feed.join(l.c.query())
	l.wg.Go(l.serve)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var bell <-chan struct{}
	for {
		l.mu.Lock()
		a := l.m.next(time.Now())
		if a.do == reads {
			bell = l.feed.wait() // before the read, so that no append falls between
		}
		switch a.do {
		case expires:
			l.halt(ErrLeaseLost)
		case ends:
			l.over = true
			l.outcome = a.err
		default:
		}
		if l.m.stopping && !errors.Is(l.m.cause, errReleased) {
			l.halt(l.m.cause)
		}
		if l.m.lost {
			l.halt(ErrLeaseLost)
		}
		progress := l.progress(time.Now())
		l.mu.Unlock()
		l.run.tell(progress)
		switch a.do {
		case expires:
			l.log.Warn("subscription has not renewed its lease in time and handles nothing until it has")
			l.run.tell([]Notice{{Kind: NoticeLost, Lane: l.hold.Lane, Err: ErrLeaseLost}})
			continue
		case ends:
			l.end(leave)
			return
		case waits:
		default:
			l.start(a)
			continue
		}
		var alarm <-chan time.Time
		if !a.wake.IsZero() {
			timer.Reset(time.Until(a.wake))
			alarm = timer.C
		}
		select {
		case <-l.kick:
		case <-bell:
			bell = nil
			l.mu.Lock()
			l.m.hasRung(time.Now())
			l.mu.Unlock()
		case <-alarm:
		}
	}
}

// end waits for what is under way: after it nothing of it is left but
// perhaps a timer that finds it over.
func (l *lane) end(leave func()) {
	l.halt(l.outcome)
	close(l.done)
	l.wg.Wait()
	leave()
	l.run.ended <- l
}

// start begins an action beside the driver.
func (l *lane) start(a action) {
	if a.do == reads {
		l.wg.Go(func() { l.read(a) })
		return
	}
	l.wg.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(l.run.work), storeTimeout)
		defer cancel()
		l.store(ctx, a)
	})
}

func (l *lane) read(a action) {
	page, end, err := l.feed.read(l.run.work, l.c.query(), a.from, a.limit)
	items, broken := l.sortBeside(l.items[:0], page)
	if broken != nil {
		err = broken
	}
	if err == nil && len(page) == 0 && l.c.Stream != "" && time.Since(l.sought) > headPause {
		l.sought = time.Now()
		err = l.run.checkHead(l.run.work, store.Lane{Lane: l.hold.Lane, At: a.from})
	}
	l.outcomeOf("read events", func(m *machine) *setback { return &m.readings }, func(m *machine, now time.Time) {
		m.hasRead(now, items, end, l.run.named(err))
		clear(items) // lets go of the page
		l.items = items
	})
}

// store does what changes the store, and asks what is parked.
func (l *lane) store(ctx context.Context, a action) {
	subs := l.run.s.db.Subscriptions()
	switch a.do {
	case loads:
		heads, err := l.heads(ctx, subs)
		l.outcomeOf("find what is parked", func(m *machine) *setback { return &m.loadings }, func(m *machine, now time.Time) {
			m.hasLoaded(now, heads, l.run.named(err))
		})
	case looks:
		heads, r, err := l.look(ctx, subs, a.but)
		l.outcomeOf("find what is to be tried again", func(m *machine) *setback { return &m.lookings }, func(m *machine, now time.Time) {
			m.hasLooked(now, heads, r, l.run.named(err))
		})
	case saves:
		err := l.run.node.advance(ctx, store.Move{Hold: l.hold, From: a.from, To: a.to})
		if l.m.how.moves && errors.Is(err, store.ErrFenced) {
			l.place(ctx, err)
			return
		}
		l.outcomeOf("store the checkpoint", func(m *machine) *setback { return &m.savings }, func(m *machine, now time.Time) {
			m.hasSaved(now, l.run.named(err))
		})
	case parks:
		err := subs.Park(ctx, l.hold, a.rows...)
		l.outcomeOf("park events", func(m *machine) *setback { return &m.parkings }, func(m *machine, now time.Time) {
			m.hasParked(now, l.run.named(err))
		})
	case settles:
		err := l.settle(ctx, subs, a.replay)
		l.outcomeOf("store what became of a parked event", func(m *machine) *setback { return &m.parkings }, func(m *machine, now time.Time) {
			m.hasSettled(now, l.run.named(err))
		})
	case reports:
		err := subs.Report(ctx, l.hold, a.text)
		l.change(func(m *machine, now time.Time) { m.hasReported(now, a.text, err) })
	default: // the driver's
	}
}

// place learns where the checkpoint is after a commit of unknown outcome.
func (l *lane) place(ctx context.Context, fenced error) {
	s, err := l.run.s.db.Subscriptions().Find(ctx, l.name)
	l.change(func(m *machine, now time.Time) {
		switch {
		case errors.Is(err, store.ErrSubscriptionNotFound),
			err == nil && (l.hold.Lane >= len(s.Lanes) || s.Lanes[l.hold.Lane].Token != l.hold.Token || s.Lanes[l.hold.Lane].At <= m.stored):
			m.busy[saves] = false
			m.lose(fenced)
		case err != nil:
			m.busy[saves] = false
			m.savings.fail(now, err, storeBackoff, m.random())
			m.heldUntil = m.savings.until
		default:
			m.placed(now, s.Lanes[l.hold.Lane].At)
		}
	})
}

// outcomeOf tells the machine an outcome, and the log what has changed by it.
func (l *lane) outcomeOf(what string, of func(*machine) *setback, f func(m *machine, now time.Time)) {
	var before, after setback
	var at uint64
	var stopping bool
	l.change(func(m *machine, now time.Time) {
		work := of(m)
		before = *work
		f(m, now)
		after, at, stopping = *work, m.handled, m.stopping || m.lost
		if after.failures > before.failures {
			l.lastErr, l.lastAt = after.err, now
			m.tell(Notice{Kind: NoticeFailing, Err: after.err, Pause: after.until.Sub(now)})
		}
	})
	l.logChange(what, at, before, after, stopping)
}

// logChange logs when trouble begins and when it ends.
func (l *lane) logChange(what string, at uint64, before, after setback, stopping bool) {
	switch {
	case before.failures == 0 && after.failures > 0 && !stopping:
		l.log.Warn("subscription cannot "+what+", retrying", "at", at, "error", after.err)
	case before.failures > 0 && after.failures == 0:
		l.log.Info("subscription can "+what+" again", "at", at, "failures", before.failures)
	}
}

// lose ends the lane because it is another's.
func (l *lane) lose(cause error) {
	l.change(func(m *machine, _ time.Time) { m.lose(cause) })
}

// renew: the lane is held until then.
func (l *lane) renew(until time.Time) {
	l.change(func(m *machine, _ time.Time) { m.hold(until) })
}

// stop begins the end of the lane.
func (l *lane) stop(cause error, wait bool) {
	l.change(func(m *machine, now time.Time) { m.stop(now, cause, wait) })
}
