package postgres

import (
	"context"
	"iter"
	"math"

	"github.com/esgen/esgen/runtime/store"
)

// Read yields the events that q selects, as [store.Streams] describes, in pages
// of one statement each. A connection is held while a page is fetched, not while
// its events are yielded.
//
// A read that is filtered by type or category looks at a bounded range of
// versions or positions per statement, however few events it finds there.
func (s *Store) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		if err := q.Check(); err != nil {
			yield(store.Recorded{}, err)
			return
		}
		op := "read " + q.String()
		remaining := q.Limit
		for c := newCursor(q); !c.done; {
			page, err := s.page(ctx, op, q, &c, remaining)
			if err != nil {
				yield(store.Recorded{}, err)
				return
			}
			for i := range page {
				if err := store.Ended(ctx, op); err != nil {
					yield(store.Recorded{}, err)
					return
				}
				if !yield(page[i], nil) {
					return
				}
			}
			if remaining -= len(page); q.Limit > 0 && remaining <= 0 {
				return
			}
		}
	}
}

// Sizes of pages. A page is a round trip; a filter looks at up to maxWidth rows in
// the database to fill one.
const (
	firstRows    = 256
	maxRows      = 1000
	maxPageBytes = 8 << 20
	firstWidth   = 4 * maxRows
	maxWidth     = 64 * maxRows
	// unbounded is a width behind the end of everything. Twice that is no overflow.
	unbounded = math.MaxInt64 / 4
)

// cursor is where the next page of a read begins, in versions or positions.
type cursor struct {
	from     int64
	width    int64 // how many versions or positions to look at
	rows     int
	backward bool
	filtered bool
	done     bool
}

func newCursor(q store.Query) cursor {
	c := cursor{
		width: unbounded, rows: firstRows, backward: q.Backward,
		filtered: len(q.Types) > 0 || len(q.Categories) > 0,
	}
	if c.filtered {
		c.width = firstWidth
	}
	c.from = int64(min(uint64(q.FromVersion)+uint64(q.FromPosition), unbounded))
	if c.from == 0 {
		c.from = 1
		if c.backward {
			c.from = unbounded
		}
	}
	return c
}

// fetched is what a page says about the rest.
type fetched struct {
	count int
	last  int64 // version of the stream, or last position of the store
	at    int64 // where the page's last event is
	full  bool  // there may be more in what was looked at
}

// advance moves behind the page that was fetched and sizes the next one.
func (c *cursor) advance(f fetched) {
	switch {
	case c.backward && f.full:
		c.from = f.at - 1
	case c.backward:
		c.from = min(c.from, f.last) - c.width
	case f.full:
		c.from = f.at + 1
	default:
		c.from += c.width
	}
	c.done = c.backward && c.from < 1 || !c.backward && c.from > f.last
	c.rows = maxRows
	if c.filtered && f.count < maxRows/4 {
		c.width = min(2*c.width, maxWidth)
	}
}
