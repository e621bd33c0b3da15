package templates

import (
	"strconv"

	"github.com/dave/jennifer/jen"
)

// pack declares the function that writes a struct.
func (c *codecs) pack(f function) jen.Code {
	guard := c.recursive(f.shape)
	return jen.Func().Id("pack"+f.name).
		Params(jen.Id("w").Op("*").Qual(wirePath, "Writer"), jen.Id(parameter(f)).Add(f.shape.Go.code())).
		Block(c.writeObject(f.shape, "v", guard, 0)...)
}

// parameter is the name of the value, if there is anything to write of it.
func parameter(f function) string {
	if len(f.shape.Properties) == 0 {
		return "_"
	}
	return "v"
}

// raw writes an expression as it is.
func raw(expression string) *jen.Statement { return jen.Id(expression) }

// onWriter calls a method of the Writer.
func onWriter(method string, arguments ...jen.Code) *jen.Statement {
	return jen.Id("w").Dot(method).Call(arguments...)
}

// numbered names a variable of a nested block.
func numbered(name string, depth int) string {
	if depth == 0 {
		return name
	}
	return name + strconv.Itoa(depth+1)
}

// writeObject writes the properties that are not left out. If guard, it returns
// where a value holds itself.
func (c *codecs) writeObject(s *Shape, at string, guard bool, depth int) []jen.Code {
	stored := 0
	var counts []jen.Code
	n := numbered("n", depth)
	for _, p := range s.Properties {
		if condition := c.optional(p, at); condition != nil {
			counts = append(counts, jen.If(condition).Block(jen.Id(n).Op("++")))
		} else {
			stored++
		}
	}
	length := jen.Lit(stored)
	var code []jen.Code
	if len(counts) > 0 {
		code = append(append(code, jen.Id(n).Op(":=").Lit(stored)), counts...)
		length = jen.Id(n)
	}
	if guard {
		code = append(code, jen.If(jen.Op("!").Add(onWriter("Map", length))).Block(jen.Return()))
	} else {
		code = append(code, onWriter("Map", length))
	}
	for _, p := range s.Properties {
		condition := c.optional(p, at)
		shape, value := p.Shape, place(at, p)
		if condition != nil && shape.Kind == OptionalShape && c.writable(shape) { // it is not nil there
			shape, value = shape.Elem, "*"+value
		}
		one := append([]jen.Code{onWriter("Key", jen.Lit(p.Name))}, c.write(shape, value, depth)...)
		if condition != nil {
			one = []jen.Code{jen.If(condition).Block(one...)}
		}
		code = append(code, one...)
	}
	return append(code, onWriter("End"))
}

// optional is the condition of a property that may be left out, or nil.
func (c *codecs) optional(p Property, at string) jen.Code {
	if !p.OmitZero && (!p.OmitEmpty || c.neverEmpty(p.Shape)) {
		return nil
	}
	return raw(c.present(p, place(at, p)))
}

// as converts an expression to a predeclared type, if it is of another.
func (c *codecs) as(want string, s *Shape, at string) jen.Code {
	if s.Go.Kind == Named && s.Go.Path == "" && s.Go.Name == want && !c.taken[want] {
		return raw(at)
	}
	return jen.Id(want).Call(raw(at))
}

// write writes the value of an expression that can be addressed.
func (c *codecs) write(s *Shape, at string, depth int) []jen.Code {
	one := func(code jen.Code) []jen.Code { return []jen.Code{code} }
	if !c.writable(s) {
		return one(jen.Qual(SerializerPath, "WriteMsgpack").Call(jen.Id("w"), raw(at)))
	}
	switch s.Kind {
	case BoolShape:
		return one(onWriter("Bool", c.as("bool", s, at)))
	case StringShape:
		return one(onWriter("String", c.as("string", s, at)))
	case IntShape, DurationShape:
		return one(onWriter("Int", c.as("int64", s, at)))
	case UintShape:
		return one(onWriter("Uint", c.as("uint64", s, at)))
	case FloatShape:
		size := strconv.Itoa(s.Bits)
		return one(onWriter("Float"+size, c.as("float"+size, s, at)))
	case BytesShape:
		return one(onWriter("BytesOrNil", raw(at)))
	case TimeShape:
		return one(onWriter("Time", raw(at)))
	case UUIDShape:
		return one(onWriter("Bytes", raw(operand(at)+"[:]")))
	case ArrayShape:
		if s.Len >= 0 {
			return one(onWriter("Bytes", raw(operand(at)+"[:]")))
		}
		i := numbered("i", depth)
		return []jen.Code{
			jen.Qual(wirePath, "WriteSlice").Call(jen.Id("w"), raw(at)),
			jen.For(jen.Id(i).Op(":=").Range().Add(raw(at))).Block(c.write(s.Elem, operand(at)+"["+i+"]", depth+1)...),
			onWriter("End"),
		}
	case MapShape:
		k, e := numbered("k", depth), numbered("e", depth)
		element := raw(operand(at)).Index(jen.Id(k))
		if key := s.Key.Go; key.Kind != Named || key.Path != "" || key.Name != "string" || c.taken["string"] {
			element = raw(operand(at)).Index(key.code().Call(jen.Id(k)))
		}
		block := []jen.Code{onWriter("String", jen.Id(k)), jen.Id(e).Op(":=").Add(element)}
		return []jen.Code{
			jen.For(jen.List(jen.Id("_"), jen.Id(k)).Op(":=").Range().Qual(wirePath, "WriteMap").Call(jen.Id("w"), raw(at))).
				Block(append(block, c.write(s.Elem, e, depth+1)...)...),
			onWriter("End"),
		}
	case OptionalShape:
		return one(jen.If(raw(at).Op("==").Nil()).Block(onWriter("Nil")).Else().Block(c.write(s.Elem, "*"+at, depth)...))
	case ObjectShape:
		if s.Go.Kind == Named {
			return one(jen.Id("pack"+c.function(s)).Call(jen.Id("w"), raw(at)))
		}
		return c.writeObject(s, at, false, depth+1)
	default:
		panic("unreachable: writable is false of other kinds")
	}
}
