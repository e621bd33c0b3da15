package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

const (
	// pageEvents and pageBytes bound what one statement reads.
	pageEvents = 500
	pageBytes  = 4 << 20
	// window is how many positions, or versions of a stream, a statement looks
	// through that filters by what there is no index for: so that each ends
	// within its timeout however rare the events are.
	window = 50_000
)

// Read yields the events that q selects, as [store.Streams] describes. Each page
// is one statement on a connection of its own, which is free again before the
// first event of the page is yielded.
func (s *Store) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		if s.observed == nil {
			s.read(ctx, q, yield)
			return
		}
		ctx, reading := s.observed.Read(ctx, q)
		defer reading.End()
		s.read(ctx, q, func(r store.Recorded, err error) bool {
			reading.Yield(err)
			return yield(r, err)
		})
	}
}

func (s *Store) read(ctx context.Context, q store.Query, yield func(store.Recorded, error) bool) {
	if err := q.Check(); err != nil {
		yield(store.Recorded{}, err)
		return
	}
	newReading(s, q).yield(ctx, yield)
}

func (r *reading) yield(ctx context.Context, yield func(store.Recorded, error) bool) {
	for !r.over {
		page, err := r.next(ctx)
		for _, e := range page {
			if ctx.Err() != nil {
				err = store.Ended(ctx, r.op)
				break
			}
			if !yield(e, nil) {
				return
			}
		}
		if err != nil {
			yield(store.Recorded{}, err)
			return
		}
	}
}

// reading is a read on its way. Places are positions, or in a read of a stream
// versions.
type reading struct {
	s   *Store
	src source
	q   store.Query
	op  string
	sql string
	// types (a JSON array), since, until (microseconds) and metadata (a JSON
	// object) are what events are filtered by; nil without.
	types, since, until, metadata any
	of                            any // the last bind: stream, category or JSON array of categories; nil without
	// low and high are the places still to be read.
	low, high int64
	left      int // events still to be yielded
	started   bool
	over      bool
}

func newReading(s *Store, q store.Query) *reading {
	r := &reading{s: s, src: s.base, q: q, op: "read " + q.String(), low: 1, high: math.MaxInt64, left: q.Limit}
	if r.left == 0 {
		r.left = math.MaxInt
	}
	from := int64(q.FromVersion)
	if q.Stream == "" {
		from = int64(min(q.FromPosition, math.MaxInt64))
	}
	switch {
	case from > 0 && q.Backward:
		r.high = from
	case from > 0:
		r.low = from
	}
	r.filter()
	categories := slices.Compact(slices.Sorted(slices.Values(q.Categories)))
	switch {
	case q.Stream != "":
		r.of = q.Stream
		r.sql = either(q.Backward, readStreamBackwardSQL, readStreamForwardSQL)
	case len(categories) > 1:
		r.of = text(categories)
		r.sql = either(q.Backward, readCategoriesBackwardSQL, readCategoriesForwardSQL)
	case len(categories) == 1:
		r.of = categories[0]
		r.sql = either(q.Backward, readCategoryBackwardSQL, readCategoryForwardSQL)
	default:
		r.sql = either(q.Backward, readAllBackwardSQL, readAllForwardSQL)
	}
	return r
}

func either(backward bool, yes, no string) string {
	if backward {
		return yes
	}
	return no
}

func (r *reading) filter() {
	if len(r.q.Types) > 0 {
		r.types = text(r.q.Types)
	}
	if !r.q.Since.IsZero() {
		r.since = reached(r.q.Since)
	}
	if !r.q.Until.IsZero() {
		r.until = reached(r.q.Until)
	}
	if len(r.q.Metadata) > 0 {
		r.metadata = text(r.q.Metadata)
	}
}

// filtered reports whether events are filtered by what there is no index for.
func (r *reading) filtered() bool {
	return r.types != nil || r.since != nil || r.until != nil || r.metadata != nil
}

// reached is the first of the stored times, which are microseconds, that is not
// before t.
func reached(t time.Time) int64 { return t.Add(time.Microsecond - 1).UnixMicro() }

// text is strings as JSON.
func text[T []string | map[string]string](strings T) string {
	text, _ := json.Marshal(strings) //nolint:errchkjson // strings have no value that JSON lacks
	return string(text)
}

