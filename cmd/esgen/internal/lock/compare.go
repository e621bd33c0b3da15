package lock

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/esgen/esgen/templates"
)

// comparison is what was locked beside what is stored now.
type comparison struct {
	was, now File
	written  bool
	places   map[string]templates.Position
	families []templates.Position
	// retired are families and the names that are retired in them.
	retired [][2]string
	// inside are the breaches in fields, by rule.
	inside map[string][]Breach
}

// accepted reports whether somebody wanted the breach. What was accepted in the
// fields of a revision, or of a family, is used up, for the lock has them as they are
// now: the next change in the same place is another one. The other breaches stay.
func (c *comparison) accepted(b Breach) bool {
	list := c.now.Accepted
	if isRevision := strings.Contains(b.Where, "@"); isRevision && len(c.inside[b.Rule]) == 0 {
		list = slices.Concat(list, c.was.Accepted)
	}
	return slices.ContainsFunc(list, func(a Accepted) bool { return a.Rule == b.Rule && a.Where == b.Where })
}

// fromBefore reports whether the lock was written when it had no names in msgpack yet.
func (c *comparison) fromBefore() bool {
	return !slices.ContainsFunc(c.was.Families, func(f Family) bool { return f.Text != "" })
}

// place is where an event is declared, or else the family.
func (c *comparison) place(name string, revision int) templates.Position {
	if at, ok := c.places[key(name, revision)]; ok {
		return at
	}
	for _, e := range c.now.Events {
		if e.Name == name || slices.Contains(e.Aliases, name) {
			return c.places[e.key()]
		}
	}
	if len(c.families) > 0 {
		return c.families[0]
	}
	return templates.Position{}
}

func (c *comparison) breach(name string, revision int, format string, args ...any) Breach {
	return Breach{Where: key(name, revision), Text: fmt.Sprintf(format, args...), At: c.place(name, revision)}
}

// current is the event that reads a name today, by its name or an alias. Of several,
// at different revisions, it is the one at the given revision, or else the newest.
func (c *comparison) current(name string, revision int) (Event, bool) {
	var found Event
	for _, e := range c.now.Events {
		if e.Name != name && !slices.Contains(e.Aliases, name) {
			continue
		}
		if e.Revision == revision {
			return e, true
		}
		found = e // sorted by revision
	}
	return found, found.Name != ""
}

// upcast finds the upcaster from a revision, also under the name that it has now. Of
// several families, it is the one of the event's.
func (c *comparison) upcast(was Event) (Upcast, bool) {
	names := []string{was.Name}
	if e, ok := c.current(was.Name, was.Revision); ok {
		names = append(names, e.Name)
		names = append(names, e.Aliases...)
	}
	for _, anyFamily := range []bool{false, true} {
		for _, name := range names {
			i := slices.IndexFunc(c.now.Upcasts, func(u Upcast) bool {
				return u.Revision == was.Revision && u.Name == name && (anyFamily || u.family == was.Family)
			})
			if i >= 0 {
				return c.now.Upcasts[i], true
			}
		}
	}
	return Upcast{}, false
}

func (c *comparison) isRetired(name string) bool {
	return slices.ContainsFunc(c.now.Retired, func(r Retired) bool { return r.Name == name })
}

// reads reports whether a revision is read today: by an event, an upcaster, or as
// one that is passed over.
func (c *comparison) reads(e Event) bool {
	if now, ok := c.current(e.Name, e.Revision); ok && now.Revision == e.Revision {
		return true
	}
	if !c.isFamily(e.Family) { // which is told apart
		_, ok := c.upcast(e)
		return ok || c.isRetired(e.Name)
	}
	u, ok := c.upcast(e)
	return ok && u.family == e.Family || slices.Contains(c.retired, [2]string{e.Family, e.Name})
}

func (c *comparison) isFamily(name string) bool {
	return slices.ContainsFunc(c.now.Families, func(f Family) bool { return f.Name == name })
}

// elsewhere tells that what would read a revision is of other families than its event.
func (c *comparison) elsewhere(e Event) string {
	if _, ok := c.upcast(e); ok || c.isRetired(e.Name) {
		return " in streams of family " + e.Family + " (add " + e.Family + " to family= of what reads it in others)"
	}
	return ""
}

func removed(c *comparison) (list []Breach) {
	for _, e := range c.was.Events {
		if _, ok := c.current(e.Name, e.Revision); ok || c.reads(e) {
			continue
		}
		if i := slices.IndexFunc(c.now.Events, func(now Event) bool { return now.Go == e.Go }); i >= 0 {
			list = append(list, c.breach(e.Name, e.Revision, "%s is stored as %s now, so that stored events of %s cannot be read: add alias=%s to its //esgen:event",
				e.Go, c.now.Events[i].Name, e.Name, e.Name))
			continue
		}
		list = append(list, c.breach(e.Name, e.Revision, "the event %s is gone, so that stored events cannot be read%s: keep the type and write "+
			"//esgen:retired name=%s, or write that above the package clause if they are to be passed over", e.Name, c.elsewhere(e), e.Name))
	}
	return list
}

