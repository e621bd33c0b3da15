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

// Route leads the events of a family to their handler. Get one from the generated
// On, or from [Family.On].
type Route struct {
	family string
	handle func(ctx context.Context, r store.Recorded, skip func(Skipped)) error
	skip   func(Skipped)
	err    error
}

// OnSkip returns the route with report, which is called for what is no longer an
// event, each time that the subscription passes it over: from the goroutine that
// handles, at least once. Use it to count.
func (r Route) OnSkip(report func(Skipped)) Route {
	r.skip = report
	return r
}

// On routes the family's events to handle. An event that this binary cannot read
// does not reach it: the subscription stops there with a [*ReadError], until a
// binary that can read it goes on. What is no longer an event is passed over, and
// told to [Route.OnSkip].
func (f *Family[ID, E]) On(handle func(context.Context, Meta[ID], E) error) Route {
	switch {
	case f == nil:
		return Route{err: errNoFamily}
	case f.err != nil:
		return Route{err: f.err}
	case handle == nil:
		return Route{err: &store.InvalidError{What: "handler of " + f.name, Reason: "nil"}}
	}
	return Route{family: f.name, handle: func(ctx context.Context, r store.Recorded, skip func(Skipped)) error {
		e, isEvent, err := f.decode(r)
		if err != nil {
			return subscribe.Stop(err)
		}
		if !isEvent {
			if skip != nil {
				skip(skipped(r))
			}
			return nil
		}
		id, err := f.idOf(origin(r))
		if err != nil {
			return subscribe.Stop(readError(r, err))
		}
		err = handle(ctx, metaOf(id, r), e)
		if _, ok := errors.AsType[*UnhandledError](err); ok {
			return subscribe.Stop(err)
		}
		return err
	}}
}

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
	invalid := func(format string, args ...any) error {
		return &store.InvalidError{What: "subscription", Value: name, Reason: fmt.Sprintf(format, args...)}
	}
	byFamily := make(map[string]*Route, len(routes))
	families := make([]string, 0, len(routes))
	routes = slices.Clone(routes)
	for i, r := range routes {
		if r.err != nil {
			return nil, fmt.Errorf("subscription %q: %w", name, r.err)
		}
		if r.handle == nil {
			return nil, invalid("a route is empty; get routes from the generated On")
		}
		if byFamily[r.family] != nil {
			return nil, invalid("two routes for family %s; one handler may call two", r.family)
		}
		byFamily[r.family] = &routes[i]
		families = append(families, r.family)
	}
	slices.Sort(families)
	switch {
	case db == nil:
		return nil, invalid("the store is nil")
	case len(routes) == 0:
		return nil, invalid("no routes; pass the generated On of each family")
	case len(c.Categories) > 0:
		return nil, invalid("%s is set; leave Categories empty, the routes say %s",
			store.Query{Categories: c.Categories}, strings.Join(families, ", "))
	case c.Stream != "" && byFamily[store.Category(c.Stream)] == nil:
		return nil, invalid("stream %s is of none of the routes' families (%s)", printable.Name(c.Stream), strings.Join(families, ", "))
	case c.Stream == "":
		c.Categories = families
	}
	return subscribe.New(db, name, func(ctx context.Context, r store.Recorded) error {
		route := byFamily[store.Category(origin(r))]
		if route == nil {
			return subscribe.Stop(readError(r, errors.New("there is no route for the family of its stream "+printable.Name(origin(r)))))
		}
		return route.handle(ctx, r, route.skip)
	}, c)
}

// origin is the stream that an event was appended to.
func origin(r store.Recorded) string {
	if r.OriginalStream != "" {
		return r.OriginalStream
	}
	return r.Stream
}
