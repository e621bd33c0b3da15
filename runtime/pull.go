package runtime

import (
	"context"
	"iter"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// Pull is a subscription to a family whose events the program takes and acknowledges
// in its own time and by its own goroutines; see [subscribe.Pull], whose Run, Started,
// Live and Status it has.
type Pull[ID, E any] struct {
	*subscribe.Pull
	family      *Family[ID, E]
	skipUnknown bool
}

// Pull returns a subscription for [Pull.Events] to all streams of the family, or, with
// c.Stream, to one. It connects to nothing. c.Categories is left empty: the family says
// it. The error is a [*store.InvalidError].
func (f *Family[ID, E]) Pull(db store.Store, name string, c subscribe.Config) (*Pull[ID, E], error) {
	// The route is never called; it lets the checks be those of all subscriptions.
	_, c, err := planOf(db, name, c, []Route{f.On(func(context.Context, Meta[ID], E) error { return nil })})
	if err != nil {
		return nil, err
	}
	p, err := subscribe.NewPull(db, name, c)
	if err != nil {
		return nil, err
	}
	return &Pull[ID, E]{Pull: p, family: f, skipUnknown: c.SkipUnknown}, nil
}

// Events runs the subscription for as long as the loop over it lasts, and yields its
// events; see [subscribe.Pull.Events]. An event that this binary cannot read is not
// yielded: its lane waits there, as that of [Family.On] does.
func (p *Pull[ID, E]) Events(ctx context.Context) iter.Seq2[*Delivery[ID, E], error] {
	return func(yield func(*Delivery[ID, E], error) bool) {
		for d, err := range p.Pull.Events(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			r, err := p.family.recorded(d.Recorded)
			if err != nil {
				// That it may have been taken back meanwhile changes nothing.
				if err = unreadable(err, p.skipUnknown); err != nil {
					_ = d.Nack(err)
				} else {
					_ = d.Ack()
				}
				continue
			}
			if !yield(&Delivery[ID, E]{Recorded: r, of: d}, nil) {
				return
			}
		}
	}
}

// Delivery is an event that waits for its acknowledgement; see [subscribe.Delivery].
type Delivery[ID, E any] struct {
	Recorded[ID, E]
	of *subscribe.Delivery
}

// Context ends when the event is another process's, with the cause
// [subscribe.ErrLeaseLost], or when the run ends. What is appended with it is caused by
// the event.
func (d *Delivery[ID, E]) Context() context.Context { return d.of.Context }

// Attempt counts from 1.
func (d *Delivery[ID, E]) Attempt() int { return d.of.Attempt }

// Lane is that of the subscription, and Key the event's partition key.
func (d *Delivery[ID, E]) Lane() (lane int, key string) { return d.of.Lane, d.of.Key }

// Ack tells that the event was handled; see [subscribe.Delivery.Ack].
func (d *Delivery[ID, E]) Ack() error { return d.of.Ack() }

// AckUpTo tells that the event was handled and all before it of its lane that are out;
// see [subscribe.Delivery.AckUpTo].
func (d *Delivery[ID, E]) AckUpTo() error { return d.of.AckUpTo() }

// Nack tells that the event was not handled, and by its reason what is to happen; see
// [subscribe.Delivery.Nack].
func (d *Delivery[ID, E]) Nack(reason error) error { return d.of.Nack(reason) }

// String names the event: "bank.money_deposited, version 2 of bank-a-17".
func (d *Delivery[ID, E]) String() string {
	return printable.Name(d.Type) + ", version " + d.Version.String() + " of " + printable.Name(d.Stream)
}