func lowered(c *comparison) (list []Breach) {
	for _, now := range c.now.Events {
		for _, e := range c.was.Events {
			if e.Name == now.Name && e.Revision > now.Revision && !slices.ContainsFunc(c.now.Events, func(other Event) bool {
				return other.Name == e.Name && other.Revision >= e.Revision
			}) {
				list = append(list, c.breach(now.Name, now.Revision, "revision %d of %s was locked already: write revision=%d, or a higher one",
					e.Revision, now.Name, e.Revision))
				break
			}
		}
	}
	return list
}

func chainMissing(c *comparison) (list []Breach) {
	for _, e := range c.was.Events {
		now, ok := c.current(e.Name, e.Revision)
		if !ok || c.reads(e) || e.Revision > now.Revision {
			continue
		}
		list = append(list, c.breach(e.Name, e.Revision, "revision %d of %s is stored and nobody reads it%s: write //esgen:upcast name=%s revision=%d "+
			"above a function from that shape to the next", e.Revision, e.Name, c.elsewhere(e), e.Name, e.Revision))
	}
	return list
}

func reused(c *comparison) (list []Breach) {
	for _, r := range c.was.Retired {
		now, ok := c.current(r.Name, 0)
		if !ok || c.isRetired(r.Name) || r.Go != "" && r.Go == now.Go {
			continue // the type that has read it all the time may go on
		}
		list = append(list, c.breach(now.Name, now.Revision, "the name %s was retired, and older events have it: choose another name", r.Name))
	}
	for _, now := range c.now.Events {
		was, ok := eventOf(c.was, func(e Event) bool { return e.key() == now.key() })
		if !ok || was.Go == now.Go {
			continue
		}
		// Another Go type may be the same one with another name, unless both were there.
		before, known := eventOf(c.was, func(e Event) bool { return e.Go == now.Go && e.Name != now.Name })
		_, still := eventOf(c.now, func(e Event) bool { return e.Go == was.Go && e.Name != was.Name })
		if known && still {
			list = append(list, c.breach(now.Name, now.Revision, "%s is the name of %s now, which was stored as %s, and was that of %s: "+
				"older events of the one are read as the other; give each its name again", now.Name, now.Go, before.Name, was.Go))
		}
	}
	return list
}

func eventOf(f File, is func(Event) bool) (Event, bool) {
	i := slices.IndexFunc(f.Events, is)
	if i < 0 {
		return Event{}, false
	}
	return f.Events[i], true
}

func forgotten(c *comparison) (list []Breach) {
	for _, r := range c.was.Retired {
		if _, ok := c.current(r.Name, 0); !ok && !c.isRetired(r.Name) {
			list = append(list, c.breach(r.Name, 0, "the retired name %s is gone: keep //esgen:retired name=%s, so that the name is never given again", r.Name, r.Name))
		}
	}
	return list
}

func aliasRemoved(c *comparison) (list []Breach) {
	for _, e := range c.was.Events {
		for _, alias := range e.Aliases {
			now, ok := c.current(alias, e.Revision)
			kept, isKept := c.current(e.Name, e.Revision)
			_, upcast := c.upcast(Event{Name: alias, Revision: e.Revision, Family: e.Family})
			switch {
			case ok && isKept && now.Name != kept.Name:
				list = append(list, c.breach(e.Name, e.Revision, "%s is an alias of %s now, and was of %s, so that its events are read as another: "+
					"give it back", alias, now.Name, kept.Name))
			case !ok && !upcast && !c.isRetired(alias):
				instead := "add alias=" + alias
				if !isKept {
					instead = "write an //esgen:upcast for it, too, or //esgen:retired name=" + alias + " above the package clause if they are to be passed over"
				}
				list = append(list, c.breach(e.Name, e.Revision, "the alias %s of %s is gone, so that events stored under it cannot be read: %s", alias, e.Name, instead))
			}
		}
	}
	return list
}

