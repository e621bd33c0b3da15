package serializer

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"sync"

	"github.com/esgen/esgen/runtime/serializer/msgpackwire"
)

// MsgpackCodec writes and reads one type field by field, instead of by
// reflection. Make one with [MsgpackOf]; esgen generates them for packages with
// the directive //esgen:package msgpack=generated.
type MsgpackCodec struct {
	goType reflect.Type
	write  func(*msgpackwire.Writer, []byte, any) []byte
	read   func(*msgpackwire.Reader, any)
}

// MsgpackOf describes how T is written and read: to the same bytes, and from the
// same bytes to the same value, as [Msgpack] does without it.
func MsgpackOf[T any](write func(*msgpackwire.Writer, []byte, T) []byte, read func(*msgpackwire.Reader, *T)) MsgpackCodec {
	return MsgpackCodec{
		goType: reflect.TypeFor[T](),
		write: func(w *msgpackwire.Writer, dst []byte, v any) []byte {
			if pointer, ok := v.(*T); ok {
				return write(w, dst, *pointer)
			}
			return write(w, dst, v.(T))
		},
		read: func(r *msgpackwire.Reader, into any) { read(r, into.(*T)) },
	}
}

// msgpackCodecs are by the addresses of their types, for that is the fastest way to
// find one. A Msgpack holds a pointer to them, so that it can be compared.
type msgpackCodecs map[uintptr]MsgpackCodec

// With returns a Msgpack that writes and reads these types by their codecs, and
// others as before. What a codec refuses is decided, and its error written, by
// reflection.
func (m Msgpack) With(codecs ...MsgpackCodec) Msgpack {
	all := msgpackCodecs{}
	if m.codecs != nil {
		maps.Copy(all, *m.codecs)
	}
	for _, c := range codecs {
		all[address(c.goType)] = c
	}
	return Msgpack{&all}
}

func address(t reflect.Type) uintptr { return reflect.ValueOf(t).Pointer() }

// of returns the codec of v, an event or a pointer to one.
func (c *msgpackCodecs) of(v any) (MsgpackCodec, bool) {
	if c == nil {
		return MsgpackCodec{}, false
	}
	t := reflect.TypeOf(v)
	if t == nil {
		return MsgpackCodec{}, false
	}
	if t.Kind() == reflect.Pointer {
		if reflect.ValueOf(v).IsNil() {
			return MsgpackCodec{}, false
		}
		t = t.Elem()
	}
	found, ok := (*c)[address(t)]
	return found, ok
}

// writing is a Writer with the room in which events are encoded before their size
// is known.
type writing struct {
	msgpackwire.Writer
	room []byte
}

var writers = sync.Pool{New: func() any { return new(writing) }}

var readers = sync.Pool{New: func() any { return new(msgpackwire.Reader) }}

// marshal is false if the value is refused.
func (c MsgpackCodec) marshal(v any) ([]byte, bool) {
	w := writers.Get().(*writing)
	defer writers.Put(w)
	w.Reset()
	data := c.write(&w.Writer, w.room[:0], v)
	if cap(data) <= maxKeptBuffer {
		w.room = data
	}
	if w.Err() != nil {
		return nil, false
	}
	return bytes.Clone(data), true
}

// unmarshal is false if the data is refused.
func (c MsgpackCodec) unmarshal(data []byte, into any) bool {
	r := readers.Get().(*msgpackwire.Reader)
	*r = msgpackwire.Reader{Data: data}
	c.read(r, into)
	good := r.Err() == nil && r.At == len(data)
	*r = msgpackwire.Reader{}
	readers.Put(r)
	return good
}

// WriteMsgpack appends v as [Msgpack] does, for the fields of generated codecs that
// are of no common kind. It is for generated code.
func WriteMsgpack[T any](w *msgpackwire.Writer, dst []byte, v T) []byte {
	if w.Err() != nil {
		return dst
	}
	value := reflect.ValueOf(&v).Elem()
	p := packer{depth: w.Depth}
	data, wrong := p.value(dst, shapeOf(value.Type(), msgpackCodec), value)
	if wrong != nil {
		w.Fail(fmt.Errorf("%s%s", inField(wrong.path), wrong.reason))
	}
	return data
}

// ReadMsgpack reads into a value as [Msgpack] does, for the fields of generated
// codecs that are of no common kind. It is for generated code.
func ReadMsgpack[T any](r *msgpackwire.Reader, into *T) {
	if r.Err() != nil {
		return
	}
	target := reflect.ValueOf(into).Elem()
	u := unpacker{Reader: r}
	if wrong := u.value(shapeOf(target.Type(), msgpackCodec), target); wrong != nil {
		r.Fail(fmt.Errorf("%s%s", inField(wrong.path), wrong.reason))
	}
}
