package history

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// Deliveries writes down what the handlers of one process are given. It is safe
// for concurrent use.
type Deliveries struct {
	log  *log
	last atomic.Int64
}

// NewDeliveries begins a log in dir under a name of its own: that of the process,
// whose stops [Stopped] tells.
func NewDeliveries(dir, name string) (*Deliveries, error) {
	l, err := create(dir, name)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return &Deliveries{log: l}, nil
}

// Begin is called by a handler before it does anything with r, whose partition key
// is key. The result is to be called when the event is handled, or is not: what
// is done after ctx has ended is nobody's harm, for the handler was told.
func (d *Deliveries) Begin(ctx context.Context, subscription, key string, r store.Recorded) (end func(handled bool) error, _ error) {
	n := int(d.last.Add(1))
	if err := d.log.write(record{
		Kind: kindGiven, Op: n, Subscription: subscription, Key: key, Stream: r.Stream, Version: int64(r.Version), From: uint64(r.Position), ID: r.ID,
	}); err != nil {
		return nil, err
	}
	var told atomic.Int64
	forget := context.AfterFunc(ctx, func() { told.Store(clock()) })
	return func(handled bool) error {
		forget()
		return d.log.write(record{Kind: kindHandled, Op: n, Begin: told.Load(), Done: handled})
	}, nil
}

// Close ends the log.
func (d *Deliveries) Close() error { return d.log.close() }

// Stopped writes down in dir that the process whose log has that name was stopped
// from one [Now] to another, without knowing. name is a new one for each call.
func Stopped(dir, name, log string, from, to int64) error {
	return one(dir, "stopped-"+name, record{Kind: kindStopped, Log: log, Begin: from, Time: to})
}

// Effects writes down in dir how often each event has had its effect in a
// transactional subscription.
func Effects(dir, subscription string, counts map[uuid.UUID]int) (err error) {
	l, err := create(dir, "effects-"+subscription)
	if err != nil {
		return err
	}
	for id, n := range counts {
		if err == nil {
			err = l.write(record{Kind: kindEffect, Subscription: subscription, ID: id, Count: n})
		}
	}
	if closing := l.close(); err == nil {
		err = closing
	}
	return err
}
