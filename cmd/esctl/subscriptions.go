package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/esgen/esgen/runtime/subscribe"
)

var subscriptionsVerb = verb{
	name: "subscriptions", args: []string{"WHAT", "[NAME]", "[NEW]"},
	about: "list, show and change subscriptions, whoever runs them",
	more: `WHAT is one of

list             all: state, how far behind, lanes that have an owner, parked events
show NAME        one, with its lanes and their owners
pause NAME       take its lanes from all who have them; nobody gets them
resume NAME      let it go on from its checkpoints
reset NAME       begin again: put its checkpoints to -to, forget what is parked
move NAME        put its checkpoints to -to, leave what is parked as it is
rename NAME NEW  with its checkpoints and what is parked
delete NAME      with its checkpoints and what is parked

Those that run it learn it within seconds: their lanes stop, and after rename and delete
they end with an error. reset, move and delete ask for the name; -yes answers.

-watch shows list or show until interrupted, with the rate and the time left. BEHIND
counts events, with ≤ at most so many, for among them may be some that it does not read;
FOR is how old the first of them is.`,
	prepare: func(f *flag.FlagSet) action {
		to := f.String("to", "", "begin `WHERE`: origin, current, behind the event of this number, or with the first that is not older than a time (default origin)")
		yes := f.Bool("yes", false, "do not ask")
		watch := f.Bool("watch", false, "list or show again and again, until interrupted")
		every := f.Duration("every", time.Second, "with -watch, look again after this `TIME`")
		limit := f.Int("limit", 0, "with -watch, end after `N` looks (default never)")
		return func(ctx context.Context, s shell, args []string) error {
			what, names := args[0], args[1:]
			act, ok := onSubscriptions[what]
			switch {
			case !ok:
				return s.misused("subscriptions takes list, show, pause, resume, reset, move, rename or delete, not %s", printable(what))
			case len(names) != act.names:
				return s.misused("subscriptions %s takes %s, not %s", what, count(act.names, "name"), count(len(names), "name"))
			case *watch && act.change != nil:
				return s.misused("-watch is for list and show")
			case *watch && *every <= 0:
				return s.misused("-every is more than 0")
			case *limit < 0 || *limit > 0 && !*watch:
				return s.misused("-limit is a number of looks, for -watch")
			case *to != "" && !act.places:
				return s.misused("-to is for reset and move")
			case *to == "" && what == "move":
				return s.misused("move needs -to: where to")
			}
			begin, err := parseBeginning(*to)
			if err != nil {
				return s.misused("%v", err)
			}
			return s.openOne(ctx, func(t target) error {
				switch {
				case *watch:
					return s.watch(ctx, t, *every, *limit, names)
				case act.change == nil:
					return s.look(ctx, t, names)
				}
				info, err := subscribe.Find(ctx, t, names[0])
				if err == nil && act.asks && !*yes {
					err = s.confirmChange(info, what)
				}
				if err != nil {
					return err
				}
				said, err := act.change(ctx, t, info, begin, names)
				if err != nil {
					return err
				}
				return s.changed(info.Name, said)
			})
		}
	},
}

// Words that several verbs know.
const (
	listName    = "list"
	showName    = "show"
	discardName = "discard"
)

// onSubscription is what a word after the verb does.
type onSubscription struct {
	names int
	// asks before it destroys something; places tells that it takes -to.
	asks, places bool
	// change does it and says what it did, nil for what only shows.
	change func(ctx context.Context, t target, info subscribe.Info, begin beginning, names []string) (string, error)
}

var onSubscriptions = map[string]onSubscription{
	listName: {},
	showName: {names: 1},
	"pause": {names: 1, change: func(ctx context.Context, t target, info subscribe.Info, _ beginning, _ []string) (string, error) {
		if info.Paused {
			return "was paused", nil
		}
		return "paused", subscribe.Pause(ctx, t, info.Name)
	}},
	"resume": {names: 1, change: func(ctx context.Context, t target, info subscribe.Info, _ beginning, _ []string) (string, error) {
		if !info.Paused {
			return "was not paused", nil
		}
		return "resumed", subscribe.Resume(ctx, t, info.Name)
	}},
	"reset": {names: 1, asks: true, places: true, change: func(ctx context.Context, t target, info subscribe.Info, begin beginning, _ []string) (string, error) {
		at, err := subscribe.Reset(ctx, t, info.Name, begin.of(info))
		return fmt.Sprintf("reset from %s to %s", group(info.At), group(at)), err
	}},
	"move": {names: 1, asks: true, places: true, change: func(ctx context.Context, t target, info subscribe.Info, begin beginning, _ []string) (string, error) {
		at, err := subscribe.Move(ctx, t, info.Name, begin.of(info))
		return fmt.Sprintf("moved from %s to %s", group(info.At), group(at)), err
	}},
	"rename": {names: 2, change: func(ctx context.Context, t target, info subscribe.Info, _ beginning, names []string) (string, error) {
		return "renamed to " + printable(names[1]), subscribe.Rename(ctx, t, info.Name, names[1])
	}},
	"delete": {names: 1, asks: true, change: func(ctx context.Context, t target, info subscribe.Info, _ beginning, _ []string) (string, error) {
		return "deleted", subscribe.Delete(ctx, t, info.Name)
	}},
}

// confirmChange shows what is to be changed, and asks.
func (s shell) confirmChange(info subscribe.Info, what string) error {
	s.notef("%s: %s; at %s, %s parked, read by %s", printable(info.Name), info.State, group(info.At), group(info.Parked), or(owners(info), "nobody"))
	return s.asked(info.Name, "nothing was changed ("+what+")")
}

// change is what programs are told of one.
type change struct {
	Subscription string `json:"subscription"`
	Key          string `json:"key,omitempty"`
	Result       string `json:"result"`
	Events       *int   `json:"events,omitempty"`
}

func (s shell) changed(name, said string) error {
	if s.json {
		return s.object(change{Subscription: name, Result: said})
	}
	s.printf("%s  %s", printable(name), said)
	return nil
}

// beginning is where a subscription begins again, as it was typed: a number is a
// position or a version, which the subscription knows.
type beginning struct {
	start  subscribe.Start
	number *uint64
}

func parseBeginning(text string) (b beginning, _ error) {
	var m moment
	switch n, err := strconv.ParseUint(text, 10, 63); {
	case text == "" || text == "origin":
		b.start = subscribe.Origin
	case text == "current":
		b.start = subscribe.Current
	case err == nil:
		b.number = &n
	case m.Set(text) == nil:
		b.start = subscribe.At(m.Time)
	default:
		return b, fmt.Errorf("-to is origin, current, a number or a time such as 2026-01-31 12:00, not %s", printable(text))
	}
	return b, nil
}

func (b beginning) of(info subscribe.Info) subscribe.Start {
	switch {
	case b.number == nil:
		return b.start
	case strings.HasPrefix(info.Reads, "stream "):
		return subscribe.AfterVersion(*b.number) //nolint:gosec // it was parsed with 63 bits
	default:
		return subscribe.After(*b.number)
	}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
