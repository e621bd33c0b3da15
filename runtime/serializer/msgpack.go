package serializer

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// Msgpack is MessagePack, in the bytes that vmihailenco/msgpack writes and reads
// with compact integers, sorted map keys and json tags: structs are maps of field
// names, by msgpack tags or else json tags; times are timestamps of extension
// type -1, in UTC; types that marshal themselves to binary or text, as uuid.UUID
// does, are binary. Types that marshal themselves only to JSON are binary JSON
// text. EncodeMsgpack and DecodeMsgpack of vmihailenco/msgpack are called.
//
// The bytes of equal values are equal. The zero value is ready.
//
// Values are walked here and not by vmihailenco's reflection, which allocates
// what 12 bytes declare until the process dies, truncates integers that do not
// fit, ignores trailing bytes, and starts goroutines that never end.
type Msgpack struct{}

// Format returns "msgpack".
func (Msgpack) Format() string { return "msgpack" }

// Marshal implements [Serializer]. Its error is an [*EncodeError].
func (Msgpack) Marshal(v any) ([]byte, error) {
	value, s, wrong := event(v, msgpackCodec)
	var data []byte
	if wrong == nil {
		if !value.CanAddr() {
			// Taking the address of fields saves a copy of each.
			pointer := reflect.New(s.typ)
			pointer.Elem().Set(value)
			value = pointer.Elem()
		}
		buffer := buffers.Get().(*[]byte)
		defer buffers.Put(buffer)
		var w packer
		data, wrong = w.value((*buffer)[:0], s, value)
		if cap(data) <= maxKeptBuffer {
			*buffer = data
		}
	}
	if wrong != nil {
		return nil, encodeError("msgpack", v, wrong)
	}
	return bytes.Clone(data), nil
}

// buffers are where events are encoded before their size is known.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxKeptBuffer bounds what one large event leaves behind in the pool.
const maxKeptBuffer = 64 << 10

// Unmarshal implements [Serializer]. Names match exactly. Its error is a
// [*DecodeError].
func (Msgpack) Unmarshal(data []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return &DecodeError{Format: "msgpack", GoType: goType(v), Offset: -1, Err: errNoTarget}
	}
	target = target.Elem()
	u := unpacker{data: data}
	wrong := u.value(shapeOf(target.Type(), msgpackCodec), target)
	if wrong == nil && u.at != len(data) {
		wrong = refusal(fmt.Sprintf("%d bytes follow the value", len(data)-u.at))
	}
	if wrong != nil {
		err := wrong.err
		if err == nil {
			err = fmt.Errorf("%s", wrong.reason)
		}
		return &DecodeError{Format: "msgpack", GoType: goType(v), Field: wrong.path, Offset: int64(u.at), Err: err}
	}
	return nil
}

// packer encodes values. It appends, and refuses what would not read back equal.
type packer struct{ depth, hops int }

func (w *packer) value(dst []byte, s *shape, v reflect.Value) ([]byte, *fieldError) {
	switch s.class {
	case boolClass:
		return appendBool(dst, v.Bool()), nil
	case intClass:
		return appendInt(dst, v.Int()), nil
	case uintClass:
		return appendUint(dst, v.Uint()), nil
	case floatClass:
		if s.typ.Kind() == reflect.Float32 {
			return appendFloat32(dst, float32(v.Float())), nil
		}
		return appendFloat64(dst, v.Float()), nil
	case stringClass:
		text := v.String()
		if reason := badText(text); reason != "" {
			return dst, refusal(reason)
		}
		return appendString(dst, text), nil
	case bytesClass:
		if v.IsNil() {
			return append(dst, wireNil), nil
		}
		return appendBytes(dst, v.Bytes()), nil
	case byteArrayClass:
		return append(appendBytesLen(dst, v.Len()), v.Bytes()...), nil
	case timeClass:
		return w.time(dst, v)
	case pointerClass:
		if v.IsNil() {
			return append(dst, wireNil), nil
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
		return append(dst, wireNil), nil
	case rawClass, numberClass, jsonClass, textClass, binaryClass, packClass, hookClass:
		return w.method(dst, s, v)
	}
	return dst, refusal(s.reason)
}

func (w *packer) time(dst []byte, v reflect.Value) ([]byte, *fieldError) {
	t := *v.Addr().Interface().(*time.Time)
	if n := t.Unix(); n < firstSecond || n > lastSecond {
		return dst, refusal(fmt.Sprintf("is a time in year %d; years 0 to 9999 are stored", t.UTC().Year()))
	}
	return appendTime(dst, t), nil
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
			return append(dst, wireNil), nil
		}
	}
	dst = appendArrayLen(dst, v.Len())
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
	dst = appendMapLen(dst, stored)
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
		return append(dst, wireNil), nil
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
	dst = appendMapLen(dst, len(pairs))
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
	dst = appendMapLen(dst, len(m))
	for _, k := range keys {
		if reason := badText(k); reason != "" {
			return dst, refusal("the key " + reason).within(entry(reflect.ValueOf(k)))
		}
		if reason := badText(m[k]); reason != "" {
			return dst, refusal(reason).within(entry(reflect.ValueOf(k)))
		}
		dst = appendString(appendString(dst, k), m[k])
	}
	return dst, nil
}

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

// method appends a value that encodes itself.
func (w *packer) method(dst []byte, s *shape, v reflect.Value) ([]byte, *fieldError) {
	failed := func(name string, err error) ([]byte, *fieldError) {
		return dst, &fieldError{reason: name + ": " + err.Error(), err: err}
	}
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
		if v.IsNil() {
			return append(dst, wireNil), nil
		}
	}
	self := v.Addr().Interface()
	switch s.class {
	case numberClass:
		n := v.String()
		if !isNumber(n) {
			return dst, refusal(strconv.Quote(n) + " is not a number")
		}
		return appendString(dst, n), nil
	case rawClass:
		if err := badJSON(v.Bytes()); err != nil {
			return dst, err
		}
		return appendBytes(dst, v.Bytes()), nil
	case jsonClass:
		text, err := self.(json.Marshaler).MarshalJSON()
		if err != nil {
			return failed("MarshalJSON", err)
		}
		if err := badJSON(text); err != nil {
			return dst, err
		}
		return appendBytes(dst, text), nil
	case textClass:
		text, err := self.(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return failed("MarshalText", err)
		}
		if reason := badText(string(text)); reason != "" {
			return dst, refusal(reason)
		}
		return appendBytes(dst, text), nil
	case binaryClass:
		data, err := self.(encoding.BinaryMarshaler).MarshalBinary()
		if err != nil {
			return failed("MarshalBinary", err)
		}
		if data == nil {
			return append(dst, wireNil), nil
		}
		return appendBytes(dst, data), nil
	}
	data, err := hooked(self)
	if err != nil {
		name := "MarshalMsgpack"
		if s.class == hookClass {
			name = "EncodeMsgpack"
		}
		return failed(name, err)
	}
	u := unpacker{data: data, texts: true, depth: maxReadDepth - MaxDepth + w.depth}
	wrong := u.skip()
	if wrong == nil && u.at != len(data) {
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
