package scan

import (
	"go/types"
	"slices"
	"strings"

	"github.com/esgen/esgen/templates"
)

// shape describes the fields of an event so that the generated file can repeat
// them.
func (w *walker) shape(s *types.Struct) ([]templates.Field, bool) {
	var list []templates.Field
	all := true
	for i := range s.NumFields() {
		f := s.Field(i)
		if f.Pkg() == w.pkg {
			w.field = f.Pos()
		}
		if w.refused(f.Name()) {
			all = false
			continue
		}
		if !f.Exported() && f.Pkg() != w.pkg {
			w.refusef(f.Name(), "is an unexported field of package %s, which this package cannot repeat: "+
				"declare the struct here", f.Pkg().Name())
			all = false
			continue
		}
		t, reason := w.write(f.Type())
		if reason != "" {
			w.refusef(f.Name(), "%s", reason)
			all = false
			continue
		}
		list = append(list, templates.Field{Name: f.Name(), Embedded: f.Embedded(), Type: t, Tag: s.Tag(i)})
	}
	return list, all
}

// refused reports whether a problem with a field of the event is known, so that
// another one about the same cause would be too much.
func (w *walker) refused(name string) bool {
	at := w.at(w.field)
	return slices.ContainsFunc(w.list, func(p Problem) bool {
		rest, ok := strings.CutPrefix(p.Message, "field "+name)
		return ok && p.Position == at && (rest[0] == ' ' || rest[0] == '.' || rest[0] == '[')
	})
}

// write describes a type as the generated file writes it, or says why it cannot.
// An alias keeps its name: what it stands for may be out of reach.
func (t *target) write(from types.Type) (templates.Type, string) {
	switch u := from.(type) {
	case *types.Alias:
		if u.TypeArgs().Len() == 0 && (u.Obj().Exported() || u.Obj().Pkg() == t.pkg || u.Obj().Pkg() == nil) {
			return t.nameOf(u.Obj()), ""
		}
		return t.write(u.Rhs())
	case *types.Basic:
		if u.Kind() == types.UnsafePointer {
			return templates.Type{Path: unsafePath, Package: unsafePath, Name: "Pointer"}, ""
		}
		return templates.Type{Name: u.Name()}, ""
	case *types.Named:
		if pkg := u.Obj().Pkg(); pkg != nil && pkg != t.pkg && !u.Obj().Exported() {
			return templates.Type{}, "has type " + t.short(u) + ", which its package does not export: declare one here"
		}
		result := t.nameOf(u.Obj())
		for arg := range u.TypeArgs().Types() {
			written, reason := t.write(arg)
			if reason != "" {
				return result, reason
			}
			result.Args = append(result.Args, written)
		}
		return result, ""
	case *types.Pointer:
		return t.writeElem(templates.Pointer, u.Elem())
	case *types.Slice:
		return t.writeElem(templates.Slice, u.Elem())
	case *types.Array:
		result, reason := t.writeElem(templates.Array, u.Elem())
		result.Len = u.Len()
		return result, reason
	case *types.Map:
		result, reason := t.writeElem(templates.Map, u.Elem())
		if reason != "" {
			return result, reason
		}
		key, reason := t.write(u.Key())
		result.Key = &key
		return result, reason
	case *types.Struct:
		result := templates.Type{Kind: templates.Struct}
		for i := range u.NumFields() {
			f := u.Field(i)
			inner, reason := t.write(f.Type())
			if reason != "" {
				return result, reason
			}
			result.Fields = append(result.Fields,
				templates.Field{Name: f.Name(), Embedded: f.Embedded(), Type: inner, Tag: u.Tag(i)})
		}
		return result, ""
	}
	return templates.Type{}, "has type " + t.short(from) + ", which the generated file cannot repeat: give the type a name"
}

func (t *target) writeElem(kind templates.Kind, elem types.Type) (templates.Type, string) {
	inner, reason := t.write(elem)
	return templates.Type{Kind: kind, Elem: &inner}, reason
}

// nameOf describes a declared type.
func (t *target) nameOf(object *types.TypeName) templates.Type {
	pkg := object.Pkg()
	if pkg == nil || pkg == t.pkg {
		return templates.Type{Name: object.Name()}
	}
	return templates.Type{Path: pkg.Path(), Package: pkg.Name(), Name: object.Name()}
}

// short writes a type as the package's source would.
func (t *target) short(typ types.Type) string {
	return types.TypeString(typ, func(p *types.Package) string {
		if p == t.pkg {
			return ""
		}
		return p.Name()
	})
}

// kindOf says in words what a type is.
func kindOf(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if strings.HasPrefix(u.Name(), "int") || strings.HasPrefix(u.Name(), "invalid") {
			return "an " + u.Name()
		}
		return "a " + u.Name()
	case *types.Struct:
		return "a struct"
	case *types.Interface:
		return "an interface"
	case *types.Pointer:
		return "a pointer"
	case *types.Slice:
		return "a slice"
	case *types.Array:
		return "an array"
	case *types.Map:
		return "a map"
	case *types.Signature:
		return "a func"
	case *types.Chan:
		return "a channel"
	}
	return strings.ToLower(t.String())
}
