package ownstore

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"github.com/esgen/esgen/runtime/store"
)

// Read yields what was there when the loop began.
func (s *Store) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		if err := q.Check(); err != nil {
			yield(store.Recorded{}, err)
			return
		}
		if ctx.Err() != nil {
			yield(store.Recorded{}, fmt.Errorf("read %s: %w", q, context.Cause(ctx)))
			return
		}
		s.mu.RLock()
		events, places := s.events, s.streams[q.Stream]
		s.mu.RUnlock()
		// Index i of what is read is a version or a position less one.
		count, from := len(events), uint64(q.FromPosition)
		if q.Stream != "" {
			count, from = len(places), uint64(q.FromVersion)
			if count == 0 {
				yield(store.Recorded{}, &store.StreamNotFoundError{Stream: q.Stream})
				return
			}
		}
		i, step := int(min(max(from, 1)-1, uint64(count))), 1
		if q.Backward {
			i, step = count-1, -1
			if from > 0 {
				i = int(min(from, uint64(count))) - 1
			}
		}
		for yielded := 0; i >= 0 && i < count; i += step {
			at := i
			if q.Stream != "" {
				at = int(places[i]) - 1
			}
			r := events[at]
			if !q.Matches(r) {
				continue
			}
			if ctx.Err() != nil {
				yield(store.Recorded{}, fmt.Errorf("read %s: %w", q, context.Cause(ctx)))
				return
			}
			r.Data, r.Metadata = bytes.Clone(r.Data), bytes.Clone(r.Metadata)
			if !yield(r, nil) {
				return
			}
			if yielded++; yielded == q.Limit {
				return
			}
		}
	}
}
