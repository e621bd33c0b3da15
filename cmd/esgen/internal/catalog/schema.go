package catalog

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/esgen/esgen/templates"
)

// schemaOf writes the JSON Schema of a revision. More properties are allowed than
// it lists: readers pass them over.
func schemaOf(r revision) []byte {
	s := schemas{names: map[*templates.Shape]string{}}
	top := s.fields(object{}, r.Shape)
	o := object{}.
		with("$schema", "https://json-schema.org/draft/2020-12/schema").
		with("$id", fmt.Sprintf("urn:esgen:%s:%d", fileName(r.Name), r.Number)).
		with("$comment", Marker).
		with("title", fmt.Sprintf("%s, revision %d", r.Name, r.Number))
	if doc := strings.TrimSpace(r.Doc); doc != "" && r.Upcast == nil {
		o = o.with("description", doc)
	}
	o = append(o, top...)
	if len(s.defs) > 0 {
		o = o.with("$defs", s.defs)
	}
	text, err := marshal(o)
	if err != nil { // a Go constant that is no number
		text = []byte("{}")
	}
	return append(indent(text), '\n')
}

// The JSON types that are written in several places.
const (
	null    = "null"
	objects = "object"
)

// schemas gives every declared struct one definition, which may refer to itself.
type schemas struct {
	names map[*templates.Shape]string
	defs  object
}

func (s *schemas) of(shape *templates.Shape) object {
	o := object{}
	switch shape.Kind {
	case templates.BoolShape:
		o = o.with("type", "boolean")
	case templates.StringShape, templates.TextShape:
		o = o.with("type", "string")
	case templates.IntShape:
		o = bounds(o, whole(int64(-1)<<(shape.Bits-1)), whole(math.MaxInt64>>(64-shape.Bits)))
	case templates.UintShape:
		o = bounds(o, "0", json.Number(strconv.FormatUint(math.MaxUint64>>(64-shape.Bits), 10)))
	case templates.FloatShape, templates.NumberShape:
		o = o.with("type", "number")
	case templates.BytesShape:
		o = o.with("type", []string{"string", null}).with("contentEncoding", "base64")
	case templates.TimeShape:
		o = o.with("type", "string").with("format", "date-time")
	case templates.DurationShape:
		o = bounds(o, whole(math.MinInt64), whole(math.MaxInt64)).
			with("description", "nanoseconds")
	case templates.UUIDShape:
		o = o.with("type", "string").with("format", "uuid")
	case templates.ObjectShape:
		return s.object(shape)
	case templates.ArrayShape:
		o = o.with("type", []string{"array", null})
		if shape.Len >= 0 {
			o = object{}.with("type", "array").with("minItems", shape.Len).with("maxItems", shape.Len)
		}
		o = o.with("items", s.of(shape.Elem))
	case templates.MapShape:
		o = o.with("type", []string{objects, null})
		switch shape.Key.Kind {
		case templates.IntShape:
			o = o.with("propertyNames", object{}.with("pattern", "^-?[0-9]+$"))
		case templates.UintShape:
			o = o.with("propertyNames", object{}.with("pattern", "^[0-9]+$"))
		case templates.UUIDShape:
			o = o.with("propertyNames", object{}.with("format", "uuid"))
		default:
		}
		o = o.with("additionalProperties", s.of(shape.Elem))
	case templates.OptionalShape:
		o = o.with("anyOf", []object{s.of(shape.Elem), object{}.with("type", null)})
	case templates.UnionShape:
		members := object{}
		for _, m := range shape.Members {
			members = members.with(m.Name, s.of(m.Shape))
		}
		o = o.with("type", []string{objects, null}).with("properties", members).with("maxProperties", 1)
	case templates.AnyShape, templates.RawShape, templates.CustomShape:
	}
	if len(shape.Constants) > 0 { // not the only ones: a program may store others
		examples := make([]any, len(shape.Constants))
		for i, text := range shape.Constants {
			examples[i] = text
			if shape.Kind != templates.StringShape {
				examples[i] = json.Number(text)
			}
		}
		o = o.with("examples", examples)
	}
	return o
}

func whole(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

func bounds(o object, least, most json.Number) object {
	return o.with("type", "integer").with("minimum", least).with("maximum", most)
}

// object refers to the definition of a declared struct; one without a name is
// written where it is.
func (s *schemas) object(shape *templates.Shape) object {
	if shape.Go.Name == "" {
		return s.fields(object{}, shape)
	}
	name, ok := s.names[shape]
	if !ok {
		name = s.name(shape)
		s.names[shape] = name
		at := len(s.defs)
		s.defs = s.defs.with(name, nil)
		definition := s.fields(object{}, shape)
		s.defs[at].value = definition
	}
	return object{}.with("$ref", "#/$defs/"+name)
}

// name is the type's, of letters and digits, with a number if two types have it.
func (s *schemas) name(shape *templates.Shape) string {
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_') {
			return r
		}
		return '-'
	}, typeText(shape.Go))
	taken := func(name string) bool {
		return slices.ContainsFunc(s.defs, func(p property) bool { return p.name == name })
	}
	unique := name
	for n := 2; taken(unique); n++ {
		unique = fmt.Sprintf("%s-%d", name, n)
	}
	return unique
}

func (s *schemas) fields(o object, shape *templates.Shape) object {
	properties := object{}
	required := []string{}
	for _, p := range shape.Properties {
		one := s.of(p.Shape)
		if p.AsString && quotable(p.Shape) {
			one = object{}.with("type", "string")
			if p.Shape.Kind == templates.OptionalShape {
				one = object{}.with("type", []string{"string", null})
			}
		}
		if doc := strings.TrimSpace(p.Doc); doc != "" {
			one = slices.DeleteFunc(one, func(p property) bool { return p.name == "description" }).with("description", doc)
		}
		properties = properties.with(p.Name, one)
		if Required(p) {
			required = append(required, p.Name)
		}
	}
	o = o.with("type", objects)
	if len(properties) > 0 {
		o = o.with("properties", properties)
	}
	if len(required) > 0 {
		o = o.with("required", required)
	}
	return o.with("additionalProperties", true)
}

// Required reports whether a property is always written.
func Required(p templates.Property) bool {
	if p.OmitZero || len(p.Through) > 1 && slices.Contains(p.Through[:len(p.Through)-1], true) {
		return false
	}
	if !p.OmitEmpty {
		return true
	}
	switch p.Shape.Kind { // which are never empty
	case templates.TimeShape, templates.UUIDShape, templates.ObjectShape:
		return true
	case templates.ArrayShape:
		return p.Shape.Len > 0
	default:
		return false
	}
}
