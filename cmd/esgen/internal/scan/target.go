package scan

import (
	"go/types"
	"maps"
	"slices"

	"github.com/esgen/esgen/templates"
)

// target is a package under scan, from its directives to its model.
type target struct {
	*source
	family      *directive
	serializers *argument
	msgpack     *argument
	state       *marked
	marks       []marked

	from   *imports
	pkg    *types.Package
	errors []types.Error
}

// marked is a type with a directive.
type marked struct {
	directive
	name     string
	revision int
}

// needsTypes reports whether there is anything to generate for.
func (t *target) needsTypes() bool { return !t.broken && len(t.marks) > 0 }

// interpret sorts the directives by what they say.
func (t *target) interpret(list []directive) {
	for _, d := range list {
		switch d.name {
		case onFamily:
			t.forPackage(d, &t.family)
		case onPackage:
			var one *directive
			t.forPackage(d, &one)
			if one != nil {
				t.once(*one, "serializers", &t.serializers)
				t.once(*one, "msgpack", &t.msgpack)
			}
		case onEvent:
			if t.forType(d) {
				t.markEvent(d)
			}
		case onState:
			if t.forType(d) {
				t.markState(d)
			}
		}
	}
	if len(t.marks) > 0 {
		return
	}
	const missing = "without an event: mark a struct type with //esgen:event name=…"
	for _, d := range list {
		if d.name != onEvent && len(t.list) == 0 {
			t.addf(d.pos, "//esgen:%s %s", d.name, missing)
		}
	}
}

// once takes an argument that a package gives at most once.
func (t *target) once(d directive, key string, into **argument) {
	a, ok := d.args[key]
	switch {
	case !ok:
	case *into != nil:
		t.addf(a.pos, "%s= is given twice, first at %s: leave one out", key, t.where((*into).pos))
	default:
		*into = &a
	}
}

// forPackage takes a directive that is about the package.
func (t *target) forPackage(d directive, into **directive) {
	if !d.at.pkg {
		t.addf(d.pos, "//esgen:%s is about the package, and stands on %s: put it above the package clause "+
			"or between empty lines", d.name, d.at.words)
		return
	}
	if *into != nil {
		t.addf(d.pos, "second //esgen:%s, the first is at %s: a package has one", d.name, t.where((*into).pos))
		return
	}
	*into = &d
}

// forType reports whether a directive stands on a type declaration.
func (t *target) forType(d directive) bool {
	if d.at.spec != nil {
		return true
	}
	what := "a struct type"
	if d.name == onState {
		what = "a type"
	}
	t.addf(d.pos, "//esgen:%s stands on %s: put it directly above the declaration of %s, without an empty line",
		d.name, d.at.words, what)
	return false
}

// resolve type-checks the package and builds its model. Problems are added to
// the target's list, and the model is then not to be used.
func (t *target) resolve(from *imports) *templates.Package {
	t.from = from
	t.pkg = check(t.fset, t.name, t.files, from, &t.errors)
	t.errors = append(t.errors, from.errors...)

	model := templates.Package{Name: t.name}
	family := templates.Family{Name: t.familyName(), ID: t.id()}
	if t.serializers != nil {
		model.Serializers = t.serializerList()
	}
	if t.msgpack != nil {
		model.GeneratedMsgpack = true
		if t.msgpack.value != "generated" {
			t.addf(t.msgpack.pos, "msgpack=%s: write msgpack=generated, or leave it out to have msgpack written by reflection",
				t.msgpack.value)
		}
	}
	sources := map[string]bool{}
	for _, m := range t.marks {
		if e, ok := t.event(m); ok {
			family.Events = append(family.Events, e)
			sources[base(t.at(m.pos).Filename)] = true
		}
	}
	if t.state != nil {
		family.State = &templates.State{GoName: t.state.at.spec.Name.Name}
		t.checkState()
	}
	model.Sources = slices.Sorted(maps.Keys(sources))
	model.Taken = t.pkg.Scope().Names()
	model.Families = []templates.Family{family}
	t.clashes(model)
	return &model
}

// others are the type errors that are no problem of an event and not said yet.
func (t *target) others(said map[Problem]bool) []Problem {
	var list []Problem
	for _, e := range t.errors {
		p := Problem{Position: t.at(e.Pos), Message: e.Msg}
		if !said[p] {
			said[p] = true
			list = append(list, p)
		}
	}
	return list
}
