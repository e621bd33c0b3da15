package main

import (
	"context"
	"flag"
	"strconv"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

var streamsVerb = verb{
	name: "streams", about: "list streams",
	more: `FIRST is the lowest version that reads show: more than 1 in a stream that was
truncated. With -after and -limit, long lists come in pages.`,
	prepare: func(f *flag.FlagSet) action {
		var q store.StreamQuery
		f.StringVar(&q.Prefix, "prefix", "", "only names that begin with `TEXT`")
		f.StringVar(&q.Contains, "contains", "", "only names that hold `TEXT`")
		f.BoolVar(&q.Deleted, "deleted", false, "also those that were deleted softly")
		order := f.String("order", "name", "by `WHAT`: name, creation or version")
		f.BoolVar(&q.Descending, "descending", false, "the other way round")
		f.StringVar(&q.After, "after", "", "go on behind the stream of this `NAME`")
		f.IntVar(&q.Limit, "limit", 0, "at most `N` streams (default all)")
		return func(ctx context.Context, s shell, _ []string) error {
			orders := map[string]store.StreamOrder{"name": store.ByName, "creation": store.ByCreation, "version": store.ByVersion}
			var ok bool
			if q.Order, ok = orders[*order]; !ok {
				return s.misused("-order is name, creation or version, not %s", printable(*order))
			}
			if err := q.Check(); err != nil {
				return s.misused("%v", err)
			}
			return s.openOne(ctx, func(t target) error { return s.streams(ctx, t, q) })
		}
	},
}

// stream is what programs are told of one.
type stream struct {
	Stream  string        `json:"stream"`
	Version store.Version `json:"version"`
	First   store.Version `json:"first"`
	Created time.Time     `json:"created"`
	Deleted *time.Time    `json:"deleted,omitempty"`
}

func (s shell) streams(ctx context.Context, t target, q store.StreamQuery) error {
	// Widths are not known before the end, and a list may be long: pages are aligned.
	var page table
	flush := func() {
		page.print(s.stdout)
		page.rows = nil
	}
	if !s.json {
		page.row("STREAM", "VERSION", "FIRST", "CREATED", "")
		defer flush()
	}
	for info, err := range t.Streams(ctx, q) {
		if err != nil {
			if len(page.rows) == 1 {
				page.rows = nil // no more than what the columns are
			}
			return err
		}
		if s.json {
			v := stream{Stream: info.Stream, Version: info.Version, First: info.First, Created: info.Created}
			if !info.Deleted.IsZero() {
				v.Deleted = &info.Deleted
			}
			if err := s.object(v); err != nil {
				return err
			}
			continue
		}
		deleted := ""
		if !info.Deleted.IsZero() {
			deleted = "deleted " + info.Deleted.UTC().Format(time.DateTime)
		}
		page.row(info.Stream, strconv.FormatInt(int64(info.Version), 10), strconv.FormatInt(int64(info.First), 10), info.Created.UTC().Format(time.DateTime), deleted)
		if len(page.rows) == 1000 {
			flush()
		}
	}
	return nil
}
