package subscribe

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Subscription handles the events of a store from its checkpoint on. Its methods
// are safe for concurrent use.
type Subscription struct {
	db     store.Store
	name   string
	handle HandlerFunc
	c      Config
	// settings is c.settings(), which do not change.
	settings string

	running       atomic.Bool
	started, live signal

	mu     sync.Mutex
	status Status
}

// New returns a subscription that gives events of db to h. It checks its
// arguments and does no I/O; the error is a [*store.InvalidError].
//
// The name identifies the checkpoint: 1 to [store.MaxNameBytes] bytes. What the
// subscription reads is stored with it; see [SettingsError].
func New(db store.Store, name string, h HandlerFunc, c Config) (*Subscription, error) {
	if err := store.CheckSubscription(name); err != nil {
		return nil, err
	}
	switch {
	case db == nil:
		return nil, invalid("%s has no store", printable.Name(name))
	case h == nil:
		return nil, invalid("%s has no handler", printable.Name(name))
	}
	c, err := c.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("subscription %s: %w", printable.Name(name), err)
	}
	settings := c.settings()
	return &Subscription{
		db: db, name: name, handle: h, c: c, settings: settings,
		started: newSignal(), live: newSignal(),
		status: Status{Name: name, Reads: settings, State: notRunning},
	}, nil
}

// Run handles events until ctx ends or something happens that cannot heal. It
// blocks, and it never returns nil.
//
// When ctx ends, so does the context of the handler under way. Run waits for
// that handler, counts the event as handled if it returns nil, stores the
// checkpoint with a context of its own for up to 5 seconds, and returns
// ctx.Err(). If the checkpoint could not be stored, the error says so and wraps
// ctx.Err() too.
//
// Otherwise Run returns, after it has stored the checkpoint of what was handled,
//   - a [*HandlerError] if the handler failed as often as [Retry.Attempts]
//     allows, or returned [Stop];
//   - a [*SettingsError] if the subscription was created to read something else;
//   - a [*store.CheckpointError] if another process moved the checkpoint;
//   - a [*store.StreamDeletedError] if the stream that it reads was softly deleted;
//   - an error that wraps [store.ErrInvalid] or [store.ErrClosed], of the store;
//   - [ErrRunning] if it is running already.
//
// All other errors of the store are retried for as long as they last, with
// pauses up to 5 seconds; see [Subscription.Status]. After Run has returned, it
// may be called again, and goes on from the checkpoint.
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

// Started returns a channel that is closed when a Run has opened the checkpoint
// for the first time: from then on every event that is appended is handled,
// wherever the subscription starts.
func (s *Subscription) Started() <-chan struct{} { return s.started.ch }

// Live returns a channel that is closed when all events that were there have been
// handled for the first time. [Status.Live] tells how it is now.
func (s *Subscription) Live() <-chan struct{} { return s.live.ch }

// Status tells how the subscription is doing now.
func (s *Subscription) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// signal is a channel that is closed once.
type signal struct {
	ch   chan struct{}
	once *sync.Once
}

func newSignal() signal { return signal{make(chan struct{}), new(sync.Once)} }

func (s signal) give() { s.once.Do(func() { close(s.ch) }) }
