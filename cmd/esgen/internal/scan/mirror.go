package scan

import (
	"go/types"
	"reflect"
	"strings"

	"github.com/esgen/esgen/templates"
)

// mirror finds the structs that hold unions, and describes what is encoded in their
// place.
type mirror struct {
	*target
	list []templates.Stored
	// made are the structs by the names of what is encoded for them.
	made map[string]string
	// holds remembers which types hold unions.
	holds map[types.Type]bool
}

// mirrors describes all that is encoded in place of something else, and tells the
// events, upcasters, states and unions of it.
func (t *target) mirrors(model *templates.Package) []templates.Stored {
	if len(model.Unions) == 0 || len(t.list) > 0 {
		return nil
	}
	m := &mirror{target: t, made: map[string]string{}, holds: map[types.Type]bool{}}
	for i := range model.Unions {
		for j := range model.Unions[i].Members {
			member := &model.Unions[i].Members[j]
			member.Stored = m.of(member.GoName)
		}
	}
	for _, f := range t.families {
		for i := range f.model.Events {
			f.model.Events[i].Stored = m.of(f.model.Events[i].GoName)
		}
		for i := range f.model.Upcasts {
			if from := f.model.Upcasts[i].From; from.Path == "" {
				f.model.Upcasts[i].Stored = m.of(from.Name)
			}
		}
		if s := f.model.State; s != nil && s.Snapshots > 0 {
			s.Stored = m.of(s.GoName)
		}
	}
	for i, f := range t.families {
		model.Families[i] = f.model
	}
	return m.used(model)
}

// used keeps what events, upcasters and states lead to, and finds what of it is
// only read.
func (m *mirror) used(model *templates.Package) []templates.Stored {
	read, written := map[string]bool{}, map[string]bool{}
	var reach func(into map[string]bool, stored string)
	reach = func(into map[string]bool, stored string) {
		if stored == "" || into[stored] {
			return
		}
		into[stored] = true
		for _, u := range model.Unions {
			if u.Stored == stored {
				for _, member := range u.Members {
					reach(into, member.Stored)
				}
			}
		}
		for _, s := range m.list {
			if s.Name != stored {
				continue
			}
			for _, f := range s.Fields {
				for through := f.Through; through != nil; through = through.Elem {
					reach(into, through.Stored)
				}
			}
		}
	}
	for _, f := range model.Families {
		for _, e := range f.Events {
			reach(written, e.Stored)
		}
		if f.State != nil {
			reach(written, f.State.Stored)
		}
		for _, u := range f.Upcasts {
			reach(read, u.Stored)
		}
	}
	for i := range model.Unions {
		u := &model.Unions[i]
		u.Written = written[u.Stored]
		u.Read = u.Written || read[u.Stored]
	}
	var list []templates.Stored
	for _, s := range m.list {
		if s.Written = written[s.Name]; s.Written || read[s.Name] {
			list = append(list, s)
		}
	}
	return list
}

// of returns the name of the struct that is encoded in place of a type of the
// package, or nothing if that holds no union.
func (m *mirror) of(goName string) string {
	object, ok := m.pkg.Scope().Lookup(goName).(*types.TypeName)
	if !ok || !m.hold(object.Type()) {
		return ""
	}
	s, ok := object.Type().Underlying().(*types.Struct)
	if !ok {
		m.addf(object.Pos(), "%s holds a union and is %s: write a struct", goName, kindOf(object.Type()))
		return ""
	}
	name := storedName(goName)
	if first, ok := m.made[name]; ok {
		if first != goName {
			m.addf(object.Pos(), "%s and %s both hold unions, and %s would be stored for either: rename one", goName, first, name)
		}
		return name
	}
	m.made[name] = goName
	stored := templates.Stored{Name: name, GoName: goName}
	w := walker{target: m.target, what: "struct", who: goName, field: object.Pos()}
	stored.Whole, _ = w.shape(s)
	for i := range s.NumFields() {
		f := s.Field(i)
		if !f.Exported() && !f.Embedded() || f.Name() == "_" || reflect.StructTag(s.Tag(i)).Get("json") == "-" {
			continue
		}
		stored.Fields = append(stored.Fields, m.field(goName, f, s.Tag(i)))
	}
	m.list = append(m.list, stored)
	return name
}

