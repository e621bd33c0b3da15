package history

import (
	"cmp"
	"slices"
	"time"
)

// ack is what somebody knew from a moment on.
type ack struct {
	time int64
	seen
	by string
}

// times holds the clock against the order of $all.
func (c *checker) times() {
	var acks []ack
	type begun struct {
		time  int64
		first seen
		by    string
	}
	var begins []begun
	for _, o := range c.ops {
		if o.status != isStored || o.del != "" || c.anyDoomed(o) {
			continue
		}
		for _, b := range o.batches {
			if i, ok := c.placed[plus(b.IDs[len(b.IDs)-1].ID, uint64(b.IDs[len(b.IDs)-1].N-1))]; ok {
				acks = append(acks, ack{o.end, c.final[i], o.name})
			}
			if i, ok := c.placed[b.IDs[0].ID]; ok && len(c.owners[b.IDs[0].ID]) == 1 {
				begins = append(begins, begun{o.begin, c.final[i], o.name})
			}
		}
	}
	slices.SortFunc(acks, func(a, b ack) int { return cmp.Compare(a.time, b.time) })
	slices.SortFunc(begins, func(a, b begun) int { return cmp.Compare(a.time, b.time) })
	highest := func() func(before int64) ack {
		var last ack
		i := 0
		return func(before int64) ack {
			for ; i < len(acks) && acks[i].time < before; i++ {
				if acks[i].position > last.position {
					last = acks[i]
				}
			}
			return last
		}
	}
	known := highest()
	for _, b := range begins {
		if a := known(b.time); a.position > b.first.position {
			c.problemf(ruleOrder, "%s began after %s was acknowledged, but %s stands before %s", b.by, a.by, b.first, a.seen)
		}
	}

	type reading struct {
		record
		log string
	}
	var reads []reading
	for _, chain := range c.chains {
		for _, r := range chain.reads {
			reads = append(reads, reading{r, chain.log})
		}
	}
	slices.SortFunc(reads, func(a, b reading) int { return cmp.Compare(a.Begin, b.Begin) })
	known = highest()
	for _, r := range reads {
		if a := known(r.Begin); a.position > uint64(r.Version) && a.position >= r.From {
			c.problemf(ruleStale, "%s read $all to its end, %d, after %s was acknowledged to %s", r.log, r.Version, a.seen, a.by)
		}
	}
}

// stalls looks for appends that waited though nobody stood in their way.
func (c *checker) stalls() {
	for _, o := range c.ops {
		if !o.alone || o.told == 0 || c.inFault(o.begin, o.told) {
			continue
		}
		took := time.Duration(o.told - o.begin)
		c.Report.Longest = max(c.Report.Longest, took)
		if c.Stall > 0 && took > c.Stall {
			c.problemf(ruleStall, "%s appended to %s, which nobody else uses, and waited %s for an answer", o.name, o.batches[0].Stream, took)
		}
	}
}

func (c *checker) inFault(begin, end int64) bool {
	return slices.ContainsFunc(c.faults, func(f record) bool { return f.Begin <= end && begin <= f.Time })
}
