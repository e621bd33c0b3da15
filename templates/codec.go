package templates

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dave/jennifer/jen"
)

// msgpackFormat is the variable that holds the generated codecs.
const msgpackFormat = "msgpackFormat"

// codecs are the functions that write and read msgpack field by field: two for
// each declared struct. What is of no common kind is left to the runtime, which
// walks it by reflection.
type codecs struct {
	taken map[string]bool
	// functions are the structs that have functions, in the order of their need.
	functions []function
	names     map[*Shape]string
	suffixes  map[string]bool
	known     map[*Shape]bool // what is writable and what not
}

// function is a declared struct with the name that its functions bear.
type function struct {
	name  string
	shape *Shape
}

// locals are the names inside of the functions. No import may have one, and a
// type of the package that does is left to the runtime.
func locals() []string {
	return []string{"w", "r", "v", "dst", "fields", "n", "i", "e", "k", "key", "value"}
}

func newCodecs(p Package) *codecs {
	c := &codecs{taken: map[string]bool{}, names: map[*Shape]string{}, suffixes: map[string]bool{}, known: map[*Shape]bool{}}
	for _, name := range p.Taken {
		c.taken[name] = true
	}
	for _, f := range p.Families {
		for _, e := range f.Events {
			if c.whole(e) {
				c.function(e.Shape)
			}
		}
	}
	// Functions that are found on the way are appended.
	for i := 0; i < len(c.functions); i++ {
		c.visit(c.functions[i].shape, func(s *Shape) { c.function(s) })
	}
	return c
}

// whole reports whether an event has functions. What holds unions is encoded from
// another struct.
func (c *codecs) whole(e Event) bool { return e.Shape != nil && e.Stored == "" && c.writable(e.Shape) }

// function returns the name of the functions of a declared struct.
func (c *codecs) function(s *Shape) string {
	if name, ok := c.names[s]; ok {
		return name
	}
	name := capital(s.Go.Name)
	if s.Go.Path != "" {
		name = capital(s.Go.Package) + name
	}
	for n, first := 2, name; c.suffixes[name]; n++ {
		name = fmt.Sprintf("%s%d", first, n)
	}
	c.suffixes[name], c.names[s] = true, name
	c.functions = append(c.functions, function{name, s})
	return name
}

func capital(word string) string {
	first, size := utf8.DecodeRuneInString(word)
	return string(unicode.ToUpper(first)) + word[size:]
}

// visit calls found for every declared struct that the properties of s hold.
func (c *codecs) visit(s *Shape, found func(*Shape)) {
	for _, p := range s.Properties {
		for inner := p.Shape; inner != nil && c.writable(p.Shape); inner = inner.Elem {
			if inner.Kind != ObjectShape {
				continue
			}
			if inner.Go.Kind == Named {
				found(inner)
			} else {
				c.visit(inner, found)
			}
			break
		}
	}
}

// writable reports whether values of the shape are written and read by code of
// their own.
func (c *codecs) writable(s *Shape) bool {
	is, ok := c.known[s]
	if !ok {
		is = c.open(s, nil)
		c.known[s] = is
	}
	return is
}

func (c *codecs) open(s *Shape, within []*Shape) bool {
	if s == nil || s.MsgpackDiffers || !c.nameable(s.Go) {
		return false
	}
	if slices.Contains(within, s) {
		return false // it contains itself without a struct on the way
	}
	within = append(slices.Clip(within), s)
	switch s.Kind {
	case BoolShape, StringShape, IntShape, UintShape, FloatShape, BytesShape, TimeShape, DurationShape, UUIDShape:
		return true
	case OptionalShape:
		return c.open(s.Elem, within)
	case ArrayShape:
		bytes := s.Elem.Kind == UintShape && s.Elem.Bits == 8
		if s.Len >= 0 || bytes {
			elem := s.Elem.Go
			return s.Len >= 0 && bytes && elem.Kind == Named && elem.Path == "" && !c.taken[elem.Name]
		}
		return c.open(s.Elem, within)
	case MapShape:
		return s.Key.Kind == StringShape && !s.Key.MsgpackDiffers && c.nameable(s.Key.Go) && c.open(s.Elem, within)
	case ObjectShape:
		return !slices.ContainsFunc(s.Properties, func(p Property) bool { return !c.reachable(s, p) })
	default:
		return false
	}
}

// nameable reports whether the generated functions can write the type's name.
func (c *codecs) nameable(t Type) bool {
	ok := true
	t.walk(func(t Type) {
		if t.Kind != Named {
			return
		}
		first, _ := utf8.DecodeRuneInString(t.Name)
		if t.Path != "" && !unicode.IsUpper(first) || t.Path == "" && slices.Contains(locals(), t.Name) {
			ok = false
		}
	})
	return ok
}

