package templates

import (
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"
)

// unpack declares the function that reads a struct.
func (c *codecs) unpack(f function) jen.Code {
	return jen.Func().Id("unpack"+f.name).
		Params(jen.Id("r").Op("*").Qual(wirePath, "Reader"), jen.Id(parameter(f)).Op("*").Add(f.shape.Go.code())).
		Block(c.readObject(f.shape, "v", 0))
}

// readObject reads the properties in any order and skips others.
func (c *codecs) readObject(s *Shape, at string, depth int) jen.Code {
	fields := numbered("fields", depth)
	var cases []jen.Code
	for _, p := range s.Properties {
		cases = append(cases, jen.Case(jen.Lit(p.Name)).Block(c.read(p.Shape, "&"+place(at, p), depth)...))
	}
	block := []jen.Code{jen.Id("r").Dot("Key").Call(), jen.Id("r").Dot("Skip").Call()}
	if len(cases) > 0 {
		cases = append(cases, jen.Default().Block(jen.Id("r").Dot("Skip").Call()))
		block = []jen.Code{jen.Switch(jen.String().Call(jen.Id("r").Dot("Key").Call())).Block(cases...)}
	}
	return jen.For(jen.Id(fields).Op(":=").Id("r").Dot("Map").Call(), jen.Id("r").Dot("More").Call(jen.Op("&").Id(fields)), jen.Empty()).Block(block...)
}

// behind is what a pointer expression points to.
func behind(ref string) string {
	if at, ok := strings.CutPrefix(ref, "&"); ok {
		return at
	}
	return "*" + ref
}

// read reads into what the pointer expression ref points to.
func (c *codecs) read(s *Shape, ref string, depth int) []jen.Code {
	one := func(code jen.Code) []jen.Code { return []jen.Code{code} }
	into := func(function string) []jen.Code {
		return one(jen.Qual(wirePath, function).Call(jen.Id("r"), raw(ref)))
	}
	n := numbered("n", depth)
	elements := func(function string, block ...jen.Code) []jen.Code {
		return one(jen.For(
			jen.Id(n).Op(":=").Qual(wirePath, function).Call(jen.Id("r"), raw(ref)),
			jen.Id("r").Dot("More").Call(jen.Op("&").Id(n)), jen.Empty()).Block(block...))
	}
	if !c.writable(s) {
		return one(jen.Qual(SerializerPath, "ReadMsgpack").Call(jen.Id("r"), raw(ref)))
	}
	switch s.Kind {
	case BoolShape:
		return into("ReadBool")
	case StringShape:
		return into("ReadString")
	case IntShape, DurationShape:
		return into("ReadInt")
	case UintShape:
		return into("ReadUint")
	case FloatShape:
		return into("ReadFloat" + strconv.Itoa(s.Bits))
	case BytesShape:
		return into("ReadBytes")
	case TimeShape:
		return one(jen.Id("r").Dot("ReadTime").Call(raw(ref)))
	case UUIDShape:
		return one(jen.Id("r").Dot("ReadFixed").Call(raw(operand(behind(ref)) + "[:]")))
	case ArrayShape:
		if s.Len >= 0 {
			return one(jen.Id("r").Dot("ReadFixed").Call(raw(operand(behind(ref)) + "[:]")))
		}
		e := numbered("e", depth)
		block := append([]jen.Code{jen.Id(e).Op(":=").Qual(wirePath, "Add").Call(raw(ref))}, c.read(s.Elem, e, depth+1)...)
		return elements("ReadSlice", block...)
	case MapShape:
		if s.Elem.Kind == StringShape {
			return into("ReadTextMap")
		}
		key, value := numbered("key", depth), numbered("value", depth)
		block := []jen.Code{
			jen.Var().Id(key).Add(s.Key.Go.code()),
			jen.Var().Id(value).Add(s.Elem.Go.code()),
			jen.Qual(wirePath, "ReadString").Call(jen.Id("r"), jen.Op("&").Id(key)),
		}
		block = append(block, c.read(s.Elem, "&"+value, depth+1)...)
		block = append(block, raw(operand(behind(ref))).Index(jen.Id(key)).Op("=").Id(value))
		return elements("ReadMap", block...)
	case OptionalShape:
		at := behind(ref)
		block := append([]jen.Code{raw(at).Op("=").New(s.Elem.Go.code())}, c.read(s.Elem, at, depth)...)
		return one(jen.If(raw(at).Op("=").Nil(), jen.Op("!").Id("r").Dot("Nil").Call()).Block(block...))
	case ObjectShape:
		if s.Go.Kind == Named {
			return one(jen.Id("unpack"+c.function(s)).Call(jen.Id("r"), raw(ref)))
		}
		return one(c.readObject(s, behind(ref), depth+1))
	default:
		panic("unreachable: writable is false of other kinds")
	}
}
