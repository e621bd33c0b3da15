package serializer

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/esgen/esgen/runtime/serializer/msgpackwire"
)

// packer encodes values. It appends, and refuses what would not read back equal.
type packer struct{ depth, hops int }

func (w *packer) value(dst []byte, s *shape, v reflect.Value) ([]byte, *fieldError) {
	switch s.class {
	case boolClass:
		return msgpackwire.AppendBool(dst, v.Bool()), nil
	case intClass:
		return msgpackwire.AppendInt(dst, v.Int()), nil
	case uintClass:
		return msgpackwire.AppendUint(dst, v.Uint()), nil
	case floatClass:
		if s.typ.Kind() == reflect.Float32 {
			return msgpackwire.AppendFloat32(dst, float32(v.Float())), nil
		}
		return msgpackwire.AppendFloat64(dst, v.Float()), nil
	case stringClass:
		text := v.String()
		if reason := badText(text); reason != "" {
			return dst, refusal(reason)
		}
		return msgpackwire.AppendString(dst, text), nil
	case bytesClass:
		if v.IsNil() {
			return msgpackwire.AppendNil(dst), nil
		}
		return msgpackwire.AppendBytes(dst, v.Bytes()), nil
	case byteArrayClass:
		return append(msgpackwire.AppendBytesLen(dst, v.Len()), v.Bytes()...), nil
	case timeClass:
		return w.time(dst, v)
	case pointerClass:
		if v.IsNil() {
			return msgpackwire.AppendNil(dst), nil
		}
		if w.hops++; w.hops > 2*MaxDepth {
			return dst, refusal(tooDeep)
		}
		dst, err := w.value(dst, s.elem, v.Elem())
		w.hops--
		return dst, err
	case sliceClass, arrayClass, mapClass, structClass:
		if w.depth++; w.depth > MaxDepth {
			return dst, refusal(tooDeep)
		}
		dst, err := w.composite(dst, s, v)
		w.depth--
		return dst, err
	case anyClass:
		if err := (&auditor{wide: true}).any(v.Interface(), w.depth); err != nil {
			return dst, err
		}
		return appendAny(dst, v.Interface()), nil
	case ifaceClass:
		if !v.IsNil() {
			return dst, new(auditor).value(s, v)
		}
		return msgpackwire.AppendNil(dst), nil
	case rawClass, numberClass, jsonClass, textClass, binaryClass, packClass, hookClass:
		return w.method(dst, s, v)
	default:
		return dst, refusal(s.reason)
	}
}

func (w *packer) time(dst []byte, v reflect.Value) ([]byte, *fieldError) {
	t := *v.Addr().Interface().(*time.Time)
	if n := t.Unix(); n < msgpackwire.FirstSecond || n > msgpackwire.LastSecond {
		return dst, refusal(fmt.Sprintf("is a time in year %d; years 0 to 9999 are stored", t.UTC().Year()))
	}
	return msgpackwire.AppendTime(dst, t), nil
}

func (w *packer) composite(dst []byte, s *shape, v reflect.Value) ([]byte, *fieldError) {
	var err *fieldError
	switch s.class {
	case structClass:
		return w.structure(dst, s, v)
	case mapClass:
		return w.mapping(dst, s, v)
	case sliceClass:
		if v.IsNil() {
			return msgpackwire.AppendNil(dst), nil
		}
	default: // an array
	}
	dst = msgpackwire.AppendArrayLen(dst, v.Len())
	for i := range v.Len() {
		if dst, err = w.value(dst, s.elem, v.Index(i)); err != nil {
			return dst, err.within(element(i))
		}
	}
	return dst, nil
}

func (w *packer) structure(dst []byte, s *shape, v reflect.Value) ([]byte, *fieldError) {
	for i := range s.lost {
		l := &s.lost[i]
		if f, ok := in(v, l.index); ok && !f.IsZero() {
			return dst, refusal(l.reason).within(l.path)
		}
	}
	stored := len(s.fields)
	if s.optional {
		for i := range s.fields {
			f := &s.fields[i]
			if fv, ok := in(v, f.index); !ok || f.omitted(fv) {
				stored--
			}
		}
	}
	dst = msgpackwire.AppendMapLen(dst, stored)
	var err *fieldError
	for i := range s.fields {
		f := &s.fields[i]
		fv, ok := in(v, f.index)
		if !ok || f.omitted(fv) {
			continue
		}
		dst = append(dst, f.header...)
		if dst, err = w.value(dst, f.shape, fv); err != nil {
			return dst, err.within(f.name)
		}
	}
	return dst, nil
}

