package templates

import (
	"math"
	"strconv"

	"github.com/dave/jennifer/jen"
)

// pack declares the function that writes a struct.
func (c *codecs) pack(f function) jen.Code {
	guard := c.recursive(f.shape)
	return jen.Func().Id("pack"+f.name).
		Params(jen.Id("w").Op("*").Qual(wirePath, "Writer"), jen.Id("dst").Index().Byte(), jen.Id(parameter(f)).Add(f.shape.Go.code())).
		Index().Byte().
		Block(append(c.writeObject(f.shape, "v", guard, 0), jen.Return(jen.Id("dst")))...)
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

// dst appends what code returns.
func dst(code *jen.Statement) jen.Code { return jen.Id("dst").Op("=").Add(code) }

// plain appends by a function that cannot fail.
func plain(function string, value jen.Code) jen.Code {
	return dst(jen.Qual(wirePath, "Append"+function).Call(jen.Id("dst"), value))
}

// onWriter appends by a method of the Writer.
func onWriter(method string, value jen.Code) jen.Code {
	return dst(jen.Id("w").Dot(method).Call(jen.Id("dst"), value))
}

// withWriter appends by a function that needs the Writer.
func withWriter(path, function string, value jen.Code) jen.Code {
	return dst(jen.Qual(path, function).Call(jen.Id("w"), jen.Id("dst"), value))
}

func end() jen.Code { return jen.Id("w").Dot("End").Call() }

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
	code = append(code, onWriter("Map", length))
	if guard {
		code = append(code, jen.If(jen.Id("w").Dot("Err").Call().Op("!=").Nil()).Block(jen.Return(jen.Id("dst"))))
	}
	for _, p := range s.Properties {
		condition := c.optional(p, at)
		shape, value := p.Shape, place(at, p)
		if condition != nil && shape.Kind == OptionalShape && c.writable(shape) { // it is not nil there
			shape, value = shape.Elem, "*"+value
		}
		one := append([]jen.Code{dst(jen.Append(jen.Id("dst"), jen.Lit(stringHeader(len(p.Name))+p.Name).Op("...")))}, c.write(shape, value, depth)...)
		if condition != nil {
			one = []jen.Code{jen.If(condition).Block(one...)}
		}
		code = append(code, one...)
	}
	return append(code, end())
}

// stringHeader is what precedes a text in msgpack.
func stringHeader(n int) string {
	switch {
	case n < 32:
		return string([]byte{0xa0 | byte(n)})
	case n <= math.MaxUint8:
		return string([]byte{0xd9, byte(n)})
	default:
		return string([]byte{0xda, byte(n >> 8), byte(n)})
	}
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
		return one(withWriter(SerializerPath, "WriteMsgpack", raw(at)))
	}
	switch s.Kind {
	case BoolShape:
		return one(plain("Bool", c.as("bool", s, at)))
	case StringShape:
		return one(onWriter("Text", c.as("string", s, at)))
	case IntShape, DurationShape:
		return one(plain("Int", c.as("int64", s, at)))
	case UintShape:
		return one(plain("Uint", c.as("uint64", s, at)))
	case FloatShape:
		size := strconv.Itoa(s.Bits)
		return one(plain("Float"+size, c.as("float"+size, s, at)))
	case BytesShape:
		return one(plain("BytesOrNil", raw(at)))
	case TimeShape:
		return one(onWriter("Time", raw(at)))
	case UUIDShape:
		return one(plain("Bytes", raw(operand(at)+"[:]")))
	case ArrayShape:
		if s.Len >= 0 {
			return one(plain("Bytes", raw(operand(at)+"[:]")))
		}
		i := numbered("i", depth)
		return []jen.Code{
			withWriter(wirePath, "Slice", raw(at)),
			jen.For(jen.Id(i).Op(":=").Range().Add(raw(at))).Block(c.write(s.Elem, operand(at)+"["+i+"]", depth+1)...),
			end(),
		}
	case MapShape:
		if s.Elem.Kind == StringShape {
			return one(withWriter(wirePath, "TextMap", raw(at)))
		}
		k, e := numbered("k", depth), numbered("e", depth)
		element := raw(operand(at)).Index(jen.Id(k))
		if key := s.Key.Go; key.Kind != Named || key.Path != "" || key.Name != "string" || c.taken["string"] {
			element = raw(operand(at)).Index(key.code().Call(jen.Id(k)))
		}
		block := append([]jen.Code{onWriter("Text", jen.Id(k)), jen.Id(e).Op(":=").Add(element)}, c.write(s.Elem, e, depth+1)...)
		return []jen.Code{
			withWriter(wirePath, "MapOf", raw(at)),
			jen.For(jen.List(jen.Id("_"), jen.Id(k)).Op(":=").Range().Qual(wirePath, "Keys").Call(jen.Id("w"), raw(at))).
				Block(block...),
			end(),
		}
	case OptionalShape:
		return one(jen.If(raw(at).Op("==").Nil()).Block(dst(jen.Qual(wirePath, "AppendNil").Call(jen.Id("dst")))).Else().Block(c.write(s.Elem, "*"+at, depth)...))
	case ObjectShape:
		if s.Go.Kind == Named {
			return one(dst(jen.Id("pack"+c.function(s)).Call(jen.Id("w"), jen.Id("dst"), raw(at))))
		}
		return c.writeObject(s, at, false, depth+1)
	default:
		panic("unreachable: writable is false of other kinds")
	}
}
