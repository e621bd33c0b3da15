package serializer

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// locateDepth bounds how deep locate looks, since each level is parsed again.
const locateDepth = 32

// locate finds where decoding data into a t went wrong: the field's path and the
// offset, or "" and -1 as far as they cannot be known. It runs on errors only.
func locate(data []byte, t reflect.Type, err error) (path string, offset int64) {
	offset = -1
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = e.Offset
	} else if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = e.Offset
	}
	if json.Valid(data) {
		path = failing(data, shapeOf(t, jsonCodec), locateDepth)
	}
	return path, offset
}

// failing returns the path of the first part of data that does not decode.
func failing(data []byte, s *shape, depth int) string {
	if depth == 0 {
		return ""
	}
	for s.class == pointerClass {
		s = s.elem
	}
	join := func(segment string, data []byte, s *shape) string {
		e := fieldError{path: failing(data, s, depth-1)}
		return e.within(segment).path
	}
	fails := func(data []byte, s *shape) bool {
		return decodeJSON(json.Unmarshal, data, reflect.New(s.typ).Interface()) != nil
	}
	switch s.class {
	case structClass, mapClass:
		var parts map[string]json.RawMessage
		if json.Unmarshal(data, &parts) != nil {
			return ""
		}
		if s.class == mapClass {
			for _, name := range slices.Sorted(maps.Keys(parts)) {
				if part := parts[name]; fails(part, s.elem) {
					return join(entry(reflect.ValueOf(name)), part, s.elem)
				}
			}
			return ""
		}
		for i := range s.fields {
			f := &s.fields[i]
			for name, part := range parts {
				if !strings.EqualFold(name, f.name) {
					continue
				}
				if inner := ""; f.quoted && json.Unmarshal(part, &inner) == nil {
					part = json.RawMessage(inner)
				}
				if fails(part, f.shape) {
					return join(f.name, part, f.shape)
				}
			}
		}
	case sliceClass, arrayClass:
		var parts []json.RawMessage
		if json.Unmarshal(data, &parts) != nil {
			return ""
		}
		for i, part := range parts {
			if fails(part, s.elem) {
				return join(element(i), part, s.elem)
			}
		}
	default: // it has no parts
	}
	return ""
}
