package templates

import (
	"strconv"

	"github.com/dave/jennifer/jen"
)

// Type is a Go type as the generated file writes it.
type Type struct {
	// Kind says which of the other fields are set.
	Kind Kind

	// Path and Package are the import path and the name of the package that
	// declares a Named type; empty for a type of the generated file's own
	// package and for predeclared ones.
	Path, Package string

	// Name is the name of a Named type, Args what it is instantiated with.
	Name string
	Args []Type

	// Key is the key of a Map.
	Key *Type

	// Elem is the element of a Pointer, Slice, Array or Map.
	Elem *Type

	// Len is the length of an Array.
	Len int64

	// Fields are the fields of a Struct without a name.
	Fields []Field
}

// Kind is a form of type.
type Kind int

// The forms of types that events are made of.
const (
	// Named is a declared or predeclared type.
	Named Kind = iota
	// Pointer is *Elem.
	Pointer
	// Slice is []Elem.
	Slice
	// Array is [Len]Elem.
	Array
	// Map is map[Key]Elem.
	Map
	// Struct is struct{ Fields }.
	Struct
)

// code writes the type.
func (t Type) code() *jen.Statement {
	switch t.Kind {
	case Pointer:
		return jen.Op("*").Add(t.Elem.code())
	case Slice:
		return jen.Index().Add(t.Elem.code())
	case Array:
		return jen.Index(jen.Lit(int(t.Len))).Add(t.Elem.code())
	case Map:
		return jen.Map(t.Key.code()).Add(t.Elem.code())
	case Struct:
		return structOf(t.Fields)
	default:
		code := jen.Id(t.Name)
		if t.Path != "" {
			code = jen.Qual(t.Path, t.Name)
		}
		if len(t.Args) > 0 {
			args := make([]jen.Code, len(t.Args))
			for i, arg := range t.Args {
				args[i] = arg.code()
			}
			code = code.Types(args...)
		}
		return code
	}
}

// structOf writes a struct without its tags: conversions ignore them.
func structOf(fields []Field) *jen.Statement {
	if len(fields) == 0 {
		return oneLine("struct{", "}")
	}
	lines := make([]jen.Code, len(fields))
	for i, f := range fields {
		field := f.Type.code()
		if !f.Embedded {
			field = jen.Id(f.Name).Add(field)
		}
		if f.Tag != "" {
			field = jen.Add(field).Op(tagLiteral(f.Tag))
		}
		lines[i] = field
	}
	return jen.Struct(lines...)
}

// tagLiteral writes a tag as people do.
func tagLiteral(tag string) string {
	if strconv.CanBackquote(tag) {
		return "`" + tag + "`"
	}
	return strconv.Quote(tag)
}

// walk calls visit for t and every type in it.
func (t Type) walk(visit func(Type)) {
	visit(t)
	for _, arg := range t.Args {
		arg.walk(visit)
	}
	if t.Key != nil {
		t.Key.walk(visit)
	}
	if t.Elem != nil {
		t.Elem.walk(visit)
	}
	for _, f := range t.Fields {
		f.Type.walk(visit)
	}
}
