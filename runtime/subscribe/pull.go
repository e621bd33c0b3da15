package subscribe

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/esgen/esgen/runtime/store"
)

// Pull is a subscription whose events the program takes and acknowledges in its
// own time and by its own goroutines. Its methods are safe for concurrent use.
type Pull struct {
	*Subscription
	to *yielder
}

// NewPull returns a subscription for [Pull.Events]. See [New] for the rest.
func NewPull(db store.Store, name string, c Config) (*Pull, error) {
	to := &yielder{out: make(chan *Delivery)}
	s, err := newSubscription(db, name, to, c)
	if err != nil {
		return nil, err
	}
	return &Pull{s, to}, nil
}

// Events runs the subscription for as long as the loop over it lasts, and yields
// its events. The events of a key come in order, also if they are refused and come
// again; those of other keys do not wait for them. At most [Config.InFlight]
// events of a lane are out at once; then it waits for acknowledgements.
//
// When ctx ends or something happens that cannot heal, the error is the last pair:
// that of [Subscription.Run]. Leaving the loop stops as the end of ctx does: what
// was acknowledged is stored, and what was not comes again in the next run.
func (p *Pull) Events(ctx context.Context) iter.Seq2[*Delivery, error] {
	return func(yield func(*Delivery, error) bool) {
		running, cancel := context.WithCancel(ctx)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- p.Run(running) }()
		for {
			select {
			case d := <-p.to.out:
				if !yield(d, nil) {
					cancel()
					<-ended //nolint:errcheck // Status tells what it was
					return
				}
			case err := <-ended:
				yield(nil, err)
				return
			}
		}
	}
}

// Delivery is an event that waits for its acknowledgement. Its methods are safe
// for concurrent use; they return [ErrStale] if the delivery was answered before
// or has been taken back, and [ErrLeaseLost] if the lane has ended here. Either
// way nothing has changed, and the event may come again.
type Delivery struct {
	store.Recorded
	// Lane of the subscription.
	Lane int
	// Key is the event's partition key.
	Key string
	// Attempt counts from 1.
	Attempt int
	// Context ends when the event is another process's, with the cause
	// [ErrLeaseLost], or when the run ends. What is appended with it is caused by
	// the event.
	Context context.Context //nolint:containedctx // it is what a handler would be called with

	of     *lane
	number uint64
	giving uint32
	end    func(error)
}

// Ack tells that the event was handled.
func (d *Delivery) Ack() error {
	return d.answer(nil, func() error { return d.of.ack(d.number, d.giving) })
}

// AckUpTo tells that the event was handled and all before it of its lane that
// are out.
func (d *Delivery) AckUpTo() error {
	return d.answer(nil, func() error {
		before := d.of.outs.take(func(o *Delivery) bool { return o.number < d.number && d.number != replayed && d.of.isOut(o) })
		err := d.of.ackUpTo(d.number, d.giving)
		for _, o := range before {
			if err != nil && d.of.isOut(o) {
				d.of.outs.add(o)
			} else {
				o.end(err)
			}
		}
		return err
	})
}

// Nack tells that the event was not handled. What happens then is said by the
// error, as that of a [HandlerFunc]: a plain one is retried as [Config.Retry] says,
// and then [Config.OnFailure] holds; [RetryAfter], [Park], [Skip] and [Stop] say
// something else. A nil err stands for an error that says so. The event and the
// later ones of its key that are out come again, in order.
func (d *Delivery) Nack(reason error) error {
	if reason == nil {
		reason = errors.New("the event was refused")
	}
	reason = sound(reason)
	return d.answer(reason, func() error { return d.of.nack(d.number, d.giving, reason) })
}

// yielder hands deliveries of all lanes to the loop.
type yielder struct {
	out chan *Delivery
}

func (y *yielder) manner() manner { return manner{loose: true} }

func (y *yielder) work(l *lane) {
	defer func() {
		for _, d := range l.outs.take(func(*Delivery) bool { return true }) {
			d.end(ErrLeaseLost)
		}
	}()
	ds := make([]delivery, 0, 1)
	for {
		var ctx context.Context
		if ctx, ds = l.pull(1, ds); ds == nil {
			return
		}
		d := ds[0]
		ctx, end := l.begin(store.CausedBy(ctx, *d.r), HandlingYield, ds)
		out := &Delivery{Lane: l.hold.Lane, Key: d.key, Attempt: d.attempt, Context: ctx, of: l, number: d.number, giving: d.giving}
		if end != nil {
			var once sync.Once
			out.end = func(err error) { once.Do(func() { end(err) }) }
			l.takenBack()
			l.outs.add(out)
		}
		if err := guarded(func() error {
			out.Recorded = l.c.mapped(*d.r)
			return nil
		}); err != nil {
			_ = out.Nack(err) // it is in flight, so this counts
			continue
		}
		select {
		case y.out <- out:
		case <-l.done:
			return
		}
	}
}