func familyChanged(c *comparison) (list []Breach) {
	for _, f := range c.was.Families {
		i := slices.IndexFunc(c.now.Families, func(now Family) bool { return now.Name == f.Name })
		switch {
		case i < 0:
			list = append(list, Breach{
				Where: f.Name, At: c.place("", 0),
				Text: fmt.Sprintf("the family %s is gone, and its streams are named %s-…: keep //esgen:family name=%s", f.Name, f.Name, f.Name),
			})
		case c.now.Families[i].ID != f.ID:
			list = append(list, Breach{
				Where: f.Name, At: c.place("", 0),
				Text: fmt.Sprintf("the ids of family %s are %s now, were %s: streams are found by their text, which may differ", f.Name, c.now.Families[i].ID, f.ID),
			})
		case f.Text != "" && c.now.Families[i].Text != f.Text:
			list = append(list, Breach{
				Where: f.Name, At: c.place("", 0),
				Text: fmt.Sprintf("the text of %s, of which the ids of family %s are, is %s now, was %s: streams are found by it, and may not be any more", f.ID, f.Name, c.now.Families[i].Text, f.Text),
			})
		}
	}
	for _, e := range c.was.Events {
		now, ok := c.current(e.Name, e.Revision)
		if ok && !slices.ContainsFunc(c.now.Events, func(other Event) bool { return other.Name == now.Name && other.Family == e.Family }) {
			list = append(list, c.breach(now.Name, now.Revision, "%s is of family %s now, and is stored in streams of %s, where nobody reads it: let it be of both", now.Name, now.Family, e.Family))
		}
	}
	return list
}

// formatsRemoved: what the formats are is known at run time only.
func formatsRemoved(c *comparison) []Breach {
	if c.was.Serializers == "" || c.now.Serializers != "" || len(c.now.Events) == 0 {
		return nil
	}
	return []Breach{{Where: c.was.Package, At: c.place("", 0), Text: fmt.Sprintf(
		"the formats of %s are gone, and events stored in one that is not built in cannot be read: keep //esgen:package serializers=%s",
		c.was.Serializers, c.was.Serializers)}}
}

// stale: the file is to hold what is stored now, so that the next change is held
// against it.
func stale(c *comparison) (list []Breach) {
	if !c.written {
		return nil
	}
	merged := Merge(c.was, c.now)
	if reflect.DeepEqual(plain(merged), plain(c.was)) {
		return nil
	}
	for _, e := range c.now.Events {
		i := slices.IndexFunc(c.was.Events, func(was Event) bool { return was.key() == e.key() && was.Family == e.Family })
		if i < 0 || !reflect.DeepEqual(plainEvent(c.was.Events[i]), plainEvent(e)) {
			list = append(list, c.breach(e.Name, e.Revision, "%s is not as the lock has it: run esgen check -update and commit %s", e.Name, Name))
		}
	}
	if len(list) == 0 {
		list = append(list, Breach{Where: c.now.Package, At: c.place("", 0), Text: "the lock is not current: run esgen check -update and commit " + Name})
	}
	return list
}

// upcastShape holds the parameter of an upcaster against the revision that it reads.
func upcastShape(c *comparison) (list []Breach) {
	said := make(map[[2]string]bool)
	for _, was := range c.was.Events {
		u, ok := c.upcast(was)
		if _, read := eventOf(c.now, func(e Event) bool { return e.key() == was.key() }); !ok || read {
			continue
		}
		only := &comparison{was: c.was, now: c.now, inside: make(map[string][]Breach)}
		walk := &fieldWalk{comparison: only, event: was, at: u.at, seen: make(map[[2]string]bool)}
		for _, f := range u.from {
			if old, ok := named(was.Fields, f.Name); ok {
				walk.field(f.Name, old, f)
				walk.swapped(f.Name, was.Fields, u.from, old, f)
				continue
			}
			at := f.at
			if at.File == "" {
				at = u.at
			}
			list = append(list, Breach{
				Where: was.key() + "/" + f.Name, At: at,
				Text: fmt.Sprintf("the upcaster reads %q, which revision %d of %s does not have", f.Name, was.Revision, was.Name),
			})
		}
		// An upcaster may leave out what it does not need.
		for _, rule := range []string{
			"KIND_CHANGED", "KIND_NARROWED", "CUSTOM_CHANGED", "QUOTED_CHANGED", "MEMBER_REMOVED", "VALUE_MOVED",
			"FIELD_ADDED", "FIELD_REQUIRED", fieldRenamed, fieldCase,
		} {
			for _, b := range only.inside[rule] {
				for _, other := range []string{", or " + instead, ", else " + instead} {
					b.Text = strings.TrimSuffix(b.Text, other) // this is one
				}
				b.Text = "in the upcaster: " + b.Text
				list = append(list, b)
			}
		}
	}
	// A revision of several families may be read by one upcaster.
	return slices.DeleteFunc(list, func(b Breach) bool {
		was := said[[2]string{b.Where, b.Text}]
		said[[2]string{b.Where, b.Text}] = true
		return was
	})
}

// inFields gives what compareFields has found under a rule.
func inFields(rule string) func(*comparison) []Breach {
	return func(c *comparison) []Breach { return c.inside[rule] }
}

// equalFold: encoding/json finds a field by a name that differs in case.
func equalFold(a, b string) bool { return strings.EqualFold(a, b) }
