package subscribe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// saveTimeout bounds one try to store a checkpoint. It does not end with the
// context of Run, for the last checkpoint is stored when that has ended.
const saveTimeout = 5 * time.Second

// run does the I/O that its machine asks for. The machine belongs to the
// goroutine of loop; each action runs beside it and sends one result.
type run struct {
	s *Subscription
	m *machine
	// member is who has the lane under token.
	member store.Member
	hold   store.Hold
	log    *slog.Logger

	// work is the context of reads and of the handler, ended when the run stops.
	work context.Context
	halt context.CancelCauseFunc
	// saving is a context that does not end.
	saving context.Context

	events  chan store.Recorded
	results chan result
	bell    <-chan struct{}
	// page is what the last read got; it belongs to the read under way.
	page []store.Recorded
	wg   sync.WaitGroup

	// asked tells that the run stops because its context ended.
	asked     bool
	eventTime time.Time
	count     uint64
	lastErr   error
	lastTime  time.Time
}

// result is the outcome of an action.
type result struct {
	of    doing
	at    uint64
	limit int
	err   error
}

func newRun(ctx context.Context, s *Subscription) *run {
	r := &run{
		s: s, m: newMachine(s.name, s.c, rand.Float64),
		log: s.c.Logger.With("subscription", s.name),
		// All runs are one member; their tokens tell them apart.
		member: store.Member{ID: uuid.NewSHA1(uuid.Nil, []byte(s.name)), Lease: time.Hour, Runs: []string{s.name}},
		saving: context.WithoutCancel(ctx),
		// One action of each kind is under way at most, so nobody waits here.
		events:  make(chan store.Recorded, 1),
		results: make(chan result, ends),
	}
	r.work, r.halt = context.WithCancelCause(ctx)
	last := s.Status()
	r.lastErr, r.lastTime = last.LastError, last.LastErrorTime
	return r
}

func (r *run) loop(ctx context.Context) error {
	r.wg.Go(r.handler)
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop := ctx.Done()
	for {
		a := r.m.next(time.Now())
		if a.do == ends {
			return r.end(a.err)
		}
		if a.do != waits {
			r.start(a) //nolint:contextcheck // the last checkpoint is stored when ctx has ended
			continue
		}
		r.publish(r.status())
		var alarm <-chan time.Time
		if !a.wake.IsZero() {
			timer.Reset(time.Until(a.wake))
			alarm = timer.C
		}
		select {
		case <-stop:
			stop = nil
			r.stop(ctx.Err())
		case res := <-r.results:
			// A call that failed because ctx ended is no failure of the store.
			if err := ctx.Err(); err != nil {
				r.stop(err)
			}
			r.take(res)
		case <-r.bell:
			r.bell = nil
			r.m.hasRung(time.Now())
		case <-alarm:
		}
		if r.m.stopping {
			r.halt(r.m.cause)
		}
	}
}

// stop begins the end because the context of Run ended.
func (r *run) stop(err error) {
	r.asked = r.asked || !r.m.stopping
	r.m.stop(time.Now(), err)
}

// start begins an action. The doorbell is taken before the read, so that no
// append falls between the two.
func (r *run) start(a action) {
	switch a.do {
	case handles:
		r.events <- a.event
	case opens:
		r.wg.Go(func() {
			at, err := r.open()
			r.results <- result{of: opens, at: at, err: err}
		})
	case reads:
		r.bell = r.s.db.Local().Wait()
		from, limit := a.from, a.limit
		r.wg.Go(func() {
			err := r.read(from, limit)
			r.results <- result{of: reads, limit: limit, err: err}
		})
	case saves:
		from, to := a.from, a.to
		r.wg.Go(func() {
			ctx, cancel := context.WithTimeout(r.saving, saveTimeout)
			defer cancel()
			err := r.s.db.Subscriptions().Advance(ctx, store.Move{Hold: r.hold, From: from, To: to})
			r.results <- result{of: saves, err: r.named(err)}
		})
	case waits, ends: // the loop's
	}
}

