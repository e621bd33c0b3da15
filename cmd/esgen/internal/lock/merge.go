package lock

import (
	"slices"
	"strings"
)

// Merge returns was with what is stored now in it: current revisions are as they are
// now, older ones stay as they were locked, and so do retired names and what was
// accepted.
func Merge(was, now File) File {
	merged := now
	merged.Events, merged.Retired = slices.Clone(now.Events), slices.Clone(now.Retired)
	merged.Accepted = nil
	for _, a := range slices.Concat(was.Accepted, now.Accepted) {
		if !slices.Contains(merged.Accepted, a) {
			merged.Accepted = append(merged.Accepted, a)
		}
	}
	for _, e := range was.Events {
		if !slices.ContainsFunc(now.Events, func(n Event) bool { return n.key() == e.key() && n.Family == e.Family }) {
			// One that is read as a current revision, by an alias or in another family, is as
			// that is now: what was accepted of it is used up.
			if i := slices.IndexFunc(now.Events, func(n Event) bool {
				return n.Revision == e.Revision && (n.Name == e.Name || slices.Contains(n.Aliases, e.Name))
			}); i >= 0 {
				e.Fields = now.Events[i].Fields
			}
			merged.Events = append(merged.Events, e)
		}
	}
	// What was stored before there was a lock is known from its upcaster.
	for _, u := range now.Upcasts {
		if !slices.ContainsFunc(merged.Events, func(e Event) bool { return e.Name == u.Name && e.Revision == u.Revision }) {
			merged.Events = append(merged.Events, Event{Name: u.Name, Revision: u.Revision, Family: u.family, Go: u.goName, Fields: u.from})
		}
	}
	for _, r := range was.Retired {
		back := r.Go != "" && slices.ContainsFunc(now.Events, func(e Event) bool { return e.Name == r.Name && e.Go == r.Go })
		if !back && !slices.ContainsFunc(now.Retired, func(n Retired) bool { return n.Name == r.Name }) {
			merged.Retired = append(merged.Retired, r)
		}
	}
	merged.Definitions = used(merged.Events, slices.Concat(now.Definitions, was.Definitions))
	merged.sort()
	return merged
}

// used are the definitions that events refer to, each once.
func used(events []Event, all []Definition) []Definition {
	var list []Definition
	taken := make(map[string]bool)
	var take func(fields []Field)
	take = func(fields []Field) {
		for _, f := range fields {
			for _, d := range all {
				if !taken[d.Name] && strings.Contains(f.Type, d.Name) {
					taken[d.Name] = true
					list = append(list, d)
					take(d.Fields)
					take(d.Members)
				}
			}
		}
	}
	for _, e := range events {
		take(e.Fields)
	}
	return list
}

// plain is the file without what is not written to it, for comparison.
func plain(f File) File {
	f.Events = slices.Clone(f.Events)
	for i, e := range f.Events {
		f.Events[i] = plainEvent(e)
	}
	f.Definitions = slices.Clone(f.Definitions)
	for i, d := range f.Definitions {
		d.Fields, d.Members = plainFields(d.Fields), plainFields(d.Members)
		f.Definitions[i] = d
	}
	f.Upcasts = slices.Clone(f.Upcasts)
	for i, u := range f.Upcasts {
		f.Upcasts[i] = Upcast{Name: u.Name, Revision: u.Revision, To: u.To}
	}
	f.Accepted = slices.Clone(f.Accepted)
	if len(f.Accepted) == 0 {
		f.Accepted = nil
	}
	return f
}

func plainEvent(e Event) Event {
	e.Fields = plainFields(e.Fields)
	if len(e.Aliases) == 0 {
		e.Aliases = nil
	}
	return e
}

func plainFields(fields []Field) []Field {
	if len(fields) == 0 {
		return nil
	}
	list := make([]Field, 0, len(fields))
	for _, f := range fields {
		list = append(list, Field{Name: f.Name, Msgpack: f.Msgpack, Type: f.Type, Omit: f.Omit, Quoted: f.Quoted, Go: f.Go})
	}
	return list
}
