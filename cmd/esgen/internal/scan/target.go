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
	families    []*family
	serializers *argument
	msgpack     *argument
	drift       bool
	states      []marked
	marks       []marked
	upcasts     []*upcast
	gone        []marked
	unions      []*union
	members     []*member

	from   *imports
	pkg    *types.Package
	errors []types.Error
	shapes *shaper
}

// marked is a type with a directive, or a name that is retired.
type marked struct {
	directive
	name     string
	revision int
	aliases  []argument
	retired  bool
	families []*family
}

// needsTypes reports whether there is anything to generate for.
func (t *target) needsTypes() bool { return !t.broken && len(t.marks) > 0 }

// interpret sorts the directives by what they say. Families come first, for the
// others name them.
func (t *target) interpret(list []directive) {
	t.findFamilies(list)
	for _, d := range list {
		switch d.name {
		case onPackage:
			t.markPackage(d)
		case onEvent:
			if t.forType(d) {
				t.markEvent(d)
			}
		case onRetired:
			if d.at.pkg {
				t.markGone(d)
			} else if t.forType(d) {
				t.markEvent(d)
			}
		case onState:
			if t.forType(d) {
				t.markState(d)
			}
		case onUpcast:
			t.markUpcast(d)
		case onUnion:
			if t.forType(d) {
				t.markUnion(d)
			}
		case onMember:
			if t.forType(d) {
				t.markMember(d)
			}
		}
	}
	if len(t.marks) == 0 {
		const missing = "without an event: mark a struct type with //esgen:event name=…"
		for _, d := range list {
			if d.name != onEvent && len(t.list) == 0 {
				t.addf(d.pos, "//esgen:%s %s", d.name, missing)
			}
		}
		return
	}
	t.checkNames()
	t.checkInhabited()
}

// markPackage takes what is said about the whole package.
func (t *target) markPackage(d directive) {
	if !t.forPackage(d) {
		return
	}
	if a, ok := d.args["drift"]; ok {
		if t.drift = a.value == "test"; !t.drift {
			t.addf(a.pos, "drift=%s: write drift=test, which asks for a test that fails when the generated file is not current", a.value)
		}
	}
	t.once(d, "serializers", &t.serializers)
	t.once(d, "msgpack", &t.msgpack)
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

// forPackage reports whether a directive stands where the package is spoken of.
func (t *target) forPackage(d directive) bool {
	if !d.at.pkg {
		t.addf(d.pos, "//esgen:%s is about the package, and stands on %s: put it above the package clause "+
			"or between empty lines", d.name, d.at.words)
	}
	return d.at.pkg
}

// forType reports whether a directive stands on a type declaration.
func (t *target) forType(d directive) bool {
	if d.at.spec != nil {
		return true
	}
	what := "a struct type"
	switch d.name {
	case onState, onMember:
		what = "a type"
	case onUnion:
		what = "an interface"
	}
	instead := ""
	if d.name == onRetired {
		instead = ", or between empty lines if no type reads the name any more"
	}
	t.addf(d.pos, "//esgen:%s stands on %s: put it directly above the declaration of %s, without an empty line%s",
		d.name, d.at.words, what, instead)
	return false
}

// resolve type-checks the package and builds its model. Problems are added to
// the target's list, and the model is then not to be used.
func (t *target) resolve(from *imports) *templates.Package {
	t.from = from
	t.pkg = check(t.fset, t.name, t.files, from, &t.errors)
	t.errors = append(t.errors, from.errors...)

	model := templates.Package{Name: t.name}
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
	for _, f := range t.families {
		f.model = templates.Family{Name: f.name, Prefix: f.prefix, ID: t.id(f), At: t.place(f.pos)}
		t.checkFamilyName(f)
	}
	model.Unions = t.resolveUnions()
	sources := map[string]bool{}
	for _, m := range t.marks {
		if e, ok := t.event(m); ok {
			for _, f := range m.families {
				f.model.Events = append(f.model.Events, e)
				if e.Retired {
					f.model.Retired = append(f.model.Retired, retiredOf(t, m, e.GoName))
				}
			}
			sources[base(t.at(m.pos).Filename)] = true
		}
	}
	for _, m := range t.gone {
		for _, f := range m.families {
			f.model.Retired = append(f.model.Retired, retiredOf(t, m, ""))
		}
		sources[base(t.at(m.pos).Filename)] = true
	}
	t.resolveUpcasts()
	for _, u := range t.upcasts {
		sources[base(t.at(u.pos).Filename)] = true
	}
	for i := range t.states {
		t.resolveState(&t.states[i])
	}
	model.Sources = slices.Sorted(maps.Keys(sources))
	model.Taken = t.pkg.Scope().Names()
	for _, f := range t.families {
		model.Families = append(model.Families, f.model)
	}
	model.Stored = t.mirrors(&model)
	model.DriftTest = t.drift
	if len(t.list) == 0 { // what is refused may have no end
		model.Nested = t.nested()
	}
	t.clashes(model)
	t.gather()
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
