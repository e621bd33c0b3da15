package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// StreamInfo describes stream, or returns a [*store.StreamNotFoundError].
func (s *Store) StreamInfo(ctx context.Context, stream string) (store.StreamInfo, error) {
	if err := store.CheckStream(stream); err != nil {
		return store.StreamInfo{}, err
	}
	if err := store.Ended(ctx, "describe "+printable.Name(stream)); err != nil {
		return store.StreamInfo{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	of := s.contents.streams[stream]
	if of == nil {
		return store.StreamInfo{}, &store.StreamNotFoundError{Stream: stream}
	}
	return of.info(stream), nil
}

// LastPosition returns the highest position that was ever given.
func (s *Store) LastPosition(ctx context.Context) (store.Position, error) {
	if err := store.Ended(ctx, "find the last position"); err != nil {
		return 0, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.contents.last, nil
}

// Streams yields the streams that were there when the loop began, holding no lock
// meanwhile.
func (s *Store) Streams(ctx context.Context, q store.StreamQuery) iter.Seq2[store.StreamInfo, error] {
	return func(yield func(store.StreamInfo, error) bool) {
		found, err := s.list(q)
		for i := 0; err == nil; i++ {
			if err = store.Ended(ctx, "list streams"); err != nil {
				break
			}
			if i == len(found) || i == q.Limit && q.Limit > 0 || !yield(found[i].StreamInfo, nil) {
				return
			}
		}
		yield(store.StreamInfo{}, err)
	}
}

// listed is a stream in a listing.
type listed struct {
	store.StreamInfo
	number int // in the order of creation
}

// list returns what q selects but for the limit, in its order.
func (s *Store) list(q store.StreamQuery) ([]listed, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var after listed
	if q.After != "" {
		of := s.contents.streams[q.After]
		if of == nil {
			return nil, &store.StreamNotFoundError{Stream: q.After}
		}
		after = listed{of.info(q.After), of.number}
	}
	var found []listed
	for name, of := range s.contents.streams {
		l := listed{of.info(name), of.number}
		if q.Matches(l.StreamInfo) && (q.After == "" || compare(q, l, after) > 0) {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(a, b listed) int { return compare(q, a, b) })
	return found, nil
}

// compare tells which of two streams q puts first.
func compare(q store.StreamQuery, a, b listed) int {
	if q.Descending {
		a, b = b, a
	}
	switch q.Order {
	case store.ByCreation:
		return cmp.Compare(a.number, b.number)
	case store.ByVersion:
		return cmp.Or(cmp.Compare(a.Version, b.Version), strings.Compare(a.Stream, b.Stream))
	default:
		return strings.Compare(a.Stream, b.Stream)
	}
}
