package subscribe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// node is what a process is among those that run subscriptions of a store: one
// member, renewed by one call for all that it runs.
type node struct {
	subs  store.Subscriptions
	local *store.Local
	saver saver
	// kick asks for a renewal now.
	kick chan struct{}

	mu    sync.Mutex
	id    uuid.UUID
	label string
	// runs are those that run or stand by, by name; the first of a name has it.
	runs map[string][]*run
	// releases are lanes to be given up; those of them that a renewal still shows
	// are not handled.
	releases []store.Hold
	// done is closed when the loop has ended; nil if there is none.
	done chan struct{}
}

type nodeKey struct{}

func nodeOf(db store.Store) *node {
	return db.Local().Value(nodeKey{}, func() any {
		return &node{
			subs: db.Subscriptions(), local: db.Local(), saver: saver{subs: db.Subscriptions()},
			kick: make(chan struct{}, 1), runs: map[string][]*run{}, label: label(),
		}
	}).(*node)
}

// label is what people can find the process by.
func label() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	text := fmt.Sprintf("%s %d %s", host, os.Getpid(), filepath.Base(os.Args[0]))
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
	if len(text) > store.MaxNameBytes {
		text = strings.ToValidUTF8(text[:store.MaxNameBytes], "")
	}
	return text
}

// newMember is an id that rises with time: where lanes cannot be divided evenly,
// the older members have one more, so that a new one takes nothing needlessly.
func newMember() uuid.UUID {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.New()
	}
	return id
}

func (n *node) advance(ctx context.Context, m store.Move) error { return n.saver.advance(ctx, m) }

// join lets r take part: it is told by grants what it has.
func (n *node) join(r *run) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.runs[r.s.name] = append(n.runs[r.s.name], r)
	if n.done == nil {
		n.id, n.done = newMember(), make(chan struct{})
		go n.loop(n.done)
	}
	wake(n.kick)
}

// release gives lanes up soon.
func (n *node) release(holds ...store.Hold) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.releases = append(n.releases, holds...)
	wake(n.kick)
}

// withdraw ends r's part, but for the lanes that it still has.
func (n *node) withdraw(r *run) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r.withdrawn = true
}

// leave ends r's part, and waits until what it had is given up.
func (n *node) leave(ctx context.Context, r *run) {
	n.mu.Lock()
	name := r.s.name
	if n.runs[name] = slices.DeleteFunc(n.runs[name], func(o *run) bool { return o == r }); len(n.runs[name]) == 0 {
		delete(n.runs, name)
	}
	done := n.done
	wake(n.kick)
	n.mu.Unlock()
	for {
		rung := n.local.Wait()
		n.mu.Lock()
		last := len(n.runs) == 0
		left := slices.ContainsFunc(n.releases, func(h store.Hold) bool { return h.Subscription == name })
		n.mu.Unlock()
		if !last && !left || done == nil {
			return
		}
		select {
		case <-done:
			return
		case <-rung:
		case <-ctx.Done():
			return
		}
	}
}

// round is what one renewal is about.
type round struct {
	member   store.Member
	runs     []*run // in the order of member.Runs, then those that only end
	releases []store.Hold
}

// begin collects what a round is about; nil means that nobody runs.
func (n *node) begin() *round {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := &round{member: store.Member{ID: n.id, Label: n.label}, releases: slices.Clone(n.releases)}
	if len(n.runs) == 0 {
		return nil
	}
	for name, runs := range n.runs {
		first := runs[0]
		if lease := first.s.c.Lease; r.member.Lease == 0 || lease < r.member.Lease {
			r.member.Lease = lease
		}
		r.runs = append(r.runs, first)
		if !first.withdrawn {
			r.member.Runs = append(r.member.Runs, name)
		}
	}
	slices.Sort(r.member.Runs)
	return r
}

