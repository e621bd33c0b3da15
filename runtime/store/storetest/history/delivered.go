package history

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"
)

// Subscription is what [Check] is to hold of one.
type Subscription struct {
	Name string
	// Categories are what it reads. Defaults to all.
	Categories []string
	// Once: its handler's effects, told by [Effects], are in its transaction.
	Once bool
	// Late is how long an event may wait for its handler at most, from when its
	// append was acknowledged, or from the end of the last fault in between.
	// Defaults to any time.
	Late time.Duration
	// Lane tells the lane of a key. With it, Late is how long an event may wait while
	// its lane gives out no other event for the first time: what is late behind others
	// tells that the machine is busy, not that a lane stands still. Defaults to none.
	Lane func(key string) int
}

// delivery is an event that a handler was given.
type delivery struct {
	log, key string
	seen
	// end is when the handler returned, or never; told when it was told to stop,
	// or 0.
	begin, end, told int64
	handled          bool
}

func (l *loading) delivery(r record) {
	if r.Kind == kindGiven {
		d := &delivery{
			log: l.name, key: r.Key, seen: seen{position: r.From, stream: r.Stream, version: r.Version, id: r.ID},
			begin: r.Time, end: never,
		}
		l.given[r.Op] = d
		l.truth.given[r.Subscription] = append(l.truth.given[r.Subscription], d)
		return
	}
	d := l.given[r.Op]
	if d == nil {
		l.wrongf(ruleAnswer, "an event was handled that nobody was given: %+v", r)
		return
	}
	d.end, d.told, d.handled = r.Time, r.Begin, r.Done
}

// delivered holds a subscription's deliveries against what is stored.
func (c *checker) delivered(s Subscription) {
	given := c.given[s.Name]
	slices.SortStableFunc(given, func(a, b *delivery) int { return cmp.Compare(a.begin, b.begin) })
	c.Report.Given += len(given)
	first := make(map[uuid.UUID]*delivery) // the first that began
	done := make(map[uuid.UUID]int64)      // when the first that handled it ended
	keys := make(map[string][]*delivery)
	for _, d := range given {
		if i, ok := c.placed[d.id]; !ok && !c.doomed[d.stream] {
			c.problemf(ruleMissed, "%s was given %s, which is not stored", s.Name, d.seen)
		} else if ok && c.final[i] != d.seen {
			c.problemf(ruleChanged, "%s was given %s, stored is %s", s.Name, d.seen, c.final[i])
		}
		if first[d.id] == nil {
			first[d.id] = d
		}
		if at, ok := done[d.id]; d.handled && (!ok || d.end < at) {
			done[d.id] = d.end
		}
		keys[d.key] = append(keys[d.key], d)
	}
	for _, e := range c.final {
		if len(s.Categories) > 0 && !slices.Contains(s.Categories, category(e.stream)) {
			continue
		}
		if _, ok := done[e.id]; ok {
			c.Report.Handled++
		} else {
			c.problemf(ruleMissed, "%s never handled %s", s.Name, e)
		}
		if n := c.effects[s.Name][e.id]; s.Once && n != 1 {
			c.problemf(ruleOnce, "%s left %d effects of %s", s.Name, n, e)
		}
	}
	for key, all := range keys {
		if c.doomed[all[0].stream] {
			continue // what was not handled may be gone
		}
		c.inOrder(s.Name, key, all, done)
		c.twoAtOnce(s.Name, key, all)
	}
	c.late(s, first)
}

// inOrder: when an event is given, the one before it of the same key was handled,
// by whomever.
func (c *checker) inOrder(name, key string, all []*delivery, done map[uuid.UUID]int64) {
	events := make(map[uuid.UUID]*delivery)
	for _, d := range all {
		events[d.id] = d
	}
	order := make([]*delivery, 0, len(events))
	for _, d := range events {
		order = append(order, d)
	}
	slices.SortFunc(order, func(a, b *delivery) int { return cmp.Compare(a.position, b.position) })
	before := make(map[uuid.UUID]*delivery, len(order))
	for i, d := range order[:max(0, len(order)-1)] {
		before[order[i+1].id] = d
	}
	for _, d := range all {
		b := before[d.id]
		if b == nil {
			continue
		}
		if at, ok := done[b.id]; !ok || at > d.begin {
			c.problemf(ruleInOrder, "%s gave %s to %s before %s, of the same key %q, was handled", name, d.seen, d.log, b.seen, key)
		}
	}
}

// twoAtOnce: the times of two processes do not overlap. A delivery without an end
// is of a process that was killed: nobody knows how long it worked.
func (c *checker) twoAtOnce(name, key string, all []*delivery) {
	var last *delivery // of those so far, the one that ends last
	for _, d := range all {
		if last != nil && last.log != d.log && d.begin < last.harm() && !c.wasStopped(last, d.begin) && !c.wasStopped(d, d.begin) {
			c.problemf(ruleTwoAt, "%s gave %s to %s while %s, of the same key %q, was with %s", name, d.seen, d.log, last.seen, key, last.log)
		}
		if last == nil || d.harm() > last.harm() {
			last = d
		}
	}
}

// harm is until when the handler had a right to do something.
func (d *delivery) harm() int64 {
	switch {
	case d.end == never:
		return d.begin
	case d.told > 0:
		return min(d.told, d.end)
	default:
		return d.end
	}
}

// wasStopped reports whether the process of d was stopped at some time of the
// delivery, or shortly before it, when it had decided to make it.
func (c *checker) wasStopped(d *delivery, at int64) bool {
	const shortly = int64(time.Second)
	return slices.ContainsFunc(c.stopped, func(s record) bool {
		return s.Log == d.log && s.Begin <= max(at, d.end) && d.begin-shortly <= s.Time
	})
}

// late: from the acknowledgement to the handler, faults aside.
func (c *checker) late(s Subscription, first map[uuid.UUID]*delivery) {
	lanes := make(map[int][]int64) // when it gave out an event for the first time
	if s.Lane != nil {
		for _, d := range first {
			lane := s.Lane(d.key)
			lanes[lane] = append(lanes[lane], d.begin)
		}
		for _, times := range lanes {
			slices.Sort(times)
		}
	}
	for _, o := range c.ops {
		if o.status != isStored {
			continue
		}
		for _, b := range o.batches {
			d := first[b.IDs[0].ID]
			if d == nil || d.begin <= o.end || c.inFault(o.end, d.begin) {
				continue
			}
			c.Report.Latest = max(c.Report.Latest, time.Duration(d.begin-o.end))
			took := d.begin - o.end
			if s.Lane != nil {
				took = longestGap(lanes[s.Lane(d.key)], o.end, d.begin)
			}
			if took := time.Duration(took); s.Late > 0 && took > s.Late {
				c.problemf(ruleLate, "%s was given %s %s after its append was acknowledged, or after its lane had given out another", s.Name, d.seen, took)
			}
		}
	}
}

// longestGap is the longest time from one of the times to the next, from begin to end.
func longestGap(times []int64, begin, end int64) (gap int64) {
	at := begin
	for _, t := range times[sort.Search(len(times), func(i int) bool { return times[i] > begin }):] {
		t = min(t, end)
		gap, at = max(gap, t-at), t
		if t == end {
			break
		}
	}
	return max(gap, end-at)
}
