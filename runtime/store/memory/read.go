package memory

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/esgen/esgen/runtime/store"
)

// Read yields what was stored when the loop began, holding no lock meanwhile.
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
	op := "read " + q.String()
	if err := store.Ended(ctx, op); err != nil {
		yield(store.Recorded{}, err)
		return
	}
	lists, err := s.lists(q)
	if err != nil {
		yield(store.Recorded{}, err)
		return
	}
	yielded := 0
	for r := range merged(lists, q.Backward) {
		if err := store.Ended(ctx, op); err != nil {
			yield(store.Recorded{}, err)
			return
		}
		if !q.Matches(*r) {
			continue
		}
		if !yield(own(*r), nil) {
			return
		}
		if yielded++; yielded == q.Limit {
			return
		}
	}
}

// lists returns what q reads from where it begins: a stream, each of its
// categories, or $all.
func (s *Store) lists(q store.Query) ([]list, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := &s.contents
	if q.Stream != "" {
		of := c.streams[q.Stream]
		switch {
		case of == nil:
			return nil, &store.StreamNotFoundError{Stream: q.Stream}
		case !of.deleted.IsZero():
			return nil, &store.StreamDeletedError{Op: "read", Stream: q.Stream, Deleted: of.deleted}
		}
		return []list{of.readable().from(version, uint64(q.FromVersion), q.Backward)}, nil
	}
	lists := []list{c.events}
	if len(q.Categories) > 0 {
		lists = nil
		for _, category := range slices.Compact(slices.Sorted(slices.Values(q.Categories))) {
			lists = append(lists, c.categories[category])
		}
	}
	for i, l := range lists {
		lists[i] = l.from(position, uint64(q.FromPosition), q.Backward)
	}
	return lists, nil
}

// own returns a copy that shares no memory with r.
func own(r store.Recorded) store.Recorded {
	r.Data = bytes.Clone(r.Data)
	r.Metadata = bytes.Clone(r.Metadata)
	return r
}
