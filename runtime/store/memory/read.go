package memory

import (
	"context"
	"iter"
	"slices"

	"github.com/esgen/esgen/runtime/store"
)

// Read yields what was stored when the loop began, holding no lock meanwhile.
func (s *Store) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		if err := q.Check(); err != nil {
			yield(store.Recorded{}, err)
			return
		}
		op := "read " + q.String()
		if err := store.Ended(ctx, op); err != nil {
			yield(store.Recorded{}, err)
			return
		}
		s.mu.RLock()
		c := contents{events: s.contents.events}
		lists := s.contents.lists(q)
		s.mu.RUnlock()
		if q.Stream != "" && len(lists[0]) == 0 {
			yield(store.Recorded{}, &store.StreamNotFoundError{Stream: q.Stream})
			return
		}
		positions := merged(trimmed(q, lists), q.Backward)
		if q.Stream == "" && len(q.Categories) == 0 {
			positions = c.positions(q)
		}
		yielded := 0
		for p := range positions {
			if err := store.Ended(ctx, op); err != nil {
				yield(store.Recorded{}, err)
				return
			}
			r := c.at(p)
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
}

// lists returns the places of q's stream, or of each of its categories.
func (c *contents) lists(q store.Query) [][]store.Position {
	if q.Stream != "" {
		return [][]store.Position{c.streams[q.Stream]}
	}
	var lists [][]store.Position
	for _, category := range slices.Compact(slices.Sorted(slices.Values(q.Categories))) {
		lists = append(lists, c.categories[category])
	}
	return lists
}

// positions yields those of $all from where q begins.
func (c *contents) positions(q store.Query) iter.Seq[store.Position] {
	return func(yield func(store.Position) bool) {
		end := store.Position(len(c.events))
		if !q.Backward {
			for p := max(q.FromPosition, 1); p <= end && yield(p); p++ {
			}
			return
		}
		if q.FromPosition > 0 {
			end = min(end, q.FromPosition)
		}
		for p := end; p > 0 && yield(p); p-- {
		}
	}
}

// trimmed cuts off what lies before q's beginning, or backward behind it.
func trimmed(q store.Query, lists [][]store.Position) [][]store.Position {
	for i, list := range lists {
		var before, upTo int // how many places lie before the beginning, and up to it
		switch {
		case q.FromVersion > 0:
			upTo = int(min(int64(q.FromVersion), int64(len(list))))
			before = int(min(int64(q.FromVersion)-1, int64(len(list))))
		case q.FromPosition > 0:
			var found bool
			before, found = slices.BinarySearch(list, q.FromPosition)
			upTo = before
			if found {
				upTo++
			}
		case q.Backward:
			upTo = len(list)
		}
		if q.Backward {
			lists[i] = list[:upTo]
		} else {
			lists[i] = list[before:]
		}
	}
	return lists
}

// merged yields the positions of all lists in order.
func merged(lists [][]store.Position, backward bool) iter.Seq[store.Position] {
	return func(yield func(store.Position) bool) {
		for {
			best := -1
			var next store.Position
			for i, list := range lists {
				if len(list) == 0 {
					continue
				}
				p := list[0]
				if backward {
					p = list[len(list)-1]
				}
				if best < 0 || (p < next) != backward {
					best, next = i, p
				}
			}
			if best < 0 || !yield(next) {
				return
			}
			if backward {
				lists[best] = lists[best][:len(lists[best])-1]
			} else {
				lists[best] = lists[best][1:]
			}
		}
	}
}
