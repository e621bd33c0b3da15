package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/esgen/esgen/runtime/store"
)

const selectsEvents = `Without a STREAM it is $all, by position. What is shown of an event on a terminal is cut
off at its edge; -json has all of it, and is what append takes.`

var readVerb = verb{
	name: "read", args: []string{"[STREAM]"}, about: "print events of a stream, or of all",
	more: selectsEvents,
	prepare: func(f *flag.FlagSet) action {
		query := filters(f)
		from := f.Uint64("from", 0, "begin with this `VERSION` of the stream, or this position of all")
		backward := f.Bool("backward", false, "the newest first")
		limit := f.Int("limit", 0, "at most `N` events (default all)")
		return func(ctx context.Context, s shell, args []string) error {
			q := query(args)
			q.Backward, q.Limit = *backward, *limit
			begin(&q, *from)
			if err := q.Check(); err != nil {
				return s.misused("%v", err)
			}
			return s.openOne(ctx, func(t target) error {
				p := s.printer()
				for r, err := range t.Read(ctx, q) {
					if err != nil {
						return err
					}
					if err := p.print(r); err != nil {
						return err
					}
				}
				return nil
			})
		}
	},
}

// filters declares the flags that select events.
func filters(f *flag.FlagSet) func(args []string) store.Query {
	var categories, types names
	var metadata pairs
	var since, until moment
	f.Var(&categories, "category", "only streams of this `CATEGORY`: what precedes the first dash; may be repeated")
	f.Var(&types, "type", "only events of this `TYPE`; may be repeated")
	f.Var(&metadata, "metadata", "only events with this `KEY=VALUE` in their metadata; may be repeated")
	f.Var(&since, "since", "only events at or after this `TIME`")
	f.Var(&until, "until", "only events before this `TIME`")
	return func(args []string) store.Query {
		q := store.Query{Categories: categories, Types: types, Metadata: metadata, Since: since.Time, Until: until.Time}
		if len(args) > 0 && args[0] != store.All {
			q.Stream = args[0]
		}
		return q
	}
}

// begin sets where q begins.
func begin(q *store.Query, from uint64) {
	if q.Stream != "" {
		q.FromVersion = store.Version(from)
	} else {
		q.FromPosition = store.Position(from)
	}
}

// printer prints events, one to a line.
type printer struct {
	shell
	// width of the terminal, 0 if it is none.
	width  int
	events int
}

func (s shell) printer() *printer {
	p := &printer{shell: s}
	if file := terminal(s.stdout); file != nil {
		p.width, _, _ = term.GetSize(int(file.Fd())) // 0 if it does not tell
	}
	return p
}

func (p *printer) print(r store.Recorded) error {
	p.events++
	if p.json {
		return p.object(lineOf(r))
	}
	// Lines come one by one, so the widths are a guess; longer words push the rest.
	const columns = "%9s  %-20s  %-28s  %7s  %-28s  %s"
	if p.events == 1 {
		p.printf(columns, "POSITION", "TIME", "STREAM", "VERSION", "TYPE", "DATA")
	}
	stream := r.Stream
	if isLink(r) {
		stream += fmt.Sprintf(" (%s %d)", r.OriginalStream, int64(r.OriginalVersion))
	}
	text := fmt.Sprintf(columns, strconv.FormatUint(uint64(r.Position), 10), r.Time.UTC().Format(time.RFC3339),
		printable(stream), strconv.FormatInt(int64(r.Version), 10), printable(r.Type), printable(shown(r)))
	_, err := fmt.Fprintln(p.stdout, strings.TrimRight(cut(text, p.width), " "))
	return err
}

// cut is a line that fits into a terminal, or all of it if width is 0.
func cut(line string, width int) string {
	if width > 0 && utf8.RuneCountInString(line) > width {
		return string([]rune(line)[:width-1]) + "…"
	}
	return line
}

// shown is the payload for a person.
func shown(r store.Recorded) string {
	if r.Format == store.JSON || r.Format == store.JSONB {
		return strings.Join(strings.Fields(string(r.Data)), " ")
	}
	return fmt.Sprintf("%s of %s", count(len(r.Data), "byte"), r.Format)
}
