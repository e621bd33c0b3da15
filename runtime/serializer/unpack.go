package serializer

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/esgen/esgen/runtime/serializer/msgpackwire"
)

// unpacker decodes MessagePack. Every declared length is held against the bytes
// that are left before anything is allocated for it.
type unpacker struct {
	*msgpackwire.Reader
	hops int // pointers on the way, which cost no byte
	// texts makes skip look at strings as encoding does.
	texts bool
}

// maxReadDepth bounds nesting on reading, as encoding/json does.
const maxReadDepth = msgpackwire.MaxReadDepth

// noUTF is what is wrong with bytes that are no text.
const noUTF = "a string is not valid UTF-8"

// next reads a header, and the content of strings, binary and extensions.
func (u *unpacker) next() (msgpackwire.Token, *fieldError) {
	t, err := u.Next()
	if err != nil {
		return t, refusal(err.Error())
	}
	return t, nil
}

// enter counts a level of nesting; call leave after it.
func (u *unpacker) enter() *fieldError {
	if u.Depth++; u.Depth > maxReadDepth {
		return refusal(fmt.Sprintf("nests more than %d levels deep", maxReadDepth))
	}
	return nil
}

func (u *unpacker) leave() { u.Depth-- }

// skip passes over one value.
func (u *unpacker) skip() *fieldError {
	t, err := u.next()
	if err != nil {
		return err
	}
	if u.texts && t.Kind == msgpackwire.StringKind {
		if reason := badText(string(t.Body)); reason != "" {
			return refusal(reason)
		}
	}
	if t.Kind != msgpackwire.ArrayKind && t.Kind != msgpackwire.MapKind {
		return nil
	}
	if err := u.enter(); err != nil {
		return err
	}
	defer u.leave()
	n := t.Len
	if t.Kind == msgpackwire.MapKind {
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
	start := u.At
	switch s.class {
	case refusedClass:
		return refusal(s.reason)
	case anyClass:
		decoded, err := u.any()
		if v.SetZero(); err == nil && decoded != nil {
			v.Set(reflect.ValueOf(decoded))
		}
		return err
	case hookClass, packClass:
		return u.hook(s, v)
	case pointerClass:
		if u.Nil() {
			v.SetZero()
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
	if t.Kind == msgpackwire.NilKind {
		if s.class != structClass { // which is zero, unless its name came twice
			v.SetZero()
		}
		return nil
	}
	if err = u.token(t, s, v); err != nil && err.path == "" && !err.deeper {
		u.At, err.deeper = start, true
	}
	return err
}

// token decodes the value that t begins.
func (u *unpacker) token(t msgpackwire.Token, s *shape, v reflect.Value) *fieldError {
	switch s.class {
	case boolClass:
		if t.Kind != msgpackwire.BoolKind {
			return mismatch(t, s)
		}
		v.SetBool(t.Bits != 0)
	case intClass:
		n := int64(t.Bits)
		if t.Kind != msgpackwire.IntKind && t.Kind != msgpackwire.UintKind {
			return mismatch(t, s)
		}
		if t.Kind == msgpackwire.UintKind && n < 0 || v.OverflowInt(n) {
			return outOfRange(t, s)
		}
		v.SetInt(n)
	case uintClass:
		if t.Kind != msgpackwire.IntKind && t.Kind != msgpackwire.UintKind {
			return mismatch(t, s)
		}
		if t.Kind == msgpackwire.IntKind || v.OverflowUint(t.Bits) {
			return outOfRange(t, s)
		}
		v.SetUint(t.Bits)
	case floatClass:
		return float(t, s, v)
	case stringClass, numberClass:
		if t.Kind != msgpackwire.StringKind && t.Kind != msgpackwire.BinaryKind {
			return mismatch(t, s)
		}
		if !utf8.Valid(t.Body) {
			return refusal(noUTF)
		}
		v.SetString(string(t.Body))
	case bytesClass, rawClass:
		if t.Kind != msgpackwire.StringKind && t.Kind != msgpackwire.BinaryKind {
			return mismatch(t, s)
		}
		v.SetBytes(append(make([]byte, 0, len(t.Body)), t.Body...))
	case byteArrayClass:
		if t.Kind != msgpackwire.StringKind && t.Kind != msgpackwire.BinaryKind {
			return mismatch(t, s)
		}
		if len(t.Body) != v.Len() {
			return refusal(fmt.Sprintf("%d bytes do not fit into %s", len(t.Body), s.typ))
		}
		copy(v.Bytes(), t.Body)
	case timeClass:
		decoded, err := t.Time()
		if err != nil {
			return refusal(err.Error())
		}
		*v.Addr().Interface().(*time.Time) = decoded
	case jsonClass, textClass, binaryClass:
		if t.Kind != msgpackwire.StringKind && t.Kind != msgpackwire.BinaryKind {
			return mismatch(t, s)
		}
		return ownMethod(t, s, v)
	case sliceClass, arrayClass, mapClass, structClass:
		want := msgpackwire.ArrayKind
		if s.class == mapClass || s.class == structClass {
			want = msgpackwire.MapKind
		}
		if t.Kind != want {
			return mismatch(t, s)
		}
		if err := u.enter(); err != nil {
			return err
		}
		defer u.leave()
		return u.composite(t.Len, s, v)
	default:
		return mismatch(t, s)
	}
	return nil
}

// mismatch is the error of a token that a type cannot take.
func mismatch(t msgpackwire.Token, s *shape) *fieldError {
	return refusal(t.Kind.String() + " does not fit into " + s.typ.String())
}

func outOfRange(t msgpackwire.Token, s *shape) *fieldError {
	if t.Kind == msgpackwire.IntKind {
		return refusal(fmt.Sprintf("the number %d is out of the range of %s", int64(t.Bits), s.typ))
	}
	return refusal(fmt.Sprintf("the number %d is out of the range of %s", t.Bits, s.typ))
}

// float takes integers too, if the type holds them exactly.
func float(t msgpackwire.Token, s *shape, v reflect.Value) *fieldError {
	single := s.typ.Kind() == reflect.Float32
	f, exact, ok := t.Float(single)
	switch {
	case !ok:
		return mismatch(t, s)
	case !exact:
		return refusal(fmt.Sprintf("a number is not exact in %s", s.typ))
	case single && t.Single:
		// Through float64 a signalling NaN would change its bits.
		*v.Addr().Convert(reflect.TypeFor[*float32]()).Interface().(*float32) = math.Float32frombits(uint32(t.Bits))
	default:
		v.SetFloat(f)
	}
	return nil
}

// ownMethod lets a value decode itself. By their contracts such methods copy what
// they keep.
func ownMethod(t msgpackwire.Token, s *shape, v reflect.Value) (wrong *fieldError) {
	defer func() {
		if r := recover(); r != nil {
			wrong = refusal(fmt.Sprintf("its method panicked: %v", r))
		}
	}()
	self := v.Addr().Interface()
	var err error
	switch s.class {
	case jsonClass:
		err = json.Unmarshal(t.Body, self)
	case textClass:
		err = self.(encoding.TextUnmarshaler).UnmarshalText(t.Body)
	default:
		err = self.(encoding.BinaryUnmarshaler).UnmarshalBinary(t.Body)
	}
	if err != nil {
		return &fieldError{reason: err.Error(), err: err}
	}
	return nil
}

// hook lets a value read its MessagePack itself. It sees its own bytes only.
func (u *unpacker) hook(s *shape, v reflect.Value) (wrong *fieldError) {
	start := u.At
	if err := u.skip(); err != nil {
		return err
	}
	data := bytes.Clone(u.Data[start:u.At])
	if (&msgpackwire.Reader{Data: data}).Nil() {
		v.SetZero()
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
