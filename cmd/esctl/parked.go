package main

import (
	"context"
	"errors"
	"flag"
	"strconv"
	"strings"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

var parkedVerb = verb{
	name: "parked", args: []string{"WHAT", "NAME", "[KEY]"},
	about: "list, show, retry and discard events that subscriptions could not handle",
	more: `WHAT is one of

list NAME         the events that wait: parked, or to be tried again
show NAME [KEY]   the same with the events themselves and why they were parked
retry NAME KEY    let the owner handle the events of the key again, in their order
discard NAME KEY  give up the events of the key; they stay on record, with the -reason

A KEY keeps events together: the stream, unless the subscription says otherwise. The
later events of a key wait behind one that was parked. discard asks for the key; -yes
answers. -state lists others too: parked, retry, skipped, discarded, or all.`,
	prepare: func(f *flag.FlagSet) action {
		state := f.String("state", "", "for list and show: only in this `STATE` (default parked and retry)")
		every := f.Bool("all-keys", false, "for retry: every key that has parked events")
		reason := f.String("reason", "", "for retry and discard: `WHY`, for the record")
		yes := f.Bool("yes", false, "do not ask")
		return func(ctx context.Context, s shell, args []string) error {
			what, name, keys := args[0], args[1], args[2:]
			q := store.ParkedQuery{Subscription: name, Lane: -1}
			if len(keys) > 0 {
				q.Key, q.HasKey = keys[0], true
			}
			changes := what == "retry" || what == discardName
			var ok bool
			switch q.States, ok = parkedStates[*state]; {
			case !changes && what != listName && what != showName:
				return s.misused("parked takes list, show, retry or discard, not %s", printable(what))
			case what == listName && q.HasKey:
				return s.misused("list takes no key; show does")
			case !ok:
				return s.misused("-state is parked, retry, skipped, discarded or all, not %s", printable(*state))
			case changes && *state != "":
				return s.misused("-state is for list and show")
			case !changes && (*reason != "" || *every):
				return s.misused("-reason and -all-keys are for retry and discard")
			case what == discardName && *every:
				return s.misused("discard takes one key at a time")
			case changes && q.HasKey == *every:
				return s.misused("%s needs a KEY, see: esctl parked list %s", what, printable(name))
			case what == discardName && *reason == "":
				return s.misused("discard needs a -reason: it is all that will be known")
			}
			return s.openOne(ctx, func(t target) error {
				p := parked{s, t, name}
				switch what {
				case "retry":
					return p.retry(ctx, q, *reason)
				case discardName:
					return p.discard(ctx, q, *reason, *yes)
				case showName:
					return p.show(ctx, q)
				default:
					return p.list(ctx, q)
				}
			})
		}
	},
}

// parkedStates are those of -state.
var parkedStates = map[string][]store.ParkedState{
	"":                            {store.ParkedWaiting, store.ParkedRetry},
	"all":                         {},
	string(store.ParkedWaiting):   {store.ParkedWaiting},
	string(store.ParkedRetry):     {store.ParkedRetry},
	string(store.ParkedSkipped):   {store.ParkedSkipped},
	string(store.ParkedDiscarded): {store.ParkedDiscarded},
}

// parked looks at what a subscription has parked.
type parked struct {
	shell
	t    target
	name string
}

// parkedLine is what programs are told of a parked event, by show with the event.
type parkedLine struct {
	store.Parked
	Event *line `json:"event,omitempty"`
	// Missing says why there is no event.
	Missing string `json:"missing,omitempty"`
}

func (p parked) list(ctx context.Context, q store.ParkedQuery) error {
	var t table
	t.row("KEY", "AT", "STATE", "TRIED", "TYPE", "SINCE", "ERROR")
	for e, err := range subscribe.Parked(ctx, p.t, q) {
		switch {
		case err != nil:
			return err
		case p.json:
			if err := p.object(parkedLine{Parked: e}); err != nil {
				return err
			}
			continue
		}
		t.row(e.Key, group(e.At), string(e.State), strconv.Itoa(e.Attempts), e.Type, e.Time.UTC().Format(time.DateTime), cut(why(e), 80))
		if len(t.rows) == 1000 {
			t.print(p.stdout)
			t.rows = nil
		}
	}
	if !p.json {
		t.print(p.stdout)
	}
	return nil
}

// why an event is parked, in a line.
func why(e store.Parked) string {
	switch {
	case e.Reason != "" && e.State == store.ParkedDiscarded:
		return e.Reason
	case e.Error == "" && e.State == store.ParkedWaiting:
		return "waits behind an earlier one"
	default:
		first, _, _ := strings.Cut(e.Error, "\n")
		return first
	}
}

func (p parked) show(ctx context.Context, q store.ParkedQuery) error {
	first := true
	for e, err := range subscribe.Parked(ctx, p.t, q) {
		if err != nil {
			return err
		}
		shown := parkedLine{Parked: e}
		r, err := subscribe.ParkedEvent(ctx, p.t, e)
		switch {
		case err == nil:
			l := lineOf(r)
			shown.Event = &l
		case errors.Is(err, store.ErrEventNotFound) || errors.Is(err, store.ErrStreamNotFound) || errors.Is(err, store.ErrStreamDeleted):
			shown.Missing = err.Error()
		default:
			return err
		}
		if p.json {
			if err := p.object(shown); err != nil {
				return err
			}
			continue
		}
		if !first {
			p.printf("")
		}
		first = false
		p.describe(shown, r)
	}
	return nil
}

// describe prints all there is to say of an event.
func (p parked) describe(e parkedLine, r store.Recorded) {
	var t table
	add := func(name, value string) {
		if value != "" {
			t.row(name, value)
		}
	}
	add("key", or(e.Key, "(empty)"))
	add("state", string(e.State)+", "+e.Time.UTC().Format(time.DateTime))
	add("tried", count(e.Attempts, "time"))
	add("error", strings.ReplaceAll(e.Error, "\n", " "))
	add("reason", e.Reason)
	add("type", e.Type)
	add("event", e.EventID.String())
	add("stored", "version "+strconv.FormatInt(int64(e.Version), 10)+" of "+e.Stream)
	if e.Missing != "" {
		add("data", e.Missing)
	} else {
		add("position", group(uint64(r.Position)))
		add("time", r.Time.UTC().Format(time.RFC3339Nano))
		add("data", shown(r))
		add("metadata", string(r.Metadata))
	}
	t.print(p.stdout)
}

func (p parked) retry(ctx context.Context, q store.ParkedQuery, reason string) error {
	keys := []string{q.Key}
	if !q.HasKey {
		keys = nil
		q.States = parkedStates[string(store.ParkedWaiting)]
		for e, err := range subscribe.Parked(ctx, p.t, q) {
			if err != nil {
				return err
			}
			if len(keys) == 0 || keys[len(keys)-1] != e.Key {
				keys = append(keys, e.Key)
			}
		}
		if len(keys) == 0 {
			p.notef("nothing is parked")
		}
	}
	for _, key := range keys {
		n, err := subscribe.RetryParked(ctx, p.t, p.name, key, reason)
		if err == nil {
			err = p.marked(key, n, "to be tried again")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p parked) discard(ctx context.Context, q store.ParkedQuery, reason string, yes bool) error {
	if !yes {
		q.States = parkedStates[""]
		aside := p
		aside.stdout, aside.json = p.stderr, false // it is no result
		if err := aside.show(ctx, q); err != nil {
			return err
		}
		if err := p.asked(or(q.Key, "(empty)"), "nothing was discarded"); err != nil {
			return err
		}
	}
	n, err := subscribe.DiscardParked(ctx, p.t, p.name, q.Key, reason)
	if err != nil {
		return err
	}
	return p.marked(q.Key, n, "discarded")
}

// marked says what became of the events of a key. A key that has none is likely
// mistyped.
func (p parked) marked(key string, n int, what string) error {
	if n == 0 {
		return foundError{"nothing is parked under key " + printable(or(key, "(empty)"))}
	}
	if p.json {
		return p.object(change{Subscription: p.name, Key: key, Result: what, Events: &n})
	}
	p.printf("%s  %s %s", printable(or(key, "(empty)")), count(n, "event"), what)
	return nil
}
