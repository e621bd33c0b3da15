package subscribe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// errReleased is the cause of lanes that are given up to others.
var errReleased = errors.New("the lane is given up to another process")

// run is one Run of a subscription: it starts a lane for each that its node has,
// and ends those that it has no longer.
type run struct {
	s    *Subscription
	log  *slog.Logger
	node *node
	feed *feed
	// parent is the caller's context, work that of reads and of handlers, ended when
	// the run stops.
	parent, work context.Context //nolint:containedctx // of the whole run
	halt         context.CancelCauseFunc

	// news tells that granted changed; ended gets lanes.
	news     chan struct{}
	ended    chan *lane
	observed *observed
	// lives tells that Live was signalled.
	lives atomic.Bool
	// withdrawn is the node's.
	withdrawn bool

	mu        sync.Mutex
	granted   *grant
	most      time.Time // until when the last renewal asked for the lanes
	refused   error     // what renewing cannot heal
	lanes     map[int]*lane
	epoch     uuid.UUID
	first     uint64 // where a lane without a checkpoint begins
	opening   setback
	renewal   setback
	opened    bool
	paused    bool
	standings *standings
	lastErr   error
	lastAt    time.Time
	handled   uint64 // by lanes that have ended
	// past are the lanes that have ended, as they were last.
	past map[int]LaneStatus

	// given are the tokens of lanes that were given up, until the store has heard of
	// it: they may be another's at any moment. They belong to follow.
	given map[int]uint64
}

func newRun(ctx context.Context, s *Subscription) *run {
	r := &run{
		s: s, parent: ctx, log: s.c.Logger.With("subscription", s.name), node: nodeOf(s.db), standings: standingsOf(s.db.Local()), feed: feedOf(s.db),
		observed: observe(s.c.Observer, s.c.Logger.With("subscription", s.name)),
		news:     make(chan struct{}, 1), ended: make(chan *lane, s.c.Lanes), lanes: map[int]*lane{}, past: map[int]LaneStatus{}, given: map[int]uint64{},
	}
	r.work, r.halt = context.WithCancelCause(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	r.lastErr, r.lastAt = s.status.LastError, s.status.LastErrorTime
	s.run = r
	return r
}

func (r *run) loop(ctx context.Context) error {
	cause := r.open()
	if cause == nil {
		r.node.join(r) //nolint:contextcheck // the membership is of all runs
		cause = r.follow(ctx)
		r.node.withdraw(r)
		cause = r.stop(cause)
		give, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		r.node.leave(give, r)
		cancel()
	}
	r.halt(cause)
	return r.end(ctx, cause)
}

// follow starts and ends lanes as the node says, until the run is to stop.
func (r *run) follow(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.news:
			if err := r.apply(ctx); err != nil {
				return err
			}
		case l := <-r.ended:
			if err := r.hasEnded(l); err != nil {
				return err
			}
			wake(r.news) // it may be wanted again
		}
	}
}

// places are the checkpoints of the lanes: a renewal that begins later and shows an
// earlier one tells that the store went back. The renewal asks for the lanes until
// then, which may be less than before.
func (r *run) places(until time.Time) map[int]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.most = until
	places := make(map[int]uint64, len(r.lanes))
	for number, l := range r.lanes {
		l.mu.Lock()
		places[number] = l.m.stored
		l.m.limit(until)
		l.mu.Unlock()
		wake(l.kick)
	}
	return places
}

// grant is called by the node.
func (r *run) grant(g grant) {
	r.mu.Lock()
	r.granted = &g
	if r.renewal.failures > 0 {
		r.log.Info("subscription can renew its lease again", "failures", r.renewal.failures)
	}
	r.renewal.clear()
	r.mu.Unlock()
	wake(r.news)
}

