package serializer

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/esgen/esgen/runtime/serializer/msgpackwire"
)

// appendAny appends a value that [auditor.any] has found good.
func appendAny(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return msgpackwire.AppendNil(dst)
	case bool:
		return msgpackwire.AppendBool(dst, v)
	case string:
		return msgpackwire.AppendString(dst, v)
	case float32:
		return msgpackwire.AppendFloat32(dst, v)
	case float64:
		return msgpackwire.AppendFloat64(dst, v)
	case []any:
		if v == nil {
			return msgpackwire.AppendNil(dst)
		}
		dst = msgpackwire.AppendArrayLen(dst, len(v))
		for _, e := range v {
			dst = appendAny(dst, e)
		}
		return dst
	case map[string]any:
		if v == nil {
			return msgpackwire.AppendNil(dst)
		}
		dst = msgpackwire.AppendMapLen(dst, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			dst = appendAny(msgpackwire.AppendString(dst, k), v[k])
		}
		return dst
	}
	if n := reflect.ValueOf(v); n.CanUint() {
		return msgpackwire.AppendUint(dst, n.Uint())
	} else {
		return msgpackwire.AppendInt(dst, n.Int())
	}
}

// any decodes into the types that an interface gets.
func (u *unpacker) any() (any, *fieldError) {
	t, err := u.next()
	if err != nil {
		return nil, err
	}
	switch t.Kind {
	case msgpackwire.NilKind:
		return nil, nil
	case msgpackwire.BoolKind:
		return t.Bits != 0, nil
	case msgpackwire.IntKind:
		return int64(t.Bits), nil
	case msgpackwire.UintKind:
		if t.Bits > math.MaxInt64 {
			return t.Bits, nil
		}
		return int64(t.Bits), nil
	case msgpackwire.FloatKind:
		if t.Single {
			return float64(math.Float32frombits(uint32(t.Bits))), nil
		}
		return math.Float64frombits(t.Bits), nil
	case msgpackwire.StringKind:
		if !utf8.Valid(t.Body) {
			return nil, refusal(noUTF)
		}
		return string(t.Body), nil
	case msgpackwire.BinaryKind:
		return append([]byte{}, t.Body...), nil
	case msgpackwire.ExtKind:
		at, err := t.Time()
		if err != nil {
			return nil, refusal(err.Error())
		}
		return at, nil
	default: // an array or a map
	}
	if err := u.enter(); err != nil {
		return nil, err
	}
	defer u.leave()
	if t.Kind == msgpackwire.ArrayKind {
		all := make([]any, 0, min(t.Len, firstElements))
		for i := range t.Len {
			e, err := u.any()
			if err != nil {
				return nil, err.within(element(i))
			}
			all = append(all, e)
		}
		return all, nil
	}
	all := make(map[string]any, min(t.Len, firstElements))
	for range t.Len {
		k, err := u.next()
		if err != nil {
			return nil, err
		}
		if k.Kind != msgpackwire.StringKind {
			return nil, refusal("a map whose keys are not strings does not fit into an interface")
		}
		if !utf8.Valid(k.Body) {
			return nil, refusal(noUTF)
		}
		e, err := u.any()
		if err != nil {
			return nil, err.within(entry(reflect.ValueOf(string(k.Body))))
		}
		all[string(k.Body)] = e
	}
	return all, nil
}