// next reads a page and moves on.
func (r *reading) next(ctx context.Context) ([]store.Recorded, error) {
	ctx, cancel, err := r.s.begin(ctx, r.op)
	if err != nil {
		return nil, err
	}
	defer cancel()
	if !r.started && r.filtered() {
		// Windows need an end. What is appended later is not yielded.
		if err := r.bound(ctx); err != nil {
			return nil, r.fail(ctx, err)
		}
		if r.over = r.low > r.high; r.over {
			return nil, nil
		}
	}
	low, high := r.low, r.high
	if r.filtered() && high-low >= r.s.window {
		if r.q.Backward {
			low = high - r.s.window + 1
		} else {
			high = low + r.s.window - 1
		}
	}
	limit := min(r.left, pageEvents)
	page, full, err := r.page(ctx, low, high, limit)
	if err != nil {
		return nil, r.fail(ctx, err)
	}
	if len(page) == 0 && r.q.Stream != "" {
		// A page without events is rare enough to ask why: the stream may be
		// missing, or was deleted meanwhile. If it has come into being since, its
		// events are read by the next page: to yield neither events nor an error
		// would tell of a stream that never was.
		if err := r.bound(ctx); err != nil {
			return nil, r.fail(ctx, err)
		}
		if !r.started && !r.filtered() {
			r.started, r.over = true, r.low > r.high
			return nil, nil
		}
	}
	r.started = true
	r.left -= len(page)
	switch {
	case full && r.q.Backward:
		r.high = r.place(page[len(page)-1]) - 1
	case full:
		r.low = r.place(page[len(page)-1]) + 1
	case r.q.Backward:
		r.high = low - 1
	case high == math.MaxInt64:
		r.over = true
	default:
		r.low = high + 1
	}
	r.over = r.over || r.left == 0 || r.low > r.high
	return page, nil
}

func (r *reading) place(e store.Recorded) int64 {
	if r.q.Stream != "" {
		return int64(e.Version)
	}
	return int64(e.Position)
}

// bound lowers high to the last place that there is.
func (r *reading) bound(ctx context.Context) error {
	if r.q.Stream != "" {
		info, err := describe(ctx, r.src, r.q.Stream)
		if err == nil && !info.Deleted.IsZero() {
			err = &store.StreamDeletedError{Op: "read", Stream: r.q.Stream, Deleted: info.Deleted}
		}
		r.high = min(r.high, int64(info.Version))
		return err
	}
	var last *int64
	if err := row(ctx, r.src, lastPositionSQL, nil, &last); err != nil {
		return err
	}
	if last == nil {
		last = new(int64)
	}
	r.high = min(r.high, *last)
	return nil
}

func (r *reading) fail(ctx context.Context, err error) error {
	if errors.Is(err, store.ErrStreamNotFound) || errors.Is(err, store.ErrStreamDeleted) {
		return err
	}
	return interpret(store.Ended(ctx, ""), r.s.file, r.op, err)
}

// page reads at most limit events between low and high. full tells that there
// may be more between them than were read.
func (r *reading) page(ctx context.Context, low, high int64, limit int) (page []store.Recorded, full bool, err error) {
	st, err := r.src.statement(ctx, r.sql) //nolint:sqlclosecheck // kept for the next page
	if err != nil {
		return nil, false, err
	}
	args := []any{low, high, r.types, r.since, r.until, r.metadata, limit}
	if r.of != nil {
		args = append(args, r.of)
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return nil, false, err
	}
	page, full, err = scan(rows, limit)
	return page, full, errors.Join(err, rows.Close()) //nolint:sqlclosecheck // the page ends here
}

// scan reads rows until there are limit events or a page's bytes.
func scan(rows *sql.Rows, limit int) (page []store.Recorded, full bool, err error) {
	bytes := 0
	for rows.Next() {
		var e store.Recorded
		// Numbers of other types than int64 pass through text in database/sql.
		var position, version, original, revision, micros int64
		if err := rows.Scan(&position, &e.Stream, &version, &e.OriginalStream, &original, &e.ID, &e.Type, &revision,
			&micros, &e.Correlation, &e.Causation, &e.Format, (*[]byte)(&e.Metadata), &e.Data); err != nil {
			return nil, false, err
		}
		e.Position, e.Version, e.Revision = store.Position(position), store.Version(version), int(revision)
		e.OriginalVersion = store.Version(original)
		e.Time = instant(micros)
		page = append(page, e)
		bytes += len(e.Data) + len(e.Metadata)
		if len(page) == limit || bytes >= pageBytes {
			return page, true, nil
		}
	}
	return page, false, rows.Err()
}
