package subscribe

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// TransientConfig says what a transient subscription reads, and how much of it may
// wait. The zero value reads all events that are appended from now on.
type TransientConfig struct {
	// Start is where it begins, as in [Config.Start].
	//
	// Defaults to [Current].
	Start Start
	// Stream, Categories, Only and Select are those of [Config].
	Stream     string
	Categories []string
	Only       []string
	Select     func(store.Recorded) bool
	// Buffer is the most events that wait for the program, BufferBytes the most
	// bytes of data and metadata; one event may be larger.
	//
	// Default to 1000 and 16 MiB.
	Buffer, BufferBytes int
	// PollInterval is that of [Config].
	PollInterval time.Duration
	// Logger is told when reading begins to fail and goes on again.
	//
	// Defaults to none.
	Logger *slog.Logger
}

// Transient shows events as they are appended, to who is there: it has no name,
// stores nothing, and who comes later begins anew. It is for screens, caches and
// waiting for something to happen; what must not miss an event is a [Subscription].
// Its methods are safe for concurrent use.
type Transient struct {
	db          store.Store
	c           Config
	most, bytes int
	started     signal
}

// NewTransient returns a transient subscription to db. It does no I/O; the error is
// a [*store.InvalidError].
func NewTransient(db store.Store, t TransientConfig) (*Transient, error) {
	c := Config{
		Start: t.Start, Stream: t.Stream, Categories: t.Categories, Only: t.Only, Select: t.Select,
		PollInterval: t.PollInterval, Logger: t.Logger,
	}
	if c.Start == nil {
		c.Start = Current
	}
	c, err := c.withDefaults()
	switch {
	case err != nil:
		return nil, fmt.Errorf("transient subscription: %w", err)
	case db == nil:
		return nil, invalid("a transient one has no store")
	case t.Buffer < 0 || t.BufferBytes < 0:
		return nil, invalid("a buffer of %d events and %d bytes; leave them 0 for their defaults", t.Buffer, t.BufferBytes)
	}
	return &Transient{
		db: db, c: c, started: newSignal(),
		most: cmp.Or(t.Buffer, 1000), bytes: cmp.Or(t.BufferBytes, 16<<20),
	}, nil
}

// Started returns a channel that is closed when a loop over [Transient.Events] knows
// for the first time where it begins: events that are appended from then on are shown.
func (t *Transient) Started() <-chan struct{} { return t.started.ch }

// Events yields events in order, each once, for as long as the loop over it lasts;
// each loop begins where [TransientConfig.Start] says. Events are read while the loop
// does something else, until the buffer is full. Those for which there is no room are
// not kept: after the events before them comes an [*OverflowError], which says how
// many they are and where to read them, and then, if the loop goes on, those after
// them.
//
// Failures of the store are retried for as long as they last. Any other error is the
// last pair: that of ctx, a [*SortError] if Select panicked or ended its goroutine, a
// [*store.StreamDeletedError], or one that wraps [store.ErrInvalid] or
// [store.ErrClosed]. Nothing runs any more when the loop has ended.
func (t *Transient) Events(ctx context.Context) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		b := &buffer{most: t.most, bytes: t.bytes}
		var reading sync.WaitGroup
		reading.Go(func() { b.end(t.follow(ctx, b)) })
		defer func() {
			cancel()
			reading.Wait()
		}()
		for {
			rung := b.bell.Wait()
			r, there, err := b.take()
			switch {
			case ctx.Err() != nil:
				yield(store.Recorded{}, ctx.Err())
				return
			case there && !yield(r, err):
				return
			case !there && err != nil:
				yield(store.Recorded{}, err)
				return
			case !there:
				<-rung // by b.end, too
			}
		}
	}
}

// follow reads into b until that cannot go on.
func (t *Transient) follow(ctx context.Context, b *buffer) error {
	f, q := feedOf(t.db), t.c.query()
	defer f.join(q)()
	seek, seeking := t.c.Start.(At)
	sorts := sorter{name: "(transient)", c: &t.c}
	at, known := uint64(0), false
	var items []item
	var trouble setback
	for quiet := 0; ; {
		bell := f.wait() // before the read, so that no append falls between
		var page []store.Recorded
		var end bool
		var err error
		if !known {
			if at, err = t.c.Start.first(ctx, t.db, t.c); err == nil {
				known = true
				t.started.give()
			}
		}
		if known {
			page, end, err = f.read(ctx, q, at, t.c.PageSize)
		}
		var broken error
		items, broken = sorts.sortBeside(items[:0], page)
		for _, it := range items {
			at = it.place
			if seeking = seeking && it.r.Time.Before(time.Time(seek)); it.mine && !seeking {
				b.put(*it.r, it.place)
			}
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case broken != nil:
			return broken
		case permanent(err):
			return fmt.Errorf("transient subscription to %s: %w", q, err)
		}
		pause, hurry := t.pace(&trouble, &quiet, len(page), end, err)
		if !hurry {
			bell = nil
		}
		if err := t.wait(ctx, pause, bell, quiet); err != nil {
			return err
		}
	}
}

// pace returns how long to wait after a read, and whether a bell ends that earlier.
func (t *Transient) pace(trouble *setback, quiet *int, read int, end bool, err error) (pause time.Duration, hurry bool) {
	if err != nil {
		now := time.Now()
		if trouble.failures == 0 {
			t.c.Logger.Warn("transient subscription cannot read events, retrying", "reads", t.c.reads(), "error", err)
		}
		trouble.fail(now, err, storeBackoff, rand.Float64())
		return trouble.until.Sub(now), false
	}
	if trouble.failures > 0 {
		t.c.Logger.Info("transient subscription can read events again", "reads", t.c.reads(), "failures", trouble.failures)
	}
	trouble.clear()
	if *quiet++; read > 0 {
		*quiet = 0
	}
	if !end {
		return 0, false
	}
	return backoff{firstPoll, max(t.c.PollInterval, time.Millisecond)}.after(*quiet+1, rand.Float64()), true
}

// wait returns after a pause, or when the bell has rung. A bell that rings for
// nothing that is selected is heard less often.
func (t *Transient) wait(ctx context.Context, pause time.Duration, bell <-chan struct{}, quiet int) error {
	if pause <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	if bell != nil && quiet > 1 {
		least := time.NewTimer(min(pause, bellPause))
		defer least.Stop()
		select {
		case <-least.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case <-bell:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