// take tells the machine an outcome, and the log what has changed by it.
func (r *run) take(res result) {
	now, m := time.Now(), r.m
	var work *setback
	var what string
	switch res.of {
	case opens:
		work, what = &m.openings, "open the checkpoint"
	case reads:
		work, what = &m.readings, "read events"
	case handles:
		work, what = &m.handlings, "handle an event"
	case saves:
		work, what = &m.savings, "store the checkpoint"
	case waits, ends: // have no outcome
	}
	before := work.failures
	switch {
	case res.of == reads:
		m.hasRead(now, r.page, res.limit, res.err)
		clear(r.page)
	case res.of == opens && res.err == nil:
		m.hasOpened(res.at)
		r.log.Info("subscription started", "reads", r.s.settings, "at", res.at)
		r.s.started.give()
	case res.of == opens:
		m.openFailed(now, res.err)
	case res.of == handles && res.err == nil:
		r.eventTime = m.queue.first().Time
		r.count++
		m.hasHandled(now)
	case res.of == handles:
		m.handleFailed(now, res.err)
	case res.err == nil:
		m.hasSaved()
	default:
		m.saveFailed(now, res.err)
	}
	if work.failures > before {
		r.lastErr, r.lastTime = work.err, now
	}
	switch {
	case before == 0 && work.failures > 0 && !m.stopping:
		r.log.Warn("subscription cannot "+what+", retrying", "at", m.handled, "error", work.err)
	case before > 0 && work.failures == 0:
		r.log.Info("subscription can "+what+" again", "at", m.handled, "failures", before)
	}
	if m.live {
		r.s.live.give()
	}
}

// end waits for what is under way: after Run nothing of it is left.
func (r *run) end(err error) error {
	r.halt(err)
	close(r.events)
	r.wg.Wait()
	if r.asked && r.m.handled == r.m.stored {
		r.log.Info("subscription stopped", "at", r.m.handled)
	} else {
		r.lastErr, r.lastTime = err, time.Now()
		r.log.Error("subscription ended", "at", r.m.handled, "error", err)
	}
	status := r.status()
	// Nothing is kept up to date or retried any more.
	status.State, status.Live, status.Attempt = notRunning, false, 0
	r.publish(status)
	return err
}

func (r *run) status() Status {
	m := r.m
	return Status{
		Name: r.s.name, Reads: r.s.settings, State: m.describe(),
		At: m.handled, EventTime: r.eventTime, Stored: m.stored, Handled: r.count, Live: m.live,
		Attempt: m.attempt(), LastError: r.lastErr, LastErrorTime: r.lastTime,
	}
}

func (r *run) publish(status Status) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.s.status = status
}

func (r *run) open() (uint64, error) {
	s := r.s
	at, err := s.c.Start.first(r.work, s.db, s.c)
	if err != nil {
		return 0, r.named(err)
	}
	k := s.db.Subscriptions()
	stored, err := k.Open(r.work, store.Subscription{Name: s.name, Settings: s.settings, Lanes: []store.Lane{{At: at}}})
	switch {
	case err != nil:
		return 0, r.named(err)
	case stored.Settings != s.settings:
		return 0, &SettingsError{Name: s.name, Stored: stored.Settings, Given: s.settings}
	}
	// Whoever runs it now loses the lane.
	for _, paused := range []bool{true, false} {
		if err := k.Pause(r.work, s.name, paused); err != nil {
			return 0, r.named(err)
		}
	}
	renewal, err := k.Renew(r.work, r.member)
	switch {
	case err != nil:
		return 0, r.named(err)
	case len(renewal.Lanes) == 0:
		return 0, r.named(errors.New("another process took the lane at the same time"))
	}
	lane := renewal.Lanes[0]
	r.hold = store.Hold{Subscription: s.name, Lane: lane.Lane, Token: lane.Token}
	return lane.At, nil
}

// read fills the page with what it gets, also before an error. A stream that does
// not exist is one without events so far.
func (r *run) read(from uint64, limit int) error {
	c := r.s.c
	r.page = r.page[:0]
	for event, err := range r.s.db.Read(r.work, c.query(from, limit)) {
		if err != nil {
			if c.Stream != "" && errors.Is(err, store.ErrStreamNotFound) {
				return nil
			}
			return r.named(err)
		}
		r.page = append(r.page, event)
		if len(r.page) == limit {
			break
		}
	}
	return nil
}

// handler gives events to the handler, one after another.
func (r *run) handler() {
	returned := true
	defer func() {
		if !returned {
			r.wg.Go(r.handler)
			r.results <- result{of: handles, err: errGoexit}
		}
	}()
	for event := range r.events {
		returned = false
		err := r.s.handle.call(r.work, event)
		returned = true
		r.results <- result{of: handles, err: err}
	}
}

func (r *run) named(err error) error {
	if fenced := (*store.FencedError)(nil); err == nil || errors.As(err, &fenced) {
		return err
	}
	return fmt.Errorf("subscription %s: %w", printable.Name(r.s.name), err)
}