func (r *run) renewalFailed(err error) {
	err = r.named(fmt.Errorf("renew the lease: %w", err))
	now := time.Now()
	r.mu.Lock()
	if r.renewal.failures == 0 {
		r.log.Warn("subscription cannot renew its lease, retrying", "error", err)
	}
	r.renewal.fail(now, err, storeBackoff, 0)
	r.lastErr, r.lastAt = err, now
	if permanent(err) {
		r.refused = err
	}
	r.mu.Unlock()
	r.observed.notice(Notice{Subscription: r.s.name, Kind: NoticeRenewalFailed, Lane: -1, Err: err})
	wake(r.news)
}

// apply makes the lanes those of the last grant.
func (r *run) apply(ctx context.Context) error {
	r.mu.Lock()
	g, refused := r.granted, r.refused
	r.mu.Unlock()
	if refused != nil {
		return refused
	}
	if g == nil {
		return nil
	}
	if r.epoch == uuid.Nil {
		r.epoch = g.epoch
	}
	switch {
	case g.epoch != r.epoch:
		r.feed.forget()
		return &EpochError{Subscription: r.s.name, Before: r.epoch, After: g.epoch}
	case g.share.Missing:
		return fmt.Errorf("subscription %s: it was deleted or renamed while it ran: %w", printable.Name(r.s.name), &store.SubscriptionNotFoundError{Name: r.s.name})
	}
	r.mu.Lock()
	r.paused = g.share.Paused
	r.mu.Unlock()
	lanes := r.running()
	for number, l := range lanes {
		of, held := g.lanes[number]
		held = held && of.Token == l.hold.Token
		if held && of.At < g.before[number] {
			// The database is an older copy: other events may stand where some were read.
			r.feed.forget()
			held = false
		}
		if held {
			l.renew(g.until)
		} else {
			l.lose(&store.FencedError{Holds: []store.Hold{l.hold}})
		}
	}
	for number, token := range r.given {
		if g.lanes[number].Token != token {
			delete(r.given, number)
		}
	}
	var begun []store.Lane
	for _, number := range slices.Sorted(maps.Keys(g.lanes)) {
		if _, given := r.given[number]; given || lanes[number] != nil { // if it was lost, it has to end first
			continue
		}
		begun = append(begun, g.lanes[number])
	}
	if err := r.begin(ctx, begun, g.until); err != nil {
		return err
	}
	if g.shared {
		r.drain(g.share.Lanes)
	}
	return nil
}

// drain ends lanes beyond what is due, so that others can have them.
func (r *run) drain(due int) {
	lanes := r.running()
	numbers := slices.Sorted(maps.Keys(lanes))
	for _, number := range numbers[min(due, len(numbers)):] {
		lanes[number].stop(errReleased, true)
	}
}

// running are the lanes that have not ended.
func (r *run) running() map[int]*lane {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.lanes)
}

// begin starts lanes. What cannot be learned now is no error, unless trying again cannot
// heal it: the next renewal brings them again.
func (r *run) begin(ctx context.Context, lanes []store.Lane, until time.Time) error {
	if len(lanes) == 0 {
		return nil
	}
	lanes, err := r.check(ctx, lanes)
	if err != nil {
		if permanent(err) {
			return err
		}
		r.trouble(err, time.Now())
		return nil
	}
	for _, of := range lanes {
		l := newLane(r, of, until)
		r.mu.Lock()
		l.m.limit(r.most)
		r.lanes[of.Lane] = l
		delete(r.past, of.Lane)
		r.mu.Unlock()
		l.log.Info("subscription started", "reads", r.s.settings, "at", of.At)
		r.observed.notice(Notice{Subscription: r.s.name, Kind: NoticeGained, Lane: of.Lane, At: of.At})
		go l.drive()
		r.s.started.give()
	}
	return nil
}

