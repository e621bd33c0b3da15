package scan

import (
	"cmp"
	"fmt"
	"slices"
)

// reader is what reads a stored name at a revision: an event or an upcaster.
type reader struct {
	directive
	name     string
	revision int
	// words name it in messages.
	words string
	event bool
}

// readers lists them in the order of names and revisions.
func (t *target) readers() []reader {
	var list []reader
	for _, m := range t.marks {
		if m.name != "" && m.revision > 0 {
			list = append(list, reader{m.directive, m.name, m.revision, m.at.spec.Name.Name, true})
		}
	}
	for _, u := range t.upcasts {
		if u.name != "" {
			list = append(list, reader{u.directive, u.name, u.revision, "the upcaster " + u.at.fn.Name.Name, false})
		}
	}
	slices.SortStableFunc(list, func(a, b reader) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.revision, b.revision))
	})
	return list
}

// checkNames finds stored names that would lead to two places, or to none.
func (t *target) checkNames() {
	readers := t.readers()
	gone := map[string]marked{}
	for _, m := range t.gone {
		if first, ok := gone[m.name]; ok {
			t.addf(m.pos, "%s is retired twice, first at %s: leave one out", m.name, t.where(first.pos))
			continue
		}
		gone[m.name] = m
	}
	for i, r := range readers {
		if m, ok := gone[r.name]; ok {
			t.addf(r.pos, "%s is retired (%s), and its events are passed over: a name is never used again; give %s another one",
				r.name, t.where(m.pos), r.words)
			continue
		}
		if i > 0 && readers[i-1].name == r.name {
			t.checkNext(readers[i-1], r)
		}
	}
	t.checkAliases(readers, gone)
	t.checkNewest(readers)
}

// checkNext looks at two readers of one name in the order of their revisions.
func (t *target) checkNext(last, r reader) {
	switch {
	case last.revision == r.revision && last.event && r.event:
		// Said where the second was found.
	case last.revision == r.revision:
		t.addf(r.pos, "%s reads %s revision %d, and so does %s (%s): an upcaster is for a revision that no type has any more; "+
			"write another revision= in one of them", r.words, r.name, r.revision, last.words, t.where(last.pos))
	case last.revision+1 < r.revision:
		missing := fmt.Sprintf("revision %d", last.revision+1)
		if last.revision+2 < r.revision {
			missing = fmt.Sprintf("revisions %d to %d", last.revision+1, r.revision-1)
		}
		t.addf(r.pos, "nothing reads %s %s, between %s (%s) and %s: write a function with //esgen:upcast name=%s revision=%d, "+
			"or a lower revision= here", r.name, missing, last.words, t.where(last.pos), r.words, r.name, last.revision+1)
	}
}

// checkAliases reports aliases that are names of something else.
func (t *target) checkAliases(readers []reader, gone map[string]marked) {
	owners := map[string]marked{}
	for _, m := range t.marks {
		for _, a := range m.aliases {
			first, taken := owners[a.value]
			switch {
			case a.value == m.name:
				t.addf(a.pos, "alias=%s is the name of %s itself: leave it out", a.value, m.at.spec.Name.Name)
				continue
			case taken && first.name != m.name:
				t.addf(a.pos, "alias=%s is an alias of %s (%s), too: leave one out", a.value, first.at.spec.Name.Name, t.where(first.pos))
				continue
			}
			owners[a.value] = m
			if retired, ok := gone[a.value]; ok {
				t.addf(a.pos, "alias=%s is retired (%s), and its events are passed over: leave one out", a.value, t.where(retired.pos))
			}
			if i := slices.IndexFunc(readers, func(r reader) bool { return r.name == a.value }); i >= 0 {
				r := readers[i]
				if r.event {
					t.addf(a.pos, "alias=%s is the name of %s (%s): leave one out, for a name leads to one event",
						a.value, r.words, t.where(r.pos))
				} else {
					t.addf(r.pos, "name=%s is an alias of %s (%s): write name=%s, which is found under its aliases, too",
						a.value, m.at.spec.Name.Name, t.where(a.pos), m.name)
				}
			}
		}
	}
}

// checkNewest reports upcasters that begin with a revision newer than any event of
// the name.
func (t *target) checkNewest(readers []reader) {
	newest := map[string]reader{}
	for _, r := range readers {
		if r.event {
			newest[r.name] = r // they are in order
		}
	}
	for _, r := range readers {
		if e, ok := newest[r.name]; ok && !r.event && r.revision > e.revision {
			t.addf(r.pos, "%s reads %s revision %d, which is newer than %s, revision %d (%s): a revision is never lowered; "+
				"raise revision= of %s", r.words, r.name, r.revision, e.words, e.revision, t.where(e.pos), e.words)
		}
	}
}
