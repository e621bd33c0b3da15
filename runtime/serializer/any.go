package serializer

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"unicode/utf8"
)

// appendAny appends a value that [auditor.any] has found good.
func appendAny(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, wireNil)
	case bool:
		return appendBool(dst, v)
	case string:
		return appendString(dst, v)
	case float32:
		return appendFloat32(dst, v)
	case float64:
		return appendFloat64(dst, v)
	case []any:
		if v == nil {
			return append(dst, wireNil)
		}
		dst = appendArrayLen(dst, len(v))
		for _, e := range v {
			dst = appendAny(dst, e)
		}
		return dst
	case map[string]any:
		if v == nil {
			return append(dst, wireNil)
		}
		dst = appendMapLen(dst, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			dst = appendAny(appendString(dst, k), v[k])
		}
		return dst
	}
	if n := reflect.ValueOf(v); n.CanUint() {
		return appendUint(dst, n.Uint())
	} else {
		return appendInt(dst, n.Int())
	}
}

// any decodes into the types that an interface gets.
func (u *unpacker) any() (any, *fieldError) {
	t, err := u.next()
	if err != nil {
		return nil, err
	}
	switch t.kind {
	case nilKind:
		return nil, nil
	case boolKind:
		return t.bits != 0, nil
	case intKind:
		return int64(t.bits), nil
	case uintKind:
		if t.bits > math.MaxInt64 {
			return t.bits, nil
		}
		return int64(t.bits), nil
	case floatKind:
		if t.single {
			return float64(math.Float32frombits(uint32(t.bits))), nil
		}
		return math.Float64frombits(t.bits), nil
	case stringKind:
		if !utf8.Valid(t.body) {
			return nil, refusal(noUTF)
		}
		return string(t.body), nil
	case binaryKind:
		return append([]byte{}, t.body...), nil
	case extKind:
		return t.time()
	default: // an array or a map
	}
	if err := u.enter(); err != nil {
		return nil, err
	}
	defer u.leave()
	if t.kind == arrayKind {
		all := make([]any, 0, min(t.len, firstElements))
		for i := range t.len {
			e, err := u.any()
			if err != nil {
				return nil, err.within(element(i))
			}
			all = append(all, e)
		}
		return all, nil
	}
	all := make(map[string]any, min(t.len, firstElements))
	for range t.len {
		k, err := u.next()
		if err != nil {
			return nil, err
		}
		if k.kind != stringKind {
			return nil, refusal("a map whose keys are not strings does not fit into an interface")
		}
		if !utf8.Valid(k.body) {
			return nil, refusal(noUTF)
		}
		e, err := u.any()
		if err != nil {
			return nil, err.within(entry(reflect.ValueOf(string(k.body))))
		}
		all[string(k.body)] = e
	}
	return all, nil
}
