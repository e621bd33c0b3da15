package subscribe

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Subscription handles the events of a store from its checkpoints on. Its methods
// are safe for concurrent use.
type Subscription struct {
	db   store.Store
	name string
	mode mode
	c    Config
	// settings is c.settings(), which do not change.
	settings string

	running       atomic.Bool
	started, live signal

	mu     sync.Mutex
	status Status
	run    *run
}

// New returns a subscription that gives events of db to h. It checks its
// arguments and does no I/O; the error is a [*store.InvalidError].
//
// The name identifies the subscription: 1 to [store.MaxNameBytes] bytes. What it
// reads and how it is divided is stored with it; see [SettingsError].
func New(db store.Store, name string, h HandlerFunc, c Config) (*Subscription, error) {
	if h == nil {
		return nil, invalid("%s has no handler", printable.Name(name))
	}
	return newSubscription(db, name, single{h}, c)
}

// newSubscription checks what all have in common.
func newSubscription(db store.Store, name string, m mode, c Config) (*Subscription, error) {
	if err := store.CheckSubscription(name); err != nil {
		return nil, err
	}
	if db == nil {
		return nil, invalid("%s has no store", printable.Name(name))
	}
	c, err := c.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("subscription %s: %w", printable.Name(name), err)
	}
	settings := c.settings()
	return &Subscription{
		db: db, name: name, mode: m, c: c, settings: settings,
		started: newSignal(), live: newSignal(),
		status: Status{Name: name, Reads: c.reads(), State: notRunning},
	}, nil
}

// Run handles events until ctx ends or something happens that cannot heal. It
// blocks, and it never returns nil. While other processes have all lanes, it
// stands by until one becomes free.
//
// When ctx ends, so do the contexts of the handlers under way. Run waits for
// them, counts an event as handled if its handler returns nil, stores the
// checkpoints and gives its lanes up, so that other processes can have them at
// once, with a context of its own for up to 5 seconds, and returns ctx.Err(). If
// a checkpoint could not be stored, the error says so and wraps ctx.Err() too.
//
// Otherwise Run returns, after it has stored the checkpoints of what was handled,
//   - a [*HandlerError] if the handler failed as often as [Retry.Attempts]
//     allows and the policy is [ThenStop], or returned [Stop];
//   - a [*SettingsError] if the subscription was created to read something else
//     or with other lanes;
//   - a [*SortError] if Select or Key panicked;
//   - a [*ParkedError] if more keys were parked than may be;
//   - a [*BeyondHeadError] or an [*EpochError] if the store was restored or replaced;
//   - a [*store.SubscriptionNotFoundError] if the subscription was deleted or
//     renamed;
//   - a [*store.StreamDeletedError] if the stream that it reads was softly deleted;
//   - an error that wraps [store.ErrInvalid] or [store.ErrClosed], of the store;
//   - [ErrRunning] if it is running already.
//
// All other errors of the store are retried for as long as they last, with
// pauses up to 5 seconds; see [Subscription.Status]. After Run has returned, it
// may be called again, and goes on from the checkpoints.
func (s *Subscription) Run(ctx context.Context) error {
	if !s.running.CompareAndSwap(false, true) {
		return fmt.Errorf("subscription %s: %w", printable.Name(s.name), ErrRunning)
	}
	defer s.running.Store(false)
	if err := ctx.Err(); err != nil {
		return err
	}
	return newRun(ctx, s).loop(ctx)
}

// Started returns a channel that is closed when a Run has got a lane for the first
// time: from then on every event that is appended is handled, wherever the
// subscription starts.
func (s *Subscription) Started() <-chan struct{} { return s.started.ch }

// Live returns a channel that is closed when a lane of this process has handled
// all events that were there, for the first time, and so have its other lanes.
// [Status.Live] tells how it is now.
func (s *Subscription) Live() <-chan struct{} { return s.live.ch }

// Status tells how the subscription is doing in this process now.
func (s *Subscription) Status() Status {
	s.mu.Lock()
	status, r := s.status, s.run
	s.mu.Unlock()
	if r != nil {
		return r.status(status)
	}
	return status
}

// signal is a channel that is closed once.
type signal struct {
	ch   chan struct{}
	once *sync.Once
}

func newSignal() signal { return signal{make(chan struct{}), new(sync.Once)} }

func (s signal) give() { s.once.Do(func() { close(s.ch) }) }