// loop renews the membership for as long as anything runs.
func (n *node) loop(done chan struct{}) {
	defer close(done)
	var failed setback
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		r := n.begin()
		if r == nil {
			n.part()
			n.mu.Lock()
			over := len(n.runs) == 0
			if over {
				n.done, n.releases = nil, nil
			} else {
				n.id = newMember() // the old one has left
			}
			n.mu.Unlock()
			if over {
				return
			}
			continue
		}
		began := time.Now()
		short, err := n.renew(r)
		every := r.member.Lease / 3
		next := began.Add(every - time.Duration(rand.Int64N(int64(every)/8)))
		if err != nil {
			failed.fail(time.Now(), err, backoff{minLease / 10, max(every/2, minLease/10)}, rand.Float64())
			next = failed.until
		} else {
			failed.clear()
		}
		n.wait(timer, next, short && err == nil, began.Add(every/4))
	}
}

// wait waits for the next renewal. Who has less than is due to it renews early
// when the bell rings, for it may tell of a lane that became free, but not before
// the given time.
func (n *node) wait(timer *time.Timer, next time.Time, short bool, early time.Time) {
	var rung <-chan struct{}
	if short {
		rung = n.local.Wait()
	}
	timer.Reset(time.Until(next))
	select {
	case <-n.kick:
	case <-timer.C:
	case <-rung:
		if early.Before(next) {
			timer.Reset(time.Until(early))
			select {
			case <-n.kick:
			case <-timer.C:
			}
		}
	}
}

// renew gives up what is to be given up, renews the membership and tells all what
// they have. short tells that some have less than is due to them.
func (n *node) renew(r *round) (short bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), max(r.member.Lease/3, minLease/3))
	defer cancel()
	var late error
	if len(r.releases) > 0 {
		left, err := n.giveUp(ctx, r.releases)
		if err != nil && !left {
			n.fail(r, err)
			return false, err
		}
		if late = err; left {
			for _, run := range r.runs {
				run.handoverWaits(err)
			}
		}
	}
	places := make([]map[int]uint64, len(r.runs))
	until := time.Now().Add(r.member.Lease)
	for i, run := range r.runs {
		places[i] = run.places(until)
	}
	renewal, err := n.subs.Renew(ctx, r.member)
	if err != nil {
		n.fail(r, err)
		return false, err
	}
	n.mu.Lock()
	released := slices.Clone(n.releases)
	n.mu.Unlock()
	for i, run := range r.runs {
		g := grant{before: places[i], epoch: renewal.Epoch, until: until, lanes: map[int]store.Lane{}}
		for _, share := range renewal.Shares {
			if share.Subscription == run.s.name {
				g.share, g.shared = share, true
			}
		}
		for _, lane := range renewal.Lanes {
			if lane.Subscription == run.s.name && !slices.Contains(released, store.Hold{Subscription: lane.Subscription, Lane: lane.Lane, Token: lane.Token}) {
				g.lanes[lane.Lane] = lane
			}
		}
		short = short || len(g.lanes) < g.share.Lanes || g.shared && g.share.Lanes == 0 && !g.share.Paused
		run.grant(g)
	}
	return short, late
}

// giveUp releases lanes. Those that another transaction has locked are left for the
// next round, which comes soon, and stand in the way of nothing else.
func (n *node) giveUp(ctx context.Context, holds []store.Hold) (left bool, err error) {
	err = n.subs.Release(ctx, holds...)
	locked, left := errors.AsType[*store.LockedError](err)
	if err != nil && !left {
		return false, err
	}
	n.mu.Lock()
	n.releases = slices.DeleteFunc(n.releases, func(h store.Hold) bool {
		return slices.Contains(holds, h) && (!left || !slices.Contains(locked.Holds, h))
	})
	n.mu.Unlock()
	n.local.Ring()
	return left, err
}

func (n *node) fail(r *round, err error) {
	for _, run := range r.runs {
		run.renewalFailed(err)
	}
}

// part ends the membership. If that fails, it ends with the lease.
func (n *node) part() {
	n.mu.Lock()
	id := n.id
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	_ = n.subs.Leave(ctx, id)
	n.local.Ring()
}

// grant is what a run has, as of the last renewal.
type grant struct {
	epoch uuid.UUID
	until time.Time
	// share is what is due to it, if it takes part.
	share  store.Share
	shared bool
	lanes  map[int]store.Lane
	// before are the checkpoints when the renewal began.
	before map[int]uint64
}
