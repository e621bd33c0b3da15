package memory

import (
	"cmp"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// list is events in the order of their places, among which removals have left
// holes.
type list []*store.Recorded

// place is what a list is ordered by.
type place func(*store.Recorded) uint64

func position(r *store.Recorded) uint64 { return uint64(r.Position) }
func version(r *store.Recorded) uint64  { return uint64(r.Version) }

// search returns the index of the first event that is at least at a place.
func (l list) search(of place, at uint64) int {
	i, _ := slices.BinarySearchFunc(l, at, func(r *store.Recorded, at uint64) int { return cmp.Compare(of(r), at) })
	return i
}

// from cuts off what lies before a read's beginning, or backward behind it.
func (l list) from(of place, at uint64, backward bool) list {
	i := l.search(of, at)
	switch {
	case at == 0:
		return l
	case !backward:
		return l[i:]
	case i < len(l) && of(l[i]) == at:
		return l[:i+1]
	default:
		return l[:i]
	}
}

// without returns a list that lacks some events. It leaves l as readers know it.
func (l list) without(gone map[uuid.UUID]bool) list {
	if !slices.ContainsFunc(l, func(r *store.Recorded) bool { return gone[r.ID] }) {
		return l
	}
	var left list
	for _, r := range l {
		if !gone[r.ID] {
			left = append(left, r)
		}
	}
	return left
}

// merged yields the events of all lists in the order of their positions.
func merged(lists []list, backward bool) iter.Seq[*store.Recorded] {
	return func(yield func(*store.Recorded) bool) {
		for {
			best := -1
			var next *store.Recorded
			for i, l := range lists {
				if len(l) == 0 {
					continue
				}
				r := l[0]
				if backward {
					r = l[len(l)-1]
				}
				if best < 0 || (r.Position < next.Position) != backward {
					best, next = i, r
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
