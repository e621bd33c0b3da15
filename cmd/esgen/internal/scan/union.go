package scan

import (
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/esgen/esgen/templates"
)

// union is an interface whose implementations are declared, under scan.
type union struct {
	directive
	object *types.TypeName
	model  templates.Union
}

// member is a type that may be one.
type member struct {
	directive
	name string
}

// markUnion takes an interface.
func (t *target) markUnion(d directive) {
	spec := d.at.spec
	if spec.TypeParams != nil {
		t.addf(spec.TypeParams.Pos(), "union %s has type parameters: declare an interface without them", spec.Name.Name)
		return
	}
	for _, other := range t.unions {
		if other.at.spec == spec {
			t.addf(d.pos, "type %s has a second //esgen:union, the first is at %s: leave one out", spec.Name.Name, t.where(other.pos))
			return
		}
	}
	t.unions = append(t.unions, &union{directive: d})
}

// markMember takes an implementation.
func (t *target) markMember(d directive) {
	spec := d.at.spec
	if _, ok := d.args[keyName]; !ok {
		t.addf(d.pos, "//esgen:member without name=: write the name under which %s is stored, such as name=%s; "+
			"it is not taken from the Go type, for renaming that must not change what is stored", spec.Name.Name, snake(spec.Name.Name))
		return
	}
	for _, other := range t.members {
		if other.at.spec == spec {
			t.addf(d.pos, "type %s has a second //esgen:member, the first is at %s: leave one out", spec.Name.Name, t.where(other.pos))
			return
		}
	}
	name := t.storedName(d)
	if strings.ContainsAny(name, "\"`,") {
		name = ""
	}
	if name != "" {
		t.members = append(t.members, &member{directive: d, name: name})
	}
}

// resolveUnions finds the members of every union.
func (t *target) resolveUnions() []templates.Union {
	var list []templates.Union
	used := map[*member]bool{}
	for _, u := range t.unions {
		spec := u.at.spec
		object, ok := t.pkg.Scope().Lookup(spec.Name.Name).(*types.TypeName)
		if !ok || !isValid(object.Type()) {
			t.addf(spec.Name.Pos(), "union %s does not resolve%s", spec.Name.Name, t.reason(spec.Pos(), spec.End()))
			continue
		}
		iface, ok := object.Type().Underlying().(*types.Interface)
		if !ok {
			t.addf(spec.Type.Pos(), "union %s is %s: a union is an interface, and what implements it has //esgen:member name=…",
				spec.Name.Name, kindOf(object.Type()))
			continue
		}
		if iface.NumMethods() == 0 {
			t.addf(spec.Type.Pos(), "union %s has no methods, so that everything implements it: give it one, such as is%s()",
				spec.Name.Name, spec.Name.Name)
			continue
		}
		u.object = object
		u.model = templates.Union{
			GoName: spec.Name.Name, Stored: storedName(spec.Name.Name),
			Doc: t.doc(spec), At: t.place(spec.Name.Pos()),
		}
		t.membersOf(u, iface, used)
		if len(u.model.Members) == 0 {
			t.addf(u.pos, "union %s has no members: mark the structs that implement it with //esgen:member name=…", spec.Name.Name)
		}
		list = append(list, u.model)
	}
	for _, m := range t.members {
		if !used[m] {
			t.addf(m.pos, "%s implements no union of this package: mark the interface with //esgen:union, or give %s its methods",
				m.at.spec.Name.Name, m.at.spec.Name.Name)
		}
	}
	return list
}

// storedName is the name of the struct that is encoded in place of a type.
func storedName(goName string) string { return "stored" + exported(goName) }

// membersOf finds what implements a union.
func (t *target) membersOf(u *union, iface *types.Interface, used map[*member]bool) {
	first := map[string]*member{}
	for _, m := range t.members {
		spec := m.at.spec
		object, ok := t.pkg.Scope().Lookup(spec.Name.Name).(*types.TypeName)
		if !ok || object.IsAlias() {
			continue
		}
		value := types.Implements(object.Type(), iface)
		if !value && !types.Implements(types.NewPointer(object.Type()), iface) {
			continue
		}
		used[m] = true
		if _, ok := object.Type().Underlying().(*types.Struct); !ok || spec.TypeParams != nil {
			t.addf(spec.Name.Pos(), "member %s of union %s is not a struct without type parameters: members are structs, so "+
				"that they can get more fields", spec.Name.Name, u.at.spec.Name.Name)
			continue
		}
		if other := first[m.name]; other != nil {
			t.addf(m.pos, "%s and %s (%s) are both stored as %s in union %s: give one another name", spec.Name.Name,
				other.at.spec.Name.Name, t.where(other.pos), m.name, u.at.spec.Name.Name)
			continue
		}
		first[m.name] = m
		u.model.Members = append(u.model.Members, templates.UnionMember{
			Name: m.name, GoName: spec.Name.Name, Pointer: !value, Field: fieldOf(u, spec.Name.Name),
		})
	}
}

// fieldOf is the name of a member's field. Two may differ in their first letter only.
func fieldOf(u *union, goName string) string {
	field := exported(goName)
	for n := 2; slices.ContainsFunc(u.model.Members, func(m templates.UnionMember) bool { return m.Field == field }); n++ {
		field = exported(goName) + strconv.Itoa(n)
	}
	return field
}

// unionOf returns the union that a type is, or nil.
func (t *target) unionOf(typ types.Type) *union {
	named, ok := types.Unalias(typ).(*types.Named)
	if !ok {
		return nil
	}
	for _, u := range t.unions {
		if u.object != nil && u.object == named.Obj() {
			return u
		}
	}
	return nil
}

// union looks at an interface that is stored at path.
func (w *walker) union(typ types.Type, iface *types.Interface, path string) {
	u := w.unionOf(typ)
	if u == nil {
		instead := "an interface does not say what to read; use a concrete type, or json.RawMessage"
		if named, ok := types.Unalias(typ).(*types.Named); ok && named.Obj().Pkg() == w.pkg && iface.NumMethods() > 0 {
			instead = "an interface does not say what to read; mark it with //esgen:union and what implements it with " +
				"//esgen:member name=…, or use a concrete type"
		}
		w.refusef(path, "has type %s, which cannot be stored: %s", w.short(typ), instead)
		return
	}
	for _, m := range u.model.Members {
		object := w.pkg.Scope().Lookup(m.GoName)
		w.whole(object.Type(), path+".("+m.GoName+")", true)
	}
}