// reachable reports whether a property can be set by a plain expression, and
// whether it is known when it is left out.
func (c *codecs) reachable(s *Shape, p Property) bool {
	if len(p.Through) > 1 && slices.Contains(p.Through[:len(p.Through)-1], true) {
		return false
	}
	if len(p.Name) > math.MaxUint16 {
		return false
	}
	for _, step := range p.Path {
		if first, _ := utf8.DecodeRuneInString(step); s.Go.Path != "" && !unicode.IsUpper(first) {
			return false
		}
	}
	if !p.OmitEmpty && !p.OmitZero {
		return true
	}
	return c.present(p, "") != "" || p.OmitEmpty && !p.OmitZero && c.neverEmpty(p.Shape)
}

// neverEmpty reports whether omitempty has no effect on the shape.
func (c *codecs) neverEmpty(s *Shape) bool {
	return s.Kind == ObjectShape || s.Kind == TimeShape || s.Kind == UUIDShape || s.Kind == ArrayShape && s.Len > 0
}

// present is the condition under which a property is stored that may be left out,
// or empty if that is not known.
func (c *codecs) present(p Property, at string) string {
	s := p.Shape
	// A type may have a method IsZero, which decides instead.
	plain := s.Go.Kind != Named || s.Go.Path == "" && !c.taken[s.Go.Name]
	if p.OmitZero && !plain && s.Kind != TimeShape {
		return ""
	}
	switch s.Kind {
	case BoolShape:
		return at + " "
	case StringShape:
		return at + ` != ""`
	case IntShape, UintShape, FloatShape, DurationShape:
		return at + " != 0"
	case AnyShape:
		return at + " != nil"
	case NumberShape:
		return at + ` != ""`
	case BytesShape, MapShape, RawShape:
		if p.OmitEmpty {
			return "len(" + at + ") != 0"
		}
		return at + " != nil"
	case ArrayShape:
		switch {
		case s.Len >= 0:
			return ""
		case p.OmitEmpty:
			return "len(" + at + ") != 0"
		}
		return at + " != nil"
	case OptionalShape:
		if p.OmitZero {
			return "" // what it points to may have a method IsZero
		}
		return at + " != nil"
	case TimeShape:
		if p.OmitZero {
			return "!" + at + ".IsZero()"
		}
	default: // not known
	}
	return ""
}

// recursive reports whether a value of the struct can hold another one.
func (c *codecs) recursive(s *Shape) bool {
	seen := map[*Shape]bool{}
	var reaches func(*Shape) bool
	reaches = func(from *Shape) bool {
		for _, p := range from.Properties {
			for inner := p.Shape; inner != nil; inner = inner.Elem {
				if inner == s {
					return true
				}
				if seen[inner] {
					break
				}
				seen[inner] = true
				if reaches(inner) {
					return true
				}
			}
		}
		return false
	}
	return reaches(s)
}

// place is the Go expression of a property of v.
func place(v string, p Property) string {
	if to, ok := strings.CutPrefix(v, "*"); ok && to[0] != '*' {
		v = to // a selector follows one pointer by itself
	}
	return operand(v) + "." + strings.Join(p.Path, ".")
}

// operand puts parentheses around what would not bind to an index or a selector.
func operand(expression string) string {
	if expression[0] == '*' {
		return "(" + expression + ")"
	}
	return expression
}

// declarations lists what the file of codecs holds.
func (c *codecs) declarations(p Package) []jen.Code {
	var formats []jen.Code
	seen := map[string]bool{} // an event may be of several families
	for _, f := range p.Families {
		for _, e := range f.Events {
			if c.whole(e) && !seen[e.GoName] {
				seen[e.GoName] = true
				name := c.function(e.Shape)
				formats = append(formats, jen.Qual(SerializerPath, "MsgpackOf").Call(jen.Id("pack"+name), jen.Id("unpack"+name)))
			}
		}
	}
	list := make([]jen.Code, 0, 1+2*len(c.functions))
	list = append(list,
		comment(msgpackFormat+" is the format msgpack. It writes and reads the events of this package field by "+
			"field, to the bytes that serializer.Msgpack writes and reads by reflection.", 0).
			Var().Id(msgpackFormat).Op("=").Qual(SerializerPath, "Msgpack").Values().Dot("With").Add(lines(",", formats...)))
	for _, f := range c.functions {
		list = append(list, c.pack(f), c.unpack(f))
	}
	return list
}
