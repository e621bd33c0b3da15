package postgres

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/runtime/store"
)

// Read yields the events that q selects, as [store.Streams] describes, in pages
// of one statement each. A connection is held while a page is fetched, not while
// its events are yielded. A page has at most 1 000 events and 8 MiB, and one event
// more; payloads of more than 8 KiB are fetched by a statement of their own.
//
// A filter is executed in the database. Those by type and by metadata use an index
// if there is one (see [Store.AddIndex]); without it, each statement looks at a
// bounded range of versions or positions, however few events it finds there.
func (o *operations) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		if o.observed == nil {
			o.yield(ctx, q, yield)
			return
		}
		ctx, reading := o.observed.Read(ctx, q)
		defer reading.End()
		o.yield(ctx, q, func(r store.Recorded, err error) bool {
			reading.Yield(err)
			return yield(r, err)
		})
	}
}

func (o *operations) yield(ctx context.Context, q store.Query, yield func(store.Recorded, error) bool) {
	err := q.Check()
	if err == nil {
		err = o.read(ctx, q, yield)
	}
	if err != nil {
		yield(store.Recorded{}, err)
	}
}

// read yields events only.
func (o *operations) read(ctx context.Context, q store.Query, yield func(store.Recorded, error) bool) error {
	n := 0
	r, err := o.reading(ctx, q)
	if err != nil {
		return err
	}
	r.page = pages.Get().(*page)
	defer r.page.release()
	for !r.done {
		if err := r.fetch(ctx, q.Limit-n); err != nil {
			return err
		}
		for i := range r.page.events {
			if err := store.Ended(ctx, r.op); err != nil {
				return err
			}
			n++
			if !yield(r.page.events[i], nil) {
				return nil
			}
		}
		if q.Limit > 0 && n >= q.Limit {
			break
		}
	}
	return nil
}

// Sizes of pages. A page is a round trip; a filter looks at up to maxWidth rows in
// the database to fill one. The first is small, for its reader may want few; who
// says how many gets them at once.
const (
	firstRows    = 256
	maxRows      = 1000
	maxPageBytes = 8 << 20
	firstWidth   = 4 * maxRows
	maxWidth     = 64 * maxRows
)

// reading is a read under way.
type reading struct {
	*operations
	op    string
	q     store.Query
	where selection
	page  *page
	names map[int64]string

	// from is where the next page begins, in versions or positions; low and high
	// bound them all.
	from, low, high int64
	// width is how many versions or positions a page looks at, 0 for any.
	width int64
	rows  int
	// filtered tells that rows may be looked at that are not returned; linked, that
	// the stream may have links.
	filtered, linked bool
	// open tells that the first page is to find out where the read ends.
	open, done bool
}

func (o *operations) reading(ctx context.Context, q store.Query) (*reading, error) {
	r := &reading{operations: o, op: "read " + q.String(), q: q, rows: firstRows, low: 1, high: unbounded}
	if q.Limit > 0 {
		r.rows = maxRows
	}
	if q.Backward {
		r.from = unbounded
	} else {
		r.from = 1
	}
	if from := min(uint64(q.FromVersion)+uint64(q.FromPosition), unbounded); from > 0 {
		r.from = int64(from)
	}
	if err := r.choose(ctx); err != nil {
		return nil, err
	}
	if q.Backward {
		r.from = min(r.from, r.high)
	} else {
		r.from = max(r.from, r.low)
	}
	return r, nil
}

// fetch reads the next page, of at most limit events if that is positive, and moves
// behind it.
func (r *reading) fetch(ctx context.Context, limit int) error {
	rows := r.rows
	if limit > 0 {
		rows = min(rows, limit)
	}
	low, high := r.bounds()
	if low > high {
		r.page.events, r.done = r.page.events[:0], true
		return nil
	}
	err := r.call(ctx, r.op, func(ctx context.Context, conn *pgx.Conn) error {
		return r.query(ctx, conn, low, high, rows)
	})
	if err != nil {
		return err
	}
	if r.q.Stream != "" {
		if err := r.learn(); err != nil || r.page.again {
			r.page.events = r.page.events[:0]
			return err
		}
	}
	r.advance(low, high, rows)
	r.rows, r.open = maxRows, false
	r.s.saw(r.page.position)
	return nil
}

// bounds are the first and the last version or position of the next page.
func (r *reading) bounds() (low, high int64) {
	if r.q.Backward {
		if low, high = r.low, r.from; r.width > 0 {
			low = max(low, min(high, r.high)-r.width+1)
		}
		return low, high
	}
	if low, high = r.from, r.high; r.width > 0 {
		high = min(high, low+r.width-1)
	}
	return low, high
}

// learn takes what a page says about its stream.
func (r *reading) learn() error {
	p := r.page
	switch {
	case p.last == 0:
		return &store.StreamNotFoundError{Stream: r.q.Stream}
	case p.state == stateDeleted:
		return &store.StreamDeletedError{Op: "read", Stream: r.q.Stream}
	}
	p.again = p.state == stateLinked && !r.linked
	r.linked = r.linked || p.again
	if r.width == 0 {
		return nil
	}
	// A filtered read must know where the stream ends.
	unknown := r.high == unbounded
	if r.high = p.last; unknown && r.q.Backward && r.from > r.high {
		r.from, p.again = r.high, true
	}
	return nil
}

// advance moves behind the page that was fetched and sizes the next one.
func (r *reading) advance(low, high int64, rows int) {
	p := r.page
	full := p.cut || len(p.events) >= rows
	switch {
	case full && r.q.Backward:
		r.from = p.end - 1
	case full:
		r.from = p.end + 1
	case r.q.Backward:
		r.from = low - 1
	default:
		r.from = high + 1
	}
	r.done = r.q.Backward && r.from < r.low || !r.q.Backward && r.from > r.high
	if r.width > 0 && len(p.events) < maxRows/4 {
		r.width = min(2*r.width, maxWidth)
	}
}
