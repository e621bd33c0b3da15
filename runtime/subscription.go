package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// Subscribe returns a subscription of all routes' families, or, with c.Stream, of
// one of their streams. It connects to nothing; see [subscribe.Subscription.Run].
// What a handler appends with its context is caused by what it handles.
//
// The families' events are selected by the category of their streams and never by
// the types that this binary knows, so none is passed over. c.Categories is left
// empty: the routes say it.
//
// The error is a [*store.InvalidError].
func Subscribe(db store.Store, name string, c subscribe.Config, routes ...Route) (*subscribe.Subscription, error) {
	p, c, err := planOf(db, name, c, routes)
	if err != nil {
		return nil, err
	}
	for family, r := range p.byFamily {
		if r.batch != nil {
			return nil, p.invalid("the route for %s takes batches; use SubscribeBatch, SubscribeTx, or an On that takes events", family)
		}
	}
	return subscribe.New(db, name, p.handle, c)
}

// SubscribeBatch is [Subscribe] by batches of a size and time that c.Batch says, which
// suits handlers to which several events cost little more than one. Routes of both
// kinds take part, in the order of the events: one that takes batches gets as many
// events as follow one another in its family, one that takes events gets each. If one
// of them fails, the whole batch was not handled; see [subscribe.BatchFunc].
func SubscribeBatch(db store.Store, name string, c subscribe.Config, routes ...Route) (*subscribe.Subscription, error) {
	p, c, err := planOf(db, name, c, routes)
	if err != nil {
		return nil, err
	}
	return subscribe.NewBatch(db, name, p.handleAll, c)
}

// SubscribeTx is [SubscribeBatch] with each batch in the transaction that moves the
// checkpoint behind it: what handlers do in that transaction is there exactly once. They
// get it from their context, by the TxFrom of the store's package, and
// [store.StreamsFrom] for streams in it. The store must be a [store.Transactor], as
// SQLite and PostgreSQL are; see [subscribe.NewTx].
func SubscribeTx(db store.Store, name string, c subscribe.Config, routes ...Route) (*subscribe.Subscription, error) {
	p, c, err := planOf(db, name, c, routes)
	if err != nil {
		return nil, err
	}
	return subscribe.NewTx(db, name, p.handleAll, c)
}

// plan is the routes of a subscription.
type plan struct {
	name        string
	byFamily    map[string]*Route
	skipUnknown bool
}

// planOf checks what all subscriptions have in common, and returns c with what is to
// be read.
func planOf(db store.Store, name string, c subscribe.Config, routes []Route) (plan, subscribe.Config, error) {
	p := plan{name: name, byFamily: make(map[string]*Route, len(routes)), skipUnknown: c.SkipUnknown}
	families := make([]string, 0, len(routes))
	routes = slices.Clone(routes)
	for i, r := range routes {
		if r.err != nil {
			return p, c, fmt.Errorf("subscription %q: %w", name, r.err)
		}
		if r.handle == nil && r.batch == nil {
			return p, c, p.invalid("a route is empty; get routes from the generated On")
		}
		if p.byFamily[r.family] != nil {
			return p, c, p.invalid("two routes for family %s; one handler may call two", r.family)
		}
		p.byFamily[r.family] = &routes[i]
		families = append(families, r.family)
	}
	slices.Sort(families)
	switch {
	case db == nil:
		return p, c, p.invalid("the store is nil")
	case len(routes) == 0:
		return p, c, p.invalid("no routes; pass the generated On of each family")
	case len(c.Categories) > 0:
		return p, c, p.invalid("%s is set; leave Categories empty, the routes say %s",
			store.Query{Categories: c.Categories}, strings.Join(families, ", "))
	case c.Stream != "" && p.byFamily[store.Category(c.Stream)] == nil:
		return p, c, p.invalid("stream %s is of none of the routes' families (%s)", printable.Name(c.Stream), strings.Join(families, ", "))
	case c.Stream == "":
		c.Categories = families
	}
	return p, c, nil
}

func (p plan) invalid(format string, args ...any) error {
	return &store.InvalidError{What: "subscription", Value: p.name, Reason: fmt.Sprintf(format, args...)}
}

// of is the route of an event.
func (p plan) of(r store.Recorded) (*Route, error) {
	route := p.byFamily[store.Category(origin(r))]
	if route == nil {
		return nil, subscribe.Unreadable(readError(r, errors.New("there is no route for the family of its stream "+printable.Name(origin(r)))))
	}
	return route, nil
}

func (p plan) handle(ctx context.Context, r store.Recorded) error {
	route, err := p.of(r)
	if err != nil {
		return err
	}
	return route.handle(ctx, r, p.skipUnknown)
}

// handleAll handles several events, each run of one family by its route.
func (p plan) handleAll(ctx context.Context, events []store.Recorded) error {
	for len(events) > 0 {
		route, err := p.of(events[0])
		if err != nil {
			return err
		}
		if route.batch == nil {
			if err := p.handle(store.CausedBy(ctx, events[0]), events[0]); err != nil {
				return err
			}
			events = events[1:]
			continue
		}
		n := 1
		for n < len(events) && store.Category(origin(events[n])) == route.family {
			n++
		}
		if err := route.batch(ctx, events[:n], p.skipUnknown); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}
