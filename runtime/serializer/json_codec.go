package serializer

import (
	"maps"
	"reflect"
)

// JSONCodec encodes and decodes one type field by field, instead of by reflection.
// Make one with [JSONOf]. esgen generates none: go-json decodes about as fast as
// code by hand, and what that would save to encode is little beside storing. They
// are functions and no methods of the type, which every other user of it would
// have to live with.
type JSONCodec struct {
	goType reflect.Type
	encode func(dst []byte, v any) ([]byte, error)
	decode func(data []byte, into any) error
}

// JSONOf describes how T is encoded and decoded: to the same text, and from the
// same texts to the same value, as [JSON] does without it.
func JSONOf[T any](encode func(dst []byte, v T) ([]byte, error), decode func(data []byte, into *T) error) JSONCodec {
	return JSONCodec{
		goType: reflect.TypeFor[T](),
		encode: func(dst []byte, v any) ([]byte, error) {
			if pointer, ok := v.(*T); ok {
				return encode(dst, *pointer)
			}
			return encode(dst, v.(T))
		},
		decode: func(data []byte, into any) error { return decode(data, into.(*T)) },
	}
}

// With returns a JSON that encodes and decodes these types by their codecs, and
// others as before. Texts are checked as before, too, and what a codec refuses is
// decided, and its error written, by reflection.
func (f JSON) With(codecs ...JSONCodec) JSON {
	f.codecs = f.codecs.with(codecs)
	return f
}

// With returns a JSONB that encodes and decodes these types by their codecs, as
// [JSON.With] does.
func (f JSONB) With(codecs ...JSONCodec) JSONB {
	f.codecs = f.codecs.with(codecs)
	return f
}

// jsonCodecs are by the addresses of their types.
type jsonCodecs map[uintptr]JSONCodec

func (c *jsonCodecs) with(codecs []JSONCodec) *jsonCodecs {
	all := jsonCodecs{}
	if c != nil {
		maps.Copy(all, *c)
	}
	for _, one := range codecs {
		all[address(one.goType)] = one
	}
	return &all
}

// encode is false if reflection has to decide.
func (c *jsonCodecs) encode(t reflect.Type, v any) ([]byte, bool) {
	if c == nil {
		return nil, false
	}
	one, ok := (*c)[address(t)]
	if !ok {
		return nil, false
	}
	data, err := one.encode(nil, v)
	return data, err == nil
}

// decode is false if reflection has to decide.
func (c *jsonCodecs) decode(t reflect.Type, data []byte, into any) bool {
	if c == nil {
		return false
	}
	one, ok := (*c)[address(t)]
	return ok && one.decode(data, into) == nil
}
