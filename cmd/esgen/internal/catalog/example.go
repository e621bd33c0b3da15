package catalog

import (
	"encoding/json"
	"fmt"

	"github.com/esgen/esgen/templates"
)

// Example returns a JSON text of a shape: every field with a value that says what
// kind it is. The same shape gives the same text.
func Example(s *templates.Shape) []byte {
	text, err := marshal(example(s, map[*templates.Shape]bool{}))
	if err != nil { // the values below are all of JSON
		return []byte("null")
	}
	return text
}

// example ends where a shape is inside itself.
func example(s *templates.Shape, inside map[*templates.Shape]bool) any {
	if inside[s] {
		return nil
	}
	inside[s] = true
	defer delete(inside, s)
	switch n := len(s.Constants); {
	case n > 0 && s.Kind == templates.StringShape:
		return s.Constants[0]
	case n > 1: // a single number is a bound more often than a value
		return json.Number(s.Constants[n-1])
	}
	switch s.Kind {
	case templates.BoolShape:
		return true
	case templates.StringShape, templates.TextShape:
		return "text"
	case templates.IntShape, templates.UintShape:
		return 42
	case templates.FloatShape, templates.NumberShape:
		return json.Number("1.5")
	case templates.BytesShape:
		return "Ynl0ZXM="
	case templates.TimeShape:
		return "2026-01-02T15:04:05Z"
	case templates.DurationShape:
		return 1_500_000_000
	case templates.UUIDShape:
		return "0197f9a0-7c1e-7b3a-9f00-5d1c2e3f4a5b"
	case templates.ObjectShape:
		return fields(s, inside)
	case templates.ArrayShape:
		return elements(s, inside)
	case templates.MapShape:
		if inside[s.Elem] {
			return object{}
		}
		key := example(s.Key, inside)
		return object{}.with(fmt.Sprint(key), example(s.Elem, inside))
	case templates.OptionalShape:
		return example(s.Elem, inside)
	case templates.UnionShape:
		for _, m := range s.Members {
			if !inside[m.Shape] {
				return object{}.with(m.Name, example(m.Shape, inside))
			}
		}
		return object{}
	case templates.RawShape, templates.CustomShape, templates.AnyShape:
	}
	return nil
}

func fields(s *templates.Shape, inside map[*templates.Shape]bool) object {
	o := object{}
	for _, p := range s.Properties {
		value := example(p.Shape, inside)
		if value == nil && (p.OmitEmpty || p.OmitZero) {
			continue
		}
		if p.AsString && quotable(p.Shape) {
			if text, err := marshal(value); err == nil {
				value = string(text)
			}
		}
		o = o.with(p.Name, value)
	}
	return o
}

func elements(s *templates.Shape, inside map[*templates.Shape]bool) any {
	n := int64(1)
	if s.Len >= 0 {
		n = s.Len
	} else if inside[s.Elem] {
		n = 0
	}
	list := make([]any, 0, min(n, 16))
	for range n {
		list = append(list, example(s.Elem, inside))
	}
	return list
}

// quotable reports whether the option "string" of a tag has an effect.
func quotable(s *templates.Shape) bool {
	switch s.Kind {
	case templates.BoolShape, templates.StringShape, templates.IntShape, templates.UintShape, templates.FloatShape,
		templates.DurationShape:
		return true
	case templates.OptionalShape:
		return quotable(s.Elem)
	default:
		return false
	}
}
