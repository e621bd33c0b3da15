package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"math"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// pageStreams bounds what one statement lists.
const pageStreams = 500

// StreamInfo describes stream, or returns a [*store.StreamNotFoundError].
func (s *Store) StreamInfo(ctx context.Context, stream string) (store.StreamInfo, error) {
	if err := store.CheckStream(stream); err != nil {
		return store.StreamInfo{}, err
	}
	op := "describe " + printable.Name(stream)
	ctx, cancel, err := s.begin(ctx, op)
	if err != nil {
		return store.StreamInfo{}, err
	}
	defer cancel()
	info, err := describe(ctx, s.base, stream)
	if err != nil && !errors.Is(err, store.ErrStreamNotFound) {
		err = interpret(store.Ended(ctx, ""), s.file, op, err)
	}
	return info.StreamInfo, err
}

// LastPosition returns the highest position that was ever given.
func (s *Store) LastPosition(ctx context.Context) (last store.Position, err error) {
	const op = "find the last position"
	ctx, cancel, err := s.begin(ctx, op)
	if err != nil {
		return 0, err
	}
	defer cancel()
	err = s.base.row(ctx, headSQL, nil, &last)
	return last, interpret(store.Ended(ctx, ""), s.file, op, err)
}

// listed is a stream in a list.
type listed struct {
	store.StreamInfo
	id int64 // in the order of creation
}

func describe(ctx context.Context, from source, stream string) (listed, error) {
	st, err := from.statement(ctx, streamInfoSQL) //nolint:sqlclosecheck // kept for the next call
	if err != nil {
		return listed{}, err
	}
	l, err := scanStream(st.QueryRowContext(ctx, stream))
	if errors.Is(err, sql.ErrNoRows) {
		err = &store.StreamNotFoundError{Stream: stream}
	}
	return l, err
}

func scanStream(row interface{ Scan(dest ...any) error }) (l listed, err error) {
	var version, created int64
	var first, deleted *int64
	if err := row.Scan(&l.Stream, &l.id, &version, &first, &created, &deleted); err != nil {
		return listed{}, err
	}
	l.Version, l.First, l.Created = store.Version(version), store.Version(version)+1, instant(created)
	if first != nil {
		l.First = store.Version(*first)
	}
	if deleted != nil {
		l.Deleted = instant(*deleted)
	}
	return l, nil
}

// Streams yields the streams that q selects, as [store.Catalog] describes. Each
// page is one statement on a connection of its own, which is free again before the
// first stream of the page is yielded.
func (s *Store) Streams(ctx context.Context, q store.StreamQuery) iter.Seq2[store.StreamInfo, error] {
	return func(yield func(store.StreamInfo, error) bool) {
		if err := q.Check(); err != nil {
			yield(store.StreamInfo{}, err)
			return
		}
		l := newListing(s, q)
		for !l.over {
			page, err := l.next(ctx)
			for _, of := range page {
				if ctx.Err() != nil {
					err = store.Ended(ctx, listOp)
					break
				}
				if !yield(of.StreamInfo, nil) {
					return
				}
			}
			if err != nil {
				yield(store.StreamInfo{}, err)
				return
			}
		}
	}
}

const listOp = "list streams"

// listing is a list of streams on its way.
type listing struct {
	s     *Store
	q     store.StreamQuery
	sql   string
	after *listed // the last one before what is still to be listed
	left  int
	over  bool
}

func newListing(s *Store, q store.StreamQuery) *listing {
	l := &listing{s: s, q: q, left: q.Limit}
	if l.left == 0 {
		l.left = math.MaxInt
	}
	switch q.Order {
	case store.ByCreation:
		l.sql = either(q.Descending, listByCreationBackwardSQL, listByCreationForwardSQL)
	case store.ByVersion:
		l.sql = either(q.Descending, listByVersionBackwardSQL, listByVersionForwardSQL)
	default:
		l.sql = either(q.Descending, listByNameBackwardSQL, listByNameForwardSQL)
	}
	return l
}

// next lists a page and moves on.
func (l *listing) next(ctx context.Context) ([]listed, error) {
	ctx, cancel, err := l.s.begin(ctx, listOp)
	if err != nil {
		return nil, err
	}
	defer cancel()
	if l.after == nil && l.q.After != "" {
		after, err := describe(ctx, l.s.base, l.q.After)
		if errors.Is(err, store.ErrStreamNotFound) {
			return nil, err
		}
		if err != nil {
			return nil, interpret(store.Ended(ctx, ""), l.s.file, listOp, err)
		}
		l.after = &after
	}
	limit := min(l.left, pageStreams)
	page, err := l.page(ctx, limit)
	if err != nil {
		return nil, interpret(store.Ended(ctx, ""), l.s.file, listOp, err)
	}
	if len(page) > 0 {
		l.after = &page[len(page)-1]
	}
	l.left -= len(page)
	l.over = len(page) < limit || l.left == 0
	return page, nil
}

func (l *listing) page(ctx context.Context, limit int) (page []listed, err error) {
	st, err := l.s.base.statement(ctx, l.sql) //nolint:sqlclosecheck // kept for the next page
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(ctx, l.binds(limit)...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		of, err := scanStream(rows)
		if err != nil {
			return nil, err
		}
		page = append(page, of)
	}
	return page, rows.Err()
}

// beyond is behind every name: no UTF-8 holds this byte.
const beyond = "\xff"

func (l *listing) binds(limit int) []any {
	end := beyond
	if prefix := []byte(l.q.Prefix); len(prefix) > 0 {
		prefix[len(prefix)-1]++ // of UTF-8 no byte is the highest
		end = string(prefix)
	}
	begin := l.q.Prefix
	after := l.after
	switch {
	case after != nil && l.q.Order == store.ByName && l.q.Descending:
		end = min(end, after.Stream)
	case after != nil && l.q.Order == store.ByName:
		// SQLite begins at one of two bounds, whichever it likes: so that no page walks
		// over those before it, both are close.
		begin = max(begin, after.Stream)
	case after == nil:
		after = &listed{}
		if l.q.Descending {
			after.Stream, after.Version, after.id = beyond, math.MaxInt64, math.MaxInt64
		}
	}
	binds := []any{begin, end, l.q.Contains, l.q.Deleted, limit}
	switch l.q.Order {
	case store.ByCreation:
		return append(binds, after.id)
	case store.ByVersion:
		return append(binds, int64(after.Version), after.Stream)
	default:
		return append(binds, after.Stream)
	}
}
