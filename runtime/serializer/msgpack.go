package serializer

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"

	"github.com/esgen/esgen/runtime/serializer/msgpackwire"
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
// fit, ignores trailing bytes, and starts goroutines that never end. [Msgpack.With]
// takes the reflection out of types for which esgen has generated code.
type Msgpack struct{ codecs *msgpackCodecs }

const msgpackFormat = "msgpack"

// Format returns "msgpack".
func (Msgpack) Format() string { return msgpackFormat }

// Marshal implements [Serializer]. Its error is an [*EncodeError].
func (m Msgpack) Marshal(v any) ([]byte, error) {
	if c, ok := m.codecs.of(v); ok {
		if data, good := c.marshal(v); good {
			return data, nil
		}
	}
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
		return nil, encodeError(msgpackFormat, v, wrong)
	}
	return bytes.Clone(data), nil
}

// buffers are where events are encoded before their size is known.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxKeptBuffer bounds what one large event leaves behind in the pool.
const maxKeptBuffer = 64 << 10

// Unmarshal implements [Serializer]. Names match exactly. Its error is a
// [*DecodeError].
func (m Msgpack) Unmarshal(data []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return &DecodeError{Format: msgpackFormat, GoType: goType(v), Offset: -1, Err: errNoTarget}
	}
	target = target.Elem()
	if c, ok := m.codecs.of(v); ok {
		if c.unmarshal(data, v) {
			return nil
		}
		target.SetZero()
	}
	u := unpacker{Reader: &msgpackwire.Reader{Data: data}}
	wrong := u.value(shapeOf(target.Type(), msgpackCodec), target)
	if wrong == nil && u.At != len(data) {
		wrong = refusal(fmt.Sprintf("%d bytes follow the value", len(data)-u.At))
	}
	if wrong != nil {
		err := wrong.err
		if err == nil {
			err = fmt.Errorf("%s", wrong.reason)
		}
		return &DecodeError{Format: msgpackFormat, GoType: goType(v), Field: wrong.path, Offset: int64(u.At), Err: err}
	}
	return nil
}