// hasEnded takes a lane out, gives it up, and returns why the run is to stop.
func (r *run) hasEnded(l *lane) error {
	r.standings.leave(r.s.name, l.hold.Lane, l.standing)
	last := l.status()
	last.State, last.Live, last.Attempt = notRunning, false, 0
	r.mu.Lock()
	delete(r.lanes, l.hold.Lane)
	r.handled += l.m.count
	r.past[last.Lane] = last
	r.mu.Unlock()
	lost, cause := l.m.lost, l.outcome
	if lost {
		r.refuse(l.hold)
	}
	kind := NoticeReleased
	if lost {
		kind = NoticeLost
		l.log.Warn("subscription has lost its lane", "at", l.m.handled, "error", cause)
	} else {
		r.given[l.hold.Lane] = l.hold.Token
		r.node.release(l.hold)
	}
	r.observed.notice(Notice{Subscription: r.s.name, Kind: kind, Lane: l.hold.Lane, At: l.m.handled, Err: cause})
	switch {
	case lost && errors.Is(cause, errReleased):
		return nil
	case errors.Is(cause, errReleased):
		l.log.Info("subscription gives its lane to another process", "at", l.m.handled)
		return nil
	case lost && errors.Is(cause, store.ErrFenced):
		return nil
	}
	return cause
}

// refuse takes a lane out of the last grant, which the store knows better by now: to
// begin it again under the same token would be to handle for nothing what another
// process handles, or what was paused. The node asks what it has at once.
func (r *run) refuse(h store.Hold) {
	r.mu.Lock()
	if g := r.granted; g != nil && g.lanes[h.Lane].Token == h.Token {
		delete(g.lanes, h.Lane)
	}
	r.mu.Unlock()
	wake(r.node.kick)
}

// stop ends all lanes and returns what went wrong, if it is more than the cause.
func (r *run) stop(cause error) error {
	lanes := r.running()
	for _, l := range lanes {
		l.stop(cause, false)
	}
	r.halt(cause) // not before: what fails because of it is to be no failure
	for left := len(lanes); left > 0; left-- {
		select {
		case l := <-r.ended:
			if err := r.hasEnded(l); err != nil && err != cause { //nolint:errorlint // more than the cause
				cause = err
			}
		case <-r.news:
			r.keep()
			left++
		}
	}
	return cause
}

// keep renews the lanes that are ending.
func (r *run) keep() {
	r.mu.Lock()
	g, failing := r.granted, r.renewal.failures > 0
	r.mu.Unlock()
	for number, l := range r.running() {
		switch of, held := g.lanes[number]; {
		case held && of.Token == l.hold.Token:
			l.renew(g.until)
		case !failing:
			l.lose(&store.FencedError{Holds: []store.Hold{l.hold}})
		}
	}
}

// end tells how the run has ended.
func (r *run) end(ctx context.Context, err error) error {
	status := r.status(Status{Name: r.s.name, Reads: r.s.c.reads()})
	if ctx.Err() != nil && err == ctx.Err() { //nolint:errorlint // nothing but the end of ctx
		r.log.Info("subscription stopped", "at", status.At)
	} else {
		status.LastError, status.LastErrorTime = err, time.Now()
		r.log.Error("subscription ended", "at", status.At, "error", err)
	}
	// Nothing is kept up to date or retried any more.
	status.State, status.Live, status.Attempt = notRunning, false, 0
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.s.status, r.s.run = status, nil
	return err
}

// isLive is called when a lane has caught up.
func (r *run) isLive() {
	if r.lives.Load() {
		return
	}
	for _, l := range r.running() {
		l.mu.Lock()
		live := l.m.live
		l.mu.Unlock()
		if !live {
			return
		}
	}
	r.lives.Store(true)
	r.s.live.give()
}

// handoverWaits: a lane that was given up is locked by another transaction, and nobody
// else can have it before that has ended.
func (r *run) handoverWaits(err error) {
	locked, ok := errors.AsType[*store.LockedError](err)
	if ok && slices.ContainsFunc(locked.Holds, func(h store.Hold) bool { return h.Subscription == r.s.name }) {
		r.trouble(r.named(fmt.Errorf("give up a lane: %w", err)), time.Now())
	}
}

func (r *run) trouble(err error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastErr, r.lastAt = err, now
}

func (r *run) named(err error) error {
	if err == nil || errors.Is(err, store.ErrFenced) {
		return err
	}
	return fmt.Errorf("subscription %s: %w", printable.Name(r.s.name), err)
}
