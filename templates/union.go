package templates

import (
	"strings"

	"github.com/dave/jennifer/jen"
)

// Union is an interface with a declared set of implementations. It is stored as an
// object with one property, which has the name of what it holds.
type Union struct {
	// GoName is the name of the interface.
	GoName string

	// Stored is the name of the struct that is encoded in its place.
	Stored string

	// Members are the implementations, in the order of the source.
	Members []UnionMember

	// Read reports whether anything holds it, and Written whether anything that is
	// appended does.
	Read, Written bool

	// Doc is the interface's comment without directives, or empty.
	Doc string

	// At is the interface's name in the source.
	At Position
}

// UnionMember is one implementation of a union.
type UnionMember struct {
	// Name is what it is stored under.
	Name string

	// GoName is the name of the type, and Pointer reports whether only pointers to
	// it implement the interface.
	GoName  string
	Pointer bool

	// Field is the name of its field in the struct that is encoded. It is exported
	// also if the type is not.
	Field string

	// Stored is the name of the struct that is encoded, if it holds unions itself.
	Stored string
}

// Stored is a struct that is encoded in place of one that holds unions: unions are
// structs there, which every serializer can read.
type Stored struct {
	// Name is its name, and GoName that of the struct it stands for.
	Name, GoName string

	// Whole are all fields of that struct.
	Whole []Field

	// Written is false if it is only read, for an upcaster.
	Written bool

	// Fields are the fields that are stored.
	Fields []StoredField
}

// StoredField is a field of a Stored struct.
type StoredField struct {
	Field
	// Through says how the value is converted, or is nil if it stays.
	Through *Conversion
	// Of is the name of the field in the struct that it stands for.
	Of string
}

// Conversion leads from a value that holds unions to what is stored for it.
type Conversion struct {
	// Kind is Named for a struct or union, otherwise Pointer, Slice or Map.
	Kind Kind
	// Stored is the struct that a Named value becomes.
	Stored string
	// From and To are the Go types on both sides.
	From, To Type
	// Elem is how the elements are converted.
	Elem *Conversion
}

// storeOf and loadOf are the functions that lead to a stored struct and back:
// storedMethod is made by storeMethod and read by loadMethod.
func storeOf(stored string) string { return "store" + strings.TrimPrefix(stored, "stored") }

func loadOf(stored string) string { return "load" + strings.TrimPrefix(stored, "stored") }

// unions declares the structs that are stored in place of unions, and of what holds
// them.
func unions(p Package) []jen.Code {
	var list []jen.Code
	for _, u := range p.Unions {
		if !u.Read {
			continue
		}
		list = append(list, unionStruct(u))
		if u.Written {
			list = append(list, unionStore(u))
		}
		list = append(list, unionLoad(u))
	}
	for _, s := range p.Stored {
		list = append(list, storedStruct(s))
		if s.Written {
			list = append(list, storedStore(s))
		}
		list = append(list, storedLoad(s))
	}
	return list
}

func unionStruct(u Union) jen.Code {
	names := make([]string, len(u.Members))
	fields := make([]jen.Code, len(u.Members))
	for i, m := range u.Members {
		names[i] = m.Name
		typ := m.GoName
		if m.Stored != "" {
			typ = m.Stored
		}
		fields[i] = jen.Id(m.Field).Op("*").Id(typ).Op(tagLiteral(`json:"` + m.Name + `,omitempty"`))
	}
	return comment(u.Stored+" is how "+article(u.GoName)+" "+u.GoName+" is stored: as an object with one property, "+
		enumerateOr(names)+".", 0).
		Type().Id(u.Stored).Struct(fields...)
}