// field describes one field of a struct that holds unions.
func (m *mirror) field(goName string, f *types.Var, tag string) templates.StoredField {
	result := templates.StoredField{
		Field: templates.Field{Name: f.Name(), Embedded: f.Embedded(), Tag: tag},
		Of:    f.Name(),
	}
	if !m.hold(f.Type()) {
		result.Type, _ = m.write(f.Type())
		return result
	}
	refuse := func(what string) templates.StoredField {
		m.addf(f.Pos(), "field %s of %s holds a union %s", f.Name(), goName, what)
		return result
	}
	if !f.Embedded() {
		through, reason := m.through(f.Type())
		if reason != "" {
			return refuse(reason)
		}
		result.Type, result.Through = through.To, through
		return result
	}
	named, ok := types.Unalias(f.Type()).(*types.Named)
	if _, isStruct := f.Type().Underlying().(*types.Struct); !ok || !isStruct || m.unionOf(f.Type()) != nil {
		return refuse("and is embedded: give the field a name")
	}
	through, reason := m.through(named)
	if reason != "" {
		return refuse(reason)
	}
	result.Type, result.Through, result.Name = through.To, through, through.To.Name
	if name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ","); name != "" {
		result.Name, result.Embedded = f.Name(), false
	}
	return result
}

// through says how values of a type that holds unions become what is stored, or why
// they cannot.
func (m *mirror) through(typ types.Type) (*templates.Conversion, string) {
	from, reason := m.write(typ)
	if reason != "" {
		return nil, reason
	}
	if u := m.unionOf(typ); u != nil {
		to := templates.Type{Kind: templates.Pointer, Elem: &templates.Type{Name: u.model.Stored}}
		return &templates.Conversion{Kind: templates.Named, Stored: u.model.Stored, From: from, To: to}, ""
	}
	wrap := func(kind templates.Kind, elem types.Type) (*templates.Conversion, string) {
		inner, reason := m.through(elem)
		if reason != "" {
			return nil, reason
		}
		to := templates.Type{Kind: kind, Elem: &inner.To}
		if of, ok := typ.Underlying().(*types.Map); ok {
			key, _ := m.write(of.Key())
			to.Key = &key
		}
		return &templates.Conversion{Kind: kind, From: from, To: to, Elem: inner}, ""
	}
	switch u := types.Unalias(typ).(type) {
	case *types.Named:
		switch under := u.Underlying().(type) {
		case *types.Slice:
			return wrap(templates.Slice, under.Elem())
		case *types.Map:
			return wrap(templates.Map, under.Elem())
		case *types.Struct:
			if u.Obj().Pkg() == m.pkg && u.TypeArgs().Len() == 0 {
				break
			}
			return nil, "in " + m.short(u) + ": declare a struct of this package, without type parameters"
		default:
			return nil, "in " + m.short(u) + ", " + kindOf(u) + " with a name: leave the name out"
		}
		name := m.of(u.Obj().Name())
		return &templates.Conversion{Kind: templates.Named, Stored: name, From: from, To: templates.Type{Name: name}}, ""
	case *types.Pointer:
		return wrap(templates.Pointer, u.Elem())
	case *types.Slice:
		return wrap(templates.Slice, u.Elem())
	case *types.Map:
		return wrap(templates.Map, u.Elem())
	case *types.Array:
		return nil, "in an array: use a slice"
	}
	return nil, "in " + kindOf(typ) + " without a name: declare the type"
}

// hold reports whether a type holds a union that is stored.
func (m *mirror) hold(typ types.Type) bool {
	var visit func(types.Type) bool
	seen := map[types.Type]bool{}
	visit = func(typ types.Type) bool {
		if m.unionOf(typ) != nil || m.holds[typ] {
			return true
		}
		if seen[typ] {
			return false
		}
		seen[typ] = true
		if opaque, _ := methodsOf(typ).opaque(true); opaque {
			return false
		}
		switch u := typ.Underlying().(type) {
		case *types.Struct:
			for i := range u.NumFields() {
				f := u.Field(i)
				if (f.Exported() || f.Embedded()) && reflect.StructTag(u.Tag(i)).Get("json") != "-" && visit(f.Type()) {
					return true
				}
			}
		case *types.Pointer:
			return visit(u.Elem())
		case *types.Slice:
			return visit(u.Elem())
		case *types.Array:
			return visit(u.Elem())
		case *types.Map:
			return visit(u.Elem())
		}
		return false
	}
	if visit(typ) {
		m.holds[typ] = true
		return true
	}
	return false
}
