package templates

// Declared lists the package-level names that the generated file of p declares.
func Declared(p Package) []string {
	var list []string
	for _, f := range p.Families {
		for _, what := range []string{
			"Types", "Event", "Meta", "Recorded", "Stream", "StreamOf", "Handler", "Ignore", "On", "OnBatch",
			"Subscribe", "SubscribeBatch", "SubscribeTx",
		} {
			list = append(list, named(f, what))
		}
		list = append(list, familyOf(f))
		if f.State != nil {
			list = append(list, named(f, "Applier"), named(f, "Fold"), applyOf(f))
		}
	}
	for _, e := range p.events() {
		list = append(list, nameOf(e))
	}
	add := func(stored string, written bool) {
		if list = append(list, stored, loadOf(stored)); written {
			list = append(list, storeOf(stored))
		}
	}
	for _, s := range p.Stored {
		add(s.Name, s.Written)
	}
	for _, u := range p.Unions {
		if u.Read {
			add(u.Stored, u.Written)
		}
	}
	return list
}

// DeclaredByCodecs lists the package-level names that the file of codecs declares.
func DeclaredByCodecs(p Package) []string {
	if !p.GeneratedMsgpack {
		return nil
	}
	list := []string{msgpackFormat}
	for _, f := range newCodecs(p).functions {
		list = append(list, "pack"+f.name, "unpack"+f.name)
	}
	return list
}

// Seal is the method that the generated file adds to every event of f.
func Seal(f Family) string { return sealOf(f) }

// events lists the events of all families, each once.
func (p Package) events() []Event {
	if len(p.Families) == 1 {
		return p.Families[0].Events
	}
	var list []Event
	seen := map[string]bool{}
	for _, f := range p.Families {
		for _, e := range f.Events {
			if !seen[e.GoName] {
				seen[e.GoName] = true
				list = append(list, e)
			}
		}
	}
	return list
}
