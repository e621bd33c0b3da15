package serializer

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
)

// unpacker decodes MessagePack. Every declared length is held against the bytes
// that are left before anything is allocated for it.
type unpacker struct {
	data  []byte
	at    int
	depth int
	hops  int // pointers on the way, which cost no byte
	// texts makes skip look at strings as encoding does.
	texts bool
}

// maxReadDepth bounds nesting on reading, as encoding/json does.
const maxReadDepth = 10 * MaxDepth

// enter counts a level of nesting; call leave after it.
func (u *unpacker) enter() *fieldError {
	if u.depth++; u.depth > maxReadDepth {
		return refusal(fmt.Sprintf("nests more than %d levels deep", maxReadDepth))
	}
	return nil
}

func (u *unpacker) leave() { u.depth-- }

// skip passes over one value.
func (u *unpacker) skip() *fieldError {
	t, err := u.next()
	if err != nil {
		return err
	}
	if u.texts && t.kind == stringKind {
		if reason := badText(string(t.body)); reason != "" {
			return refusal(reason)
		}
	}
	if t.kind != arrayKind && t.kind != mapKind {
		return nil
	}
	if err := u.enter(); err != nil {
		return err
	}
	defer u.leave()
	n := t.len
	if t.kind == mapKind {
		n *= 2
	}
	for range n {
		if err := u.skip(); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) value(s *shape, v reflect.Value) *fieldError {
	start := u.at
	switch s.class {
	case refusedClass:
		return refusal(s.reason)
	case anyClass:
		decoded, err := u.any()
		if err == nil && decoded != nil {
			v.Set(reflect.ValueOf(decoded))
		}
		return err
	case hookClass, packClass:
		return u.hook(s, v)
	case pointerClass:
		if u.at < len(u.data) && u.data[u.at] == wireNil {
			u.at++
			return nil
		}
		if u.hops++; u.hops > 2*maxReadDepth {
			return refusal(tooDeep)
		}
		v.Set(reflect.New(s.elem.typ))
		err := u.value(s.elem, v.Elem())
		u.hops--
		return err
	default:
	}
	t, err := u.next()
	if err != nil {
		return err
	}
	if t.kind == nilKind {
		return nil // the zero value
	}
	if err = u.token(t, s, v); err != nil && err.path == "" && !err.deeper {
		u.at, err.deeper = start, true
	}
	return err
}

// token decodes the value that t begins.
func (u *unpacker) token(t token, s *shape, v reflect.Value) *fieldError {
	switch s.class {
	case boolClass:
		if t.kind != boolKind {
			return mismatch(t, s)
		}
		v.SetBool(t.bits != 0)
	case intClass:
		n := int64(t.bits)
		if t.kind != intKind && t.kind != uintKind {
			return mismatch(t, s)
		}
		if t.kind == uintKind && n < 0 || v.OverflowInt(n) {
			return outOfRange(t, s)
		}
		v.SetInt(n)
	case uintClass:
		if t.kind != intKind && t.kind != uintKind {
			return mismatch(t, s)
		}
		if t.kind == intKind || v.OverflowUint(t.bits) {
			return outOfRange(t, s)
		}
		v.SetUint(t.bits)
	case floatClass:
		return t.float(s, v)
	case stringClass, numberClass:
		if t.kind != stringKind && t.kind != binaryKind {
			return mismatch(t, s)
		}
		if !utf8.Valid(t.body) {
			return refusal(noUTF)
		}
		v.SetString(string(t.body))
	case bytesClass, rawClass:
		if t.kind != stringKind && t.kind != binaryKind {
			return mismatch(t, s)
		}
		v.SetBytes(append(make([]byte, 0, len(t.body)), t.body...))
	case byteArrayClass:
		if t.kind != stringKind && t.kind != binaryKind {
			return mismatch(t, s)
		}
		if len(t.body) != v.Len() {
			return refusal(fmt.Sprintf("%d bytes do not fit into %s", len(t.body), s.typ))
		}
		copy(v.Bytes(), t.body)
	case timeClass:
		decoded, err := t.time()
		if err == nil {
			*v.Addr().Interface().(*time.Time) = decoded
		}
		return err
	case jsonClass, textClass, binaryClass:
		if t.kind != stringKind && t.kind != binaryKind {
			return mismatch(t, s)
		}
		return t.method(s, v)
	case sliceClass, arrayClass, mapClass, structClass:
		want := arrayKind
		if s.class == mapClass || s.class == structClass {
			want = mapKind
		}
		if t.kind != want {
			return mismatch(t, s)
		}
		if err := u.enter(); err != nil {
			return err
		}
		defer u.leave()
		return u.composite(t.len, s, v)
	default:
		return mismatch(t, s)
	}
	return nil
}

// method lets a value decode itself. By their contracts such methods copy what
// they keep.
func (t token) method(s *shape, v reflect.Value) (wrong *fieldError) {
	defer func() {
		if r := recover(); r != nil {
			wrong = refusal(fmt.Sprintf("its method panicked: %v", r))
		}
	}()
	self := v.Addr().Interface()
	var err error
	switch s.class {
	case jsonClass:
		err = json.Unmarshal(t.body, self)
	case textClass:
		err = self.(encoding.TextUnmarshaler).UnmarshalText(t.body)
	default:
		err = self.(encoding.BinaryUnmarshaler).UnmarshalBinary(t.body)
	}
	if err != nil {
		return &fieldError{reason: err.Error(), err: err}
	}
	return nil
}

// hook lets a value read its MessagePack itself. It sees its own bytes only.
func (u *unpacker) hook(s *shape, v reflect.Value) (wrong *fieldError) {
	start := u.at
	if err := u.skip(); err != nil {
		return err
	}
	data := bytes.Clone(u.data[start:u.at])
	if len(data) == 1 && data[0] == wireNil {
		return nil
	}
	// vmihailenco's decoder, which such a method uses, panics on some bytes.
	defer func() {
		if r := recover(); r != nil {
			wrong = refusal(fmt.Sprintf("its msgpack method panicked: %v", r))
		}
	}()
	var err error
	if s.class == packClass {
		err = v.Addr().Interface().(msgpack.Unmarshaler).UnmarshalMsgpack(data)
	} else {
		r := bytes.NewReader(data)
		d := msgpack.NewDecoder(r)
		d.SetCustomStructTag("json")
		err = v.Addr().Interface().(msgpack.CustomDecoder).DecodeMsgpack(d)
		if err == nil && r.Len() > 0 {
			return refusal(fmt.Sprintf("its msgpack method left %d bytes of its value", r.Len()))
		}
	}
	if err != nil {
		return &fieldError{reason: err.Error(), err: err}
	}
	return nil
}
