package history

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// linked holds what streams of links show against what was linked: every reference
// has an owner that may have made it, versions are dense, what was acknowledged is
// there, and what nobody knows of is there whole or not at all.
func (c *checker) linked() {
	owners := make(map[uuid.UUID][]*op)
	for _, o := range c.links {
		o.batches[0].each(func(_ int, id uuid.UUID) { owners[id] = append(owners[id], o) })
	}
	shown := make(map[string]map[uuid.UUID]int64) // versions
	for _, s := range c.shown {
		at := make(map[uuid.UUID]int64)
		shown[s.Stream] = at
		version := int64(0)
		for _, part := range s.Seen {
			part.each(func(e seen) {
				if version++; e.version != version {
					c.problemf(ruleVersion, "%s, a link, follows version %d", e, version-1)
					version = e.version
				}
				if before, twice := at[e.id]; twice {
					c.problemf(ruleTwice, "%s shows %s as version %d and as %d", s.Stream, e.id, before, e.version)
				}
				at[e.id] = e.version
				if place, ok := c.placed[e.id]; !ok || c.final[place].position != e.position {
					c.problemf(ruleChanged, "%s, a link, shows what is not stored there", e)
				}
				may := false
				for _, o := range owners[e.id] {
					may = may || o.status != isRefused && o.batches[0].Stream == s.Stream
				}
				if !may {
					c.problemf(ruleGhost, "%s is linked, by nobody who was not refused", e)
				}
			})
		}
	}
	for _, o := range c.links {
		c.linkedBy(o, shown[o.batches[0].Stream])
	}
}

func (c *checker) linkedBy(o *op, shown map[uuid.UUID]int64) {
	b, n := o.batches[0], int64(o.batches[0].size())
	c.Report.Links++
	for _, r := range o.said {
		if r.Why == whyOther || r.Why == whyDuplicate {
			c.problemf(ruleAnswer, "%s linked %d events to %s, each for the first time, and was told %s %s", o.name, n, b.Stream, r.Why, r.Text)
		}
	}
	if o.status == isRefused {
		return
	}
	is, first, side := int64(0), int64(0), true
	b.each(func(i int, id uuid.UUID) {
		version, ok := shown[id]
		if !ok {
			return
		}
		is++
		if i == 0 {
			first = version
		}
		side = side && version == first+int64(i)
	})
	whole := is == n && side && store.Version(b.Expected).Met(store.Version(first-1))
	switch {
	case o.status == isStored && (len(o.answer) != 1 || o.answer[0].Stream != b.Stream || o.answer[0].First != 0):
		c.problemf(ruleAnswer, "%s linked %d events to %s and was answered %+v", o.name, n, b.Stream, o.answer)
	case o.status == isStored && (!whole || o.answer[0].Version != first+n-1):
		c.problemf(ruleLost, "%s linked %d events to %s, expecting version %d, and was answered %+v: %s", o.name, n, b.Stream, b.Expected, o.answer[0], found(is, first))
	case is > 0 && !whole:
		c.problemf(ruleTorn, "%s linked %d events to %s, expecting version %d, with unknown outcome: %s", o.name, n, b.Stream, b.Expected, found(is, first))
	}
	if is > 0 {
		c.linkCalls = append(c.linkCalls, storedAppend{b, call{
			by: o.name, begin: o.begin, end: o.end, kind: kindStored, expected: b.Expected, count: n, version: first + n - 1,
		}})
	}
}

func found(n, first int64) string {
	if n == 0 {
		return "the stream shows none of them"
	}
	return fmt.Sprintf("the stream shows %d of them, the first as version %d", n, first)
}
