package history

import (
	"encoding/binary"
	"slices"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// stored holds what is stored against what was appended: every event has an
// owner that may have stored it, versions are dense.
func (c *checker) stored() {
	versions := make(map[string]int64)
	for _, e := range c.final {
		if versions[e.stream]++; e.version != versions[e.stream] {
			c.problemf(ruleVersion, "%s follows version %d", e, versions[e.stream]-1)
			versions[e.stream] = e.version
		}
		owners := c.owners[e.id]
		if len(owners) == 0 {
			c.problemf(ruleGhost, "%s was never appended", e)
			continue
		}
		may, where := false, false
		for _, o := range owners {
			if o.status == isRefused {
				continue
			}
			may = true
			for _, b := range o.batches {
				where = where || b.Stream == e.stream && contains(b, e.id)
			}
		}
		switch {
		case !may:
			c.problemf(ruleGhost, "%s is stored, but %s was refused: %s", e, owners[0].name, owners[0].why)
		case !where:
			c.problemf(ruleLost, "%s is in the wrong stream: %s appended it to %s", e, owners[0].name, owners[0].batches[0].Stream)
		}
	}
}

func contains(b batch, id uuid.UUID) bool {
	for _, r := range b.IDs {
		if [8]byte(id[:8]) == [8]byte(r.ID[:8]) && binary.BigEndian.Uint64(id[8:])-binary.BigEndian.Uint64(r.ID[8:]) < uint64(r.N) {
			return true
		}
	}
	return false
}

// acknowledged holds answers against what is stored.
func (c *checker) acknowledged() {
	for _, o := range c.ops {
		if o.status != isStored || o.del != "" {
			continue
		}
		if len(o.answer) != len(o.batches) {
			c.problemf(ruleAnswer, "%s appended %d batches and was answered %d", o.name, len(o.batches), len(o.answer))
			continue
		}
		for i, b := range o.batches {
			c.acknowledgedBatch(o, b, o.answer[i])
		}
	}
}

func (c *checker) acknowledgedBatch(o *op, b batch, a appended) {
	n := b.size()
	if a.Stream != b.Stream || a.Version < int64(n) || !o.tx && a.First == 0 || a.Last < a.First {
		c.problemf(ruleAnswer, "%s appended %d events to %s and was answered %+v", o.name, n, b.Stream, a)
		return
	}
	before := a.Version - int64(n)
	if !store.Version(b.Expected).Met(store.Version(before)) {
		c.problemf(ruleAnswer, "%s expected version %d of %s and was answered %+v", o.name, b.Expected, b.Stream, a)
	}
	if a.Duplicate && o.tried == 1 && !c.appendedBefore(o, b) {
		c.problemf(ruleAnswer, "%s was told that its events are duplicates, but nobody else appended them", o.name)
	}
	if c.doomed[b.Stream] {
		return
	}
	wrong := false
	b.each(func(i int, id uuid.UUID) {
		if wrong {
			return
		}
		place, ok := c.placed[id]
		if !ok {
			wrong = true
			c.problemf(ruleLost, "event %d of %d that %s appended to %s is not stored; it was answered %+v", i+1, n, o.name, b.Stream, a)
			return
		}
		e := c.final[place]
		if e.stream != b.Stream || e.version != before+int64(i)+1 || i == 0 && a.First > 0 && e.position != a.First ||
			i == n-1 && a.Last > 0 && e.position != a.Last {
			wrong = true
			c.problemf(ruleLost, "event %d of %d that %s appended to %s is %s; it was answered %+v", i+1, n, o.name, b.Stream, e, a)
		}
	})
}

// appendedBefore reports whether somebody else may have stored the events of b.
func (c *checker) appendedBefore(o *op, b batch) bool {
	return slices.ContainsFunc(c.owners[b.IDs[0].ID], func(other *op) bool { return other != o && other.status != isRefused })
}

// unknown holds appends that nobody knows about against what is stored: all of
// one, at a place where it may be, or nothing.
func (c *checker) unknown() {
	for _, o := range c.ops {
		if o.status != isUnknown || o.del != "" || c.anyDoomed(o) {
			continue
		}
		is, total := 0, 0
		for _, b := range o.batches {
			var first seen
			behind := true
			b.each(func(i int, id uuid.UUID) {
				for _, other := range c.owners[id] {
					if other != o && other.status != isRefused {
						return // may be the other's
					}
				}
				total++
				place, ok := c.placed[id]
				if !ok {
					return
				}
				is++
				e := c.final[place]
				if i == 0 {
					first = e
					behind = store.Version(b.Expected).Met(store.Version(e.version - 1))
				}
				behind = behind && e.version == first.version+int64(i)
			})
			if first.version > 0 && !behind {
				c.problemf(ruleTorn, "%s, whose outcome is unknown, expected version %d of %s and is stored from %s on", o.name, b.Expected, b.Stream, first)
			}
		}
		if is > 0 && is < total {
			c.problemf(ruleTorn, "of %d events that %s appended, with unknown outcome, %d are stored", total, o.name, is)
		}
	}
}

func (c *checker) anyDoomed(o *op) bool {
	for _, b := range o.batches {
		if c.doomed[b.Stream] {
			return true
		}
	}
	return false
}

// refusals holds errors against what is stored. That what was refused is not
// stored is said above.
func (c *checker) refusals() {
	for _, o := range c.ops {
		for _, r := range o.said {
			switch {
			case r.Why == whyOther, r.Why == whyRetry && !o.tx:
				c.problemf(ruleAnswer, "%s failed with what the contract does not know: %s", o.name, r.Text)
			case r.Why == whyDuplicate && !c.duplicateIsTrue(o, r):
				c.problemf(ruleAnswer, "%s was refused: %s, which is not so", o.name, r.Text)
			}
		}
	}
}

func (c *checker) duplicateIsTrue(o *op, r record) bool {
	if c.doomed[r.Stream] {
		return true
	}
	for _, other := range c.owners[r.ID] {
		if c.anyDoomed(other) {
			return true
		}
	}
	place, ok := c.placed[r.ID]
	if !ok {
		return false
	}
	e := c.final[place]
	if r.Stream != "" && (e.stream != r.Stream || e.version != r.Version) {
		return false
	}
	others := 0
	for _, other := range c.owners[r.ID] {
		if other != o && other.status != isRefused {
			others++
		}
	}
	return others > 0
}