// mapping sorts strings by their bytes and other keys by their encoding.
func (w *packer) mapping(dst []byte, s *shape, v reflect.Value) ([]byte, *fieldError) {
	if v.IsNil() {
		return msgpackwire.AppendNil(dst), nil
	}
	if s.plain {
		return plainMapping(dst, *v.Addr().Convert(plainMap).Interface().(*map[string]string))
	}
	type pair struct {
		order   string
		key     []byte
		element reflect.Value
	}
	pairs := make([]pair, 0, v.Len())
	key := reflect.New(s.key.typ).Elem()
	for entries := v.MapRange(); entries.Next(); {
		key.Set(entries.Key())
		encoded, err := w.value(nil, s.key, key)
		if err != nil {
			err.reason = "the key " + err.reason
			return dst, err.within(entry(key))
		}
		p := pair{order: string(encoded), key: encoded, element: entries.Value()}
		if s.key.class == stringClass {
			p.order = key.String()
		}
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.order, b.order) })
	dst = msgpackwire.AppendMapLen(dst, len(pairs))
	elem := reflect.New(s.elem.typ).Elem()
	for i, p := range pairs {
		if i > 0 && p.order == pairs[i-1].order {
			return dst, refusal("two keys of the map are written alike, so one would be lost")
		}
		elem.Set(p.element)
		var err *fieldError
		if dst, err = w.value(append(dst, p.key...), s.elem, elem); err != nil {
			return dst, err.within(entry(reflect.ValueOf(p.order)))
		}
	}
	return dst, nil
}

// plainMapping is mapping for the most common kind of map.
func plainMapping(dst []byte, m map[string]string) ([]byte, *fieldError) {
	keys := make([]string, 0, 16)
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	dst = msgpackwire.AppendMapLen(dst, len(m))
	for _, k := range keys {
		if reason := badText(k); reason != "" {
			return dst, refusal("the key " + reason).within(entry(reflect.ValueOf(k)))
		}
		if reason := badText(m[k]); reason != "" {
			return dst, refusal(reason).within(entry(reflect.ValueOf(k)))
		}
		dst = msgpackwire.AppendString(msgpackwire.AppendString(dst, k), m[k])
	}
	return dst, nil
}

// method appends a value that encodes itself.
func (w *packer) method(dst []byte, s *shape, v reflect.Value) ([]byte, *fieldError) {
	failed := func(name string, err error) ([]byte, *fieldError) {
		return dst, &fieldError{reason: name + ": " + err.Error(), err: err}
	}
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
		if v.IsNil() {
			return msgpackwire.AppendNil(dst), nil
		}
	default:
	}
	self := v.Addr().Interface()
	switch s.class {
	case numberClass:
		n := v.String()
		if !isNumber(n) {
			return dst, refusal(strconv.Quote(n) + " is not a number")
		}
		return msgpackwire.AppendString(dst, n), nil
	case rawClass:
		if err := badJSON(v.Bytes()); err != nil {
			return dst, err
		}
		return msgpackwire.AppendBytes(dst, v.Bytes()), nil
	case jsonClass:
		text, err := self.(json.Marshaler).MarshalJSON()
		if err != nil {
			return failed("MarshalJSON", err)
		}
		if err := badJSON(text); err != nil {
			return dst, err
		}
		return msgpackwire.AppendBytes(dst, text), nil
	case textClass:
		text, err := self.(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return failed("MarshalText", err)
		}
		if reason := badText(string(text)); reason != "" {
			return dst, refusal(reason)
		}
		return msgpackwire.AppendBytes(dst, text), nil
	case binaryClass:
		data, err := self.(encoding.BinaryMarshaler).MarshalBinary()
		if err != nil {
			return failed("MarshalBinary", err)
		}
		if data == nil {
			return msgpackwire.AppendNil(dst), nil
		}
		return msgpackwire.AppendBytes(dst, data), nil
	default:
	}
	data, err := hooked(self)
	if err != nil {
		name := "MarshalMsgpack"
		if s.class == hookClass {
			name = "EncodeMsgpack"
		}
		return failed(name, err)
	}
	u := unpacker{Reader: &msgpackwire.Reader{Data: data, Depth: maxReadDepth - MaxDepth + w.depth}, texts: true}
	wrong := u.skip()
	if wrong == nil && u.At != len(data) {
		wrong = refusal("more than one value")
	}
	if wrong != nil {
		return dst, refusal("its msgpack method does not write exactly one good value: " + wrong.reason)
	}
	return append(dst, data...), nil
}

// hooked returns the bytes of a value that writes MessagePack itself.
func hooked(v any) ([]byte, error) {
	if m, ok := v.(msgpack.CustomEncoder); ok {
		var buf strings.Builder
		e := msgpack.NewEncoder(&buf)
		e.UseCompactInts(true)
		e.SetSortMapKeys(true)
		e.SetCustomStructTag("json")
		if err := m.EncodeMsgpack(e); err != nil {
			return nil, err
		}
		return []byte(buf.String()), nil
	}
	return v.(msgpack.Marshaler).MarshalMsgpack()
}
