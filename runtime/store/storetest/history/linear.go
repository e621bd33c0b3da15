package history

import (
	"cmp"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/esgen/esgen/runtime/store"
)

// call is what was asked of one stream, and what was answered. The state of the
// model is the stream's version.
type call struct {
	by         string
	begin, end int64
	kind       string
	expected   int64
	// count is how many events were appended, version the stream's after them; of
	// a conflict and of a look it is the version that was told.
	count, version int64
}

func step(state, input, _ any) (bool, any) {
	at, in := state.(int64), input.(call)
	switch in.kind {
	case kindStored:
		return store.Version(in.expected).Met(store.Version(at)) && at+in.count == in.version, in.version
	case whyConflict:
		return at == in.version && !store.Version(in.expected).Met(store.Version(at)), at
	default:
		return at == in.version, at
	}
}

// linear searches for an order of the calls of each stream in which every answer
// is right, and which no two calls contradict that followed one another.
func (c *checker) linear() {
	for stream, calls := range c.calls() {
		c.Report.Linear += len(calls)
		c.linearStream(stream, calls)
	}
}

// calls returns those of each stream that is still there. Of an unknown outcome
// the final read tells whether it is one: stored, it may have happened at any time
// since it began.
func (c *checker) calls() map[string][]call {
	calls := make(map[string][]call)
	put := func(stream string, one call) {
		if !c.doomed[stream] {
			calls[stream] = append(calls[stream], one)
		}
	}
	claimed := make(map[string]bool) // stored batches, by stream and id
	claim := func(b batch) bool {
		key := b.Stream + string(b.IDs[0].ID[:])
		fresh := !claimed[key]
		claimed[key] = true
		return fresh
	}
	// Who has surely stored a batch is asked first, then who was told that it was
	// stored already, then who knows nothing.
	certain := func(o *op) int {
		if o.status == isStored && slices.ContainsFunc(o.answer, func(a appended) bool { return a.Duplicate }) {
			return int(isUnknown)*2 + 1
		}
		return int(o.status) * 2
	}
	ordered := slices.SortedStableFunc(slices.Values(c.ops), func(a, b *op) int { return cmp.Compare(certain(b), certain(a)) })
	for _, o := range ordered {
		if o.del != "" {
			continue
		}
		for _, s := range c.appends(o) {
			if s.call.kind == kindStored && claim(s.first) {
				put(s.first.Stream, s.call)
			}
		}
		for _, r := range o.said {
			if r.Why == whyConflict && (!o.tx || !repeated(o.batches, r.Stream)) {
				put(r.Stream, call{by: o.name, begin: r.Begin, end: r.Time, kind: whyConflict, expected: r.Expected, version: r.Version})
			}
		}
	}
	for _, s := range c.linkCalls {
		put(s.first.Stream, s.call)
	}
	for _, o := range c.links {
		for _, r := range o.said {
			if r.Why == whyConflict {
				put(r.Stream, call{by: o.name, begin: r.Begin, end: r.Time, kind: whyConflict, expected: r.Expected, version: r.Version})
			}
		}
	}
	for _, r := range c.looks {
		put(r.Stream, call{by: "a look", begin: r.Begin, end: r.Time, kind: kindLooked, version: r.Version})
	}
	return calls
}

func repeated(batches []batch, stream string) bool {
	n := 0
	for _, b := range batches {
		if b.Stream == stream {
			n++
		}
	}
	return n > 1
}

type storedAppend struct {
	first batch
	call  call
}

// appends returns what o has stored, one call for each of its streams.
func (c *checker) appends(o *op) []storedAppend {
	if o.status == isRefused {
		return nil
	}
	var all []storedAppend
	for i, b := range o.batches {
		var version int64
		begin := o.begin
		switch place, ok := c.placed[b.IDs[0].ID]; {
		case !ok || c.final[place].stream != b.Stream:
			return nil
		case o.status == isUnknown:
			version = c.final[place].version + int64(b.size()) - 1
		case i >= len(o.answer):
			return nil
		default:
			version = o.answer[i].Version
			// Perhaps stored by another one who appended the same, also if the answer
			// is not that of a duplicate: when the reply to its first try was lost, an
			// append cannot tell whether that or another one stored what it finds.
			for _, other := range c.owners[b.IDs[0].ID] {
				if other.status != isRefused {
					begin = min(begin, other.begin)
				}
			}
		}
		at := slices.IndexFunc(all, func(s storedAppend) bool { return s.first.Stream == b.Stream })
		if at >= 0 {
			all[at].call.count += int64(b.size())
			all[at].call.version = version
			continue
		}
		all = append(all, storedAppend{b, call{
			by: o.name, begin: begin, end: o.end, kind: kindStored, expected: b.Expected, count: int64(b.size()), version: version,
		}})
	}
	return all
}

func (c *checker) linearStream(stream string, calls []call) {
	bound(calls)
	slices.SortFunc(calls, func(a, b call) int { return cmp.Compare(a.begin, b.begin) })
	from, end, state, reached := 0, int64(0), int64(0), int64(0)
	// Where no call is under way, the version is known, and the search begins anew.
	for i := 0; i <= len(calls); i++ {
		if i == len(calls) || i > from && calls[i].begin > end {
			c.search(stream, calls[from:i], state)
			from, state = i, reached
		}
		if i < len(calls) {
			end = max(end, calls[i].end)
			if calls[i].kind == kindStored {
				reached = max(reached, calls[i].version)
			}
		}
	}
}

// bound ends appends of unknown outcome when a later version had been stored.
func bound(calls []call) {
	var stored []int
	for i := range calls {
		if calls[i].kind == kindStored {
			stored = append(stored, i)
		}
	}
	slices.SortFunc(stored, func(a, b int) int { return cmp.Compare(calls[b].version, calls[a].version) })
	earliest := int64(never)
	for _, i := range stored {
		if calls[i].end == never {
			calls[i].end = max(earliest, calls[i].begin)
		}
		earliest = min(earliest, calls[i].end)
	}
}

func (c *checker) search(stream string, calls []call, state int64) {
	if len(calls) == 0 {
		return
	}
	operations := make([]porcupine.Operation, len(calls))
	for i, one := range calls {
		operations[i] = porcupine.Operation{ClientId: i, Input: one, Call: one.begin, Return: one.end}
	}
	model := porcupine.Model{Init: func() any { return state }, Step: step}
	switch porcupine.CheckOperationsTimeout(model, operations, c.Linear) {
	case porcupine.Ok:
	case porcupine.Unknown:
		c.problemf(ruleLinear, "%s: no order of %d calls was found in %s, nor that there is none", stream, len(calls), c.Linear)
	default:
		c.problemf(ruleLinear, "%s: no order of %d calls from version %d on explains their answers: %+v", stream, len(calls), state, calls[:min(len(calls), 6)])
	}
}
