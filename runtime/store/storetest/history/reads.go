package history

import (
	"cmp"
	"slices"
	"sort"

	"github.com/google/uuid"
)

// gone are events that somebody has seen or was told of, in streams that were
// deleted, by position.
func (c *checker) gone() map[uint64]seen {
	gone := make(map[uint64]seen)
	note := func(e seen) {
		if !c.doomed[e.stream] || e.position == 0 {
			return
		}
		if other, ok := gone[e.position]; ok && other.id != e.id {
			c.problemf(ruleTwice, "position %d was given to %s and to %s", e.position, other, e)
		}
		gone[e.position] = e
	}
	for _, o := range c.ops {
		if o.status != isStored || o.del != "" || len(o.answer) != len(o.batches) {
			continue
		}
		for i, b := range o.batches {
			a := o.answer[i]
			if n := b.size(); uint64(n) == a.Last-a.First+1 {
				b.each(func(j int, id uuid.UUID) {
					note(seen{a.First + uint64(j), b.Stream, a.Version - int64(n-j) + 1, id})
				})
			}
		}
	}
	for _, chain := range c.chains {
		for _, part := range chain.seen {
			if c.doomed[part.Stream] {
				part.each(note)
			}
		}
	}
	return gone
}

// holes holds the positions of what is stored against 1, 2, 3, …
func (c *checker) holes() {
	gone := c.gone()
	for p, e := range gone {
		if i, ok := c.at(p); ok && c.final[i].id != e.id {
			c.problemf(ruleTwice, "position %d was that of %s, whose stream was deleted, and is now that of %s", p, e, c.final[i])
		}
	}
	if !c.dense {
		return
	}
	// Events of deleted streams whose positions nobody was told.
	spare := 0
	for _, o := range c.ops {
		if o.status != isUnknown {
			continue
		}
		for _, b := range o.batches {
			if c.doomed[b.Stream] {
				spare += b.size()
			}
		}
	}
	expected := uint64(1)
	for _, e := range c.final {
		for ; expected < e.position; expected++ {
			if _, ok := gone[expected]; ok {
				continue
			}
			if spare--; spare < 0 {
				c.problemf(ruleHole, "no event has position %d, and no deletion explains that; next comes %s", expected, e)
				break
			}
		}
		expected = e.position + 1
	}
}

// at returns where the event of a position is in the final read.
func (c *checker) at(position uint64) (int, bool) {
	return slices.BinarySearchFunc(c.final, position, func(e seen, p uint64) int { return cmp.Compare(e.position, p) })
}

// reads holds what readers saw against what is stored: the same, without a gap.
func (c *checker) reads() {
	subsets := make(map[string][]int)
	for _, chain := range c.chains {
		q := chain.query
		c.chain(chain, c.subset(subsets, q.Stream, q.Category))
	}
}

// subset returns the indexes in final of a stream, a category, or of all, nil.
func (c *checker) subset(known map[string][]int, stream, of string) []int {
	if stream == "" && of == "" {
		return nil
	}
	key := stream + "\x00" + of
	if known[key] == nil {
		places := []int{}
		for i, e := range c.final {
			if stream != "" && e.stream == stream || of != "" && category(e.stream) == of {
				places = append(places, i)
			}
		}
		known[key] = places
	}
	return known[key]
}

func (c *checker) chain(ch *chain, places []int) {
	place := func(i int) (int, bool) {
		if places == nil {
			return i, i < len(c.final)
		}
		if i >= len(places) {
			return 0, false
		}
		return places[i], true
	}
	n := len(places)
	if places == nil {
		n = len(c.final)
	}
	next := -1 // in the subset; -1 as long as nothing is known
	if q := ch.query; !q.Backward {
		next = sort.Search(n, func(i int) bool {
			j, _ := place(i)
			return c.final[j].position >= q.From && c.final[j].version >= q.Version
		})
	}
	problems := 0
	for _, part := range ch.seen {
		part.each(func(e seen) {
			c.Report.Seen++
			if problems > 2 {
				return
			}
			i := sort.Search(n, func(i int) bool { j, _ := place(i); return c.final[j].position >= e.position })
			j, ok := place(i)
			switch {
			case ok && c.final[j] == e:
			case c.doomed[e.stream]:
				return // it was there, and is no more
			case ok && c.final[j].position == e.position:
				problems++
				c.problemf(ruleChanged, "%s saw %s, where %s is stored", ch.log, e, c.final[j])
			default:
				problems++
				c.problemf(ruleChanged, "%s saw %s, which is not stored", ch.log, e)
				return
			}
			switch {
			case next < 0 || i == next:
			case i < next:
				problems++
				c.problemf(ruleSkipped, "%s saw %s too late, or twice", ch.log, e)
			default:
				problems++
				missed, _ := place(next)
				c.problemf(ruleSkipped, "%s saw %s, but had not seen %s", ch.log, e, c.final[missed])
			}
			next = i + 1
		})
	}
}
