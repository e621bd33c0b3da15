package scan

import "github.com/esgen/esgen/templates"

// markGone takes a name whose events are passed over.
func (t *target) markGone(d directive) {
	for _, key := range []string{"alias", "revision"} {
		if a, ok := d.args[key]; ok {
			t.addf(a.pos, "//esgen:retired of a name that no type reads has no %s=: all that is stored under the name is "+
				"passed over; leave it out, or put the directive above the type that reads it", key)
		}
	}
	if _, ok := d.args["name"]; !ok {
		t.addf(d.pos, "//esgen:retired without name=: write the name whose events are passed over, "+
			"or put it above the type that still reads them")
		return
	}
	if name := t.storedName(d); name != "" {
		t.gone = append(t.gone, marked{directive: d, name: name, families: t.familiesOf(d)})
	}
}

// retiredOf describes a name that is not appended any more.
func retiredOf(t *target, m marked, event string) templates.Retired {
	return templates.Retired{Name: m.name, Event: event, Reason: m.args["reason"].value, At: t.place(m.pos)}
}