// enumerateOr joins words as a sentence does: "a", "a or b", "a, b or c".
func enumerateOr(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// noMember writes the error of a value that is no member of u.
func noMember(u Union, value jen.Code) jen.Code {
	arguments := make([]jen.Code, 0, 2+len(u.Members))
	arguments = append(arguments, jen.Lit(u.GoName), value)
	for _, m := range u.Members {
		arguments = append(arguments, jen.Lit(m.Name))
	}
	return jen.Qual(runtimePath, "NoMember").Call(arguments...)
}

func unionStore(u Union) jen.Code {
	cases := make([]jen.Code, 0, len(u.Members)+2)
	cases = append(cases, jen.Case(jen.Nil()).Block(jen.Return(jen.Nil(), jen.Nil())))
	for _, m := range u.Members {
		typ, plain, address := jen.Id(m.GoName), jen.Id("v"), jen.Op("&").Id("v")
		if m.Pointer {
			typ, plain, address = jen.Op("*").Id(m.GoName), jen.Op("*").Id("v"), jen.Id("v")
		}
		var body []jen.Code
		if m.Pointer {
			body = append(body, jen.If(jen.Id("v").Op("==").Nil()).Block(jen.Return(jen.Nil(), noMember(u, jen.Id("v")))))
		}
		if m.Stored == "" {
			body = append(body, jen.Return(jen.Op("&").Id(u.Stored).Values(jen.Id(m.Field).Op(":").Add(address)), jen.Nil()))
		} else {
			body = append(body,
				jen.List(jen.Id("s"), jen.Err()).Op(":=").Id(storeOf(m.Stored)).Call(plain),
				jen.Return(jen.Op("&").Id(u.Stored).Values(jen.Id(m.Field).Op(":").Op("&").Id("s")), jen.Err()))
		}
		cases = append(cases, jen.Case(typ).Block(body...))
	}
	cases = append(cases, jen.Default().Block(jen.Return(jen.Nil(), noMember(u, jen.Id("v")))))
	return jen.Func().Id(storeOf(u.Stored)).Params(jen.Id("v").Id(u.GoName)).Params(jen.Op("*").Id(u.Stored), jen.Error()).
		Block(jen.Switch(jen.Id("v").Op(":=").Id("v").Assert(jen.Type())).Block(cases...))
}

func unionLoad(u Union) jen.Code {
	set := make([]jen.Code, len(u.Members))
	for i, m := range u.Members {
		set[i] = jen.Id("s").Dot(m.Field).Op("!=").Nil()
	}
	cases := []jen.Code{
		jen.Case(jen.Id("s").Op("==").Nil()).Block(jen.Return(jen.Nil(), jen.Nil())),
	}
	if len(u.Members) > 1 {
		cases = append(cases, jen.Case(jen.Qual(runtimePath, "Several").Call(set...)).Block(
			jen.Return(jen.Nil(), noMember(u, jen.Nil()))))
	}
	for i, m := range u.Members {
		value := jen.Op("*").Id("s").Dot(m.Field)
		if m.Pointer {
			value = jen.Id("s").Dot(m.Field)
		}
		body := []jen.Code{jen.Return(value, jen.Nil())}
		if m.Stored != "" {
			result := jen.Id("v")
			if m.Pointer {
				result = jen.Op("&").Id("v")
			}
			body = []jen.Code{
				jen.List(jen.Id("v"), jen.Err()).Op(":=").Id(loadOf(m.Stored)).Call(jen.Op("*").Id("s").Dot(m.Field)),
				jen.Return(result, jen.Err()),
			}
		}
		cases = append(cases, jen.Case(set[i]).Block(body...))
	}
	cases = append(cases, jen.Default().Block(jen.Return(jen.Nil(), noMember(u, jen.Nil()))))
	return jen.Func().Id(loadOf(u.Stored)).Params(jen.Id("s").Op("*").Id(u.Stored)).Params(jen.Id(u.GoName), jen.Error()).
		Block(jen.Switch().Block(cases...))
}

func storedStruct(s Stored) jen.Code {
	fields := make([]Field, len(s.Fields))
	for i, f := range s.Fields {
		fields[i] = f.Field
	}
	return comment(s.Name+" is what is stored for "+article(s.GoName)+" "+s.GoName+".", 0).
		Type().Id(s.Name).Add(structOf(fields))
}

func storedStore(s Stored) jen.Code {
	return jen.Func().Id(storeOf(s.Name)).Params(jen.Id("v").Id(s.GoName)).
		Params(jen.Id("s").Id(s.Name), jen.Err().Error()).
		Block(s.assign("s", "v", storeOf, func(f StoredField) (to, from string) { return f.Name, f.Of })...)
}

func storedLoad(s Stored) jen.Code {
	return jen.Func().Id(loadOf(s.Name)).Params(jen.Id("s").Id(s.Name)).
		Params(jen.Id("v").Id(s.GoName), jen.Err().Error()).
		Block(s.assign("v", "s", loadOf, func(f StoredField) (to, from string) { return f.Of, f.Name })...)
}

// assign copies the fields from one struct to the other.
func (s Stored) assign(to, from string, through func(string) string, names func(StoredField) (to, from string)) []jen.Code {
	var body []jen.Code
	for _, f := range s.Fields {
		left, right := names(f)
		target, value := jen.Id(to).Dot(left), jen.Id(from).Dot(right)
		if f.Through == nil {
			body = append(body, target.Op("=").Add(value))
			continue
		}
		body = append(body, jen.If(
			jen.List(target, jen.Err()).Op("=").Add(f.Through.call(through, value)),
			jen.Err().Op("!=").Nil(),
		).Block(jen.Return(jen.Id(to), jen.Qual(runtimePath, "InField").Call(jen.Lit(f.Of), jen.Err()))))
	}
	return append(body, jen.Return(jen.Id(to), jen.Nil()))
}

// call converts a value.
func (c *Conversion) call(through func(string) string, value jen.Code) *jen.Statement {
	switch c.Kind {
	case Pointer:
		return jen.Qual(runtimePath, "ConvertPointer").Call(value, c.Elem.function(through))
	case Slice:
		return jen.Qual(runtimePath, "ConvertSlice").Call(value, c.Elem.function(through))
	case Map:
		return jen.Qual(runtimePath, "ConvertMap").Call(value, c.Elem.function(through))
	default:
		return jen.Id(through(c.Stored)).Call(value)
	}
}

// function is a conversion as a value.
func (c *Conversion) function(through func(string) string) jen.Code {
	if c.Kind == Named {
		return jen.Id(through(c.Stored))
	}
	from, to := c.From, c.To
	if through(c.Stored) == loadOf(c.Stored) {
		from, to = to, from
	}
	return jen.Func().Params(jen.Id("v").Add(from.code())).Params(to.code(), jen.Error()).
		Block(jen.Return(c.call(through, jen.Id("v"))))
}
