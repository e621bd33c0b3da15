package subscribe

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/esgen/esgen/runtime/store"
)

// scope is what a subscription reads, by the settings that are stored with it: who
// looks at it from outside has no Config.
type scope struct {
	// words are the part of the settings that says it.
	words string
	// selects has neither a place nor a limit.
	selects store.Query
}

// parseScope reads what [Config.settings] has written. Anything else, also what a
// later release may write, is an error: to guess would count the wrong events.
func parseScope(settings string) (r scope, _ error) {
	parts := strings.Split(settings, "; ") // names hold no semicolon, see quote
	r.words = parts[0]
	what, names, _ := strings.Cut(parts[0], " ")
	var err error
	switch what {
	case store.All:
		if parts[0] != store.All {
			err = strconv.ErrSyntax
		}
	case "stream":
		if r.selects.Stream, err = strconv.Unquote(names); err == nil {
			err = store.CheckStream(r.selects.Stream)
		}
	case "categories":
		r.selects.Categories, err = unquote(names)
	default:
		err = strconv.ErrSyntax
	}
	for _, part := range parts[1:] {
		what, names, _ := strings.Cut(part, " ")
		switch {
		case err != nil:
		case what == "types":
			r.words += "; " + part
			r.selects.Types, err = unquote(names)
		case !strings.HasPrefix(names, "lane"): // "4 lanes by stream"
			err = strconv.ErrSyntax
		}
	}
	if err == nil {
		err = r.selects.Check()
	}
	if err != nil {
		return r, fmt.Errorf("its settings %q are not of this release: %w", settings, err)
	}
	return r, nil
}

// unquote reads quoted names set apart by commas.
func unquote(text string) (names []string, _ error) {
	for {
		word, err := strconv.QuotedPrefix(text)
		if err != nil {
			return nil, err
		}
		name, err := strconv.Unquote(word)
		if err != nil {
			return nil, err
		}
		names, text = append(names, name), text[len(word):]
		if text == "" {
			return names, nil
		}
		after, ok := strings.CutPrefix(text, ", ")
		if !ok {
			return nil, strconv.ErrSyntax
		}
		text = after
	}
}

// place is the number by which the subscription counts e.
func (r scope) place(e store.Recorded) uint64 {
	if r.selects.Stream != "" {
		return uint64(e.Version)
	}
	return uint64(e.Position)
}

// all reports whether every place holds an event that is read.
func (r scope) all() bool { return len(r.selects.Categories) == 0 && len(r.selects.Types) == 0 }

// next returns up to limit events after a place. A stream that is not there, or no
// more, has none.
func (r scope) next(ctx context.Context, db store.Streams, after uint64, limit int) ([]store.Recorded, error) {
	q := r.selects
	q.Limit = limit
	if q.Stream != "" {
		q.FromVersion = store.Version(after) + 1
	} else {
		q.FromPosition = store.Position(after) + 1
	}
	return r.read(ctx, db, q)
}

// head is the last place of all that there is in the stream, or in the store: what
// is not selected may stand there. 0 if there is nothing.
func (r scope) head(ctx context.Context, db store.Streams) (uint64, error) {
	last, err := r.read(ctx, db, store.Query{Stream: r.selects.Stream, Backward: true, Limit: 1})
	if err != nil || len(last) == 0 {
		return 0, err
	}
	return r.place(last[0]), nil
}

func (scope) read(ctx context.Context, db store.Streams, q store.Query) (events []store.Recorded, _ error) {
	for e, err := range db.Read(ctx, q) {
		switch {
		case q.Stream != "" && (errors.Is(err, store.ErrStreamNotFound) || errors.Is(err, store.ErrStreamDeleted)):
			return events, nil
		case err != nil:
			return events, err
		}
		events = append(events, e)
	}
	return events, nil
}
