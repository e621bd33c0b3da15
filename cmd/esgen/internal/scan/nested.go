package scan

import (
	"go/types"
	"reflect"

	"github.com/esgen/esgen/templates"
)

// nester finds the declared types that events are made of.
type nester struct {
	*target
	seen map[types.Type]bool
	list []templates.Nested
}

// nested lists the declared types that are stored with events and for which nobody
// else speaks, each once, in the order in which the fields lead to them.
func (t *target) nested() []templates.Nested {
	n := nester{target: t, seen: map[types.Type]bool{}}
	for _, m := range t.marks {
		if object, ok := t.pkg.Scope().Lookup(m.at.spec.Name.Name).(*types.TypeName); ok {
			n.seen[object.Type()] = true
		}
	}
	for _, m := range t.marks {
		if object, ok := t.pkg.Scope().Lookup(m.at.spec.Name.Name).(*types.TypeName); ok {
			n.under(object.Type().Underlying())
		}
	}
	for _, u := range t.upcasts {
		if u.from != nil {
			n.visit(u.from)
		}
	}
	return n.list
}

func (n *nester) visit(t types.Type) {
	t = types.Unalias(t)
	named, ok := t.(*types.Named)
	if !ok {
		n.under(t)
		return
	}
	if named.Obj().Pkg() == nil || n.seen[t] {
		return
	}
	n.seen[t] = true
	if u := n.unionOf(named); u != nil {
		for _, m := range u.model.Members {
			if object, ok := n.pkg.Scope().Lookup(m.GoName).(*types.TypeName); ok {
				n.visit(object.Type())
			}
		}
		return
	}
	if n.speaksForItself(named) {
		return
	}
	typ, reason := n.write(named)
	under, why := n.write(named.Underlying())
	if reason == "" && why == "" && n.within(named.Underlying()) {
		n.list = append(n.list, templates.Nested{Type: typ, Under: under})
	}
	n.under(named.Underlying())
}

// speaksForItself reports whether what is stored does not follow from what the
// type is made of.
func (n *nester) speaksForItself(named *types.Named) bool {
	switch shape := n.shapeOf(named); shape.Kind {
	case templates.TimeShape, templates.DurationShape, templates.UUIDShape, templates.RawShape, templates.NumberShape,
		templates.TextShape, templates.CustomShape, templates.AnyShape:
		return true
	default:
		return false
	}
}

// within reports whether this package can write a struct's fields: unexported ones
// of other packages have no name here.
func (n *nester) within(under types.Type) bool {
	s, ok := under.(*types.Struct)
	if !ok {
		return true
	}
	for f := range s.Fields() {
		if !f.Exported() && f.Pkg() != n.pkg {
			return false
		}
	}
	return true
}

func (n *nester) under(t types.Type) {
	switch u := t.(type) {
	case *types.Pointer:
		n.visit(u.Elem())
	case *types.Slice:
		n.visit(u.Elem())
	case *types.Array:
		n.visit(u.Elem())
	case *types.Map:
		n.visit(u.Key())
		n.visit(u.Elem())
	case *types.Struct:
		for i := range u.NumFields() {
			if name := jsonName(u.Tag(i)); name == "-" {
				continue
			}
			n.visit(u.Field(i).Type())
		}
	}
}

// jsonName is the tag of a field that is not stored, "-", or anything else.
func jsonName(tag string) string { return reflect.StructTag(tag).Get("json") }
