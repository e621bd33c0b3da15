package serializer

import (
	"fmt"
	"math"
	"reflect"
	"time"
)

// kind is the family of a wire code.
type kind uint8

const (
	noKind kind = iota
	nilKind
	boolKind
	intKind // number holds an int64, which is negative
	uintKind
	floatKind
	stringKind
	binaryKind
	arrayKind
	mapKind
	extKind
)

var kindNames = [...]string{"an invalid code", "nil", "a bool", "a negative integer", "an integer", "a float", "a string", "binary", "an array", "a map", "an extension"}

// token is one wire header with its content, if that is not made of other values.
type token struct {
	kind   kind
	bits   uint64 // of a number or a bool
	single bool   // a float of 32 bits
	body   []byte // of a string, binary or extension
	ext    byte
	len    int // of an array, or a map in pairs
}

func (u *unpacker) uint(size int) (uint64, bool) {
	if len(u.data)-u.at < size {
		return 0, false
	}
	var n uint64
	for _, b := range u.data[u.at : u.at+size] {
		n = n<<8 | uint64(b)
	}
	u.at += size
	return n, true
}

const (
	errShort = "the data ends within a value"
	noUTF    = "a string is not valid UTF-8"
)

// next reads a header, and the content of strings, binary and extensions.
func (u *unpacker) next() (token, *fieldError) {
	if u.at >= len(u.data) {
		return token{}, refusal(errShort)
	}
	c := u.data[u.at]
	u.at++
	var t token
	var declared uint64 // elements, pairs or bytes
	size := 0           // of the length or number that follows
	switch {
	case c <= 0x7f:
		return token{kind: uintKind, bits: uint64(c)}, nil
	case c <= 0x8f:
		t.kind, declared = mapKind, uint64(c&0x0f)
	case c <= 0x9f:
		t.kind, declared = arrayKind, uint64(c&0x0f)
	case c <= 0xbf:
		t.kind, declared = stringKind, uint64(c&0x1f)
	case c == wireNil:
		return token{kind: nilKind}, nil
	case c == wireFalse, c == wireTrue:
		return token{kind: boolKind, bits: uint64(c & 1)}, nil
	case c >= 0xe0:
		return token{kind: intKind, bits: uint64(int64(int8(c)))}, nil
	case c >= wireMap16:
		t.kind, size = mapKind, 2<<(c-wireMap16)
	case c >= wireArray16:
		t.kind, size = arrayKind, 2<<(c-wireArray16)
	case c >= wireStr8:
		t.kind, size = stringKind, 1<<(c-wireStr8)
	case c >= wireFixExt1:
		t.kind, declared = extKind, 1<<(c-wireFixExt1)
	case c >= wireInt8:
		t.kind, size = intKind, 1<<(c-wireInt8)
	case c >= wireUint8:
		t.kind, size = uintKind, 1<<(c-wireUint8)
	case c >= wireFloat32:
		t.kind, size, t.single = floatKind, 4<<(c-wireFloat32), c == wireFloat32
	case c >= wireExt8:
		t.kind, size = extKind, 1<<(c-wireExt8)
	case c >= wireBin8:
		t.kind, size = binaryKind, 1<<(c-wireBin8)
	default:
		u.at--
		return token{}, refusal("code 0xc1 is none of MessagePack's")
	}
	if size > 0 {
		n, ok := u.uint(size)
		if !ok {
			return token{}, refusal(errShort)
		}
		switch t.kind {
		default:
			declared = n
		case uintKind, floatKind:
			t.bits = n
			return t, nil
		case intKind:
			signed := int64(n<<(64-8*size)) >> (64 - 8*size)
			t.bits = uint64(signed)
			if signed >= 0 {
				t.kind = uintKind
			}
			return t, nil
		}
	}
	// An element takes at least one byte, a pair two.
	left := len(u.data) - u.at
	if t.kind == mapKind {
		left /= 2
	}
	if t.kind == extKind {
		left--
	}
	if left < 0 || declared > uint64(left) {
		return token{}, refusal(fmt.Sprintf("%s declares %d elements or bytes where only %d can follow", kindNames[t.kind], declared, max(left, 0)))
	}
	t.len = int(declared)
	if t.kind == extKind {
		t.ext = u.data[u.at]
		u.at++
	}
	if t.kind == stringKind || t.kind == binaryKind || t.kind == extKind {
		t.body = u.data[u.at : u.at+t.len : u.at+t.len]
		u.at += t.len
	}
	return t, nil
}

// mismatch is the error of a token that a type cannot take.
func mismatch(t token, s *shape) *fieldError {
	return refusal(kindNames[t.kind] + " does not fit into " + s.typ.String())
}

func outOfRange(t token, s *shape) *fieldError {
	if t.kind == intKind {
		return refusal(fmt.Sprintf("the number %d is out of the range of %s", int64(t.bits), s.typ))
	}
	return refusal(fmt.Sprintf("the number %d is out of the range of %s", t.bits, s.typ))
}

// float takes integers too, if the type holds them exactly.
func (t token) float(s *shape, v reflect.Value) *fieldError {
	var f float64
	exact := true
	switch {
	case t.kind == floatKind && t.single:
		f = float64(math.Float32frombits(uint32(t.bits)))
	case t.kind == floatKind:
		f = math.Float64frombits(t.bits)
	case t.kind == intKind:
		f = float64(int64(t.bits))
		exact = f >= math.MinInt64 && int64(f) == int64(t.bits)
	case t.kind == uintKind:
		f = float64(t.bits)
		exact = f < 1<<64 && uint64(f) == t.bits
	default:
		return mismatch(t, s)
	}
	if s.typ.Kind() == reflect.Float32 && f == f && float64(float32(f)) != f {
		exact = false
	}
	if !exact {
		return refusal(fmt.Sprintf("a number is not exact in %s", s.typ))
	}
	if s.typ.Kind() == reflect.Float32 && t.single {
		// Through float64 a signalling NaN would change its bits.
		*v.Addr().Convert(reflect.TypeFor[*float32]()).Interface().(*float32) = math.Float32frombits(uint32(t.bits))
		return nil
	}
	v.SetFloat(f)
	return nil
}

func (t token) time() (time.Time, *fieldError) {
	if t.kind != extKind || t.ext != extTime {
		return time.Time{}, refusal(kindNames[t.kind] + " is no timestamp")
	}
	var n uint64
	for _, b := range t.body[max(0, len(t.body)-8):] {
		n = n<<8 | uint64(b)
	}
	seconds, nanos := int64(n), uint64(0)
	switch len(t.body) {
	case 4:
	case 8:
		seconds, nanos = int64(n&(1<<34-1)), n>>34
	case 12:
		for _, b := range t.body[:4] {
			nanos = nanos<<8 | uint64(b)
		}
	default:
		return time.Time{}, refusal(fmt.Sprintf("a timestamp of %d bytes", len(t.body)))
	}
	if nanos > 999_999_999 {
		return time.Time{}, refusal("a timestamp of more than 999999999 nanoseconds")
	}
	if seconds < firstSecond || seconds > lastSecond {
		return time.Time{}, refusal(fmt.Sprintf("a timestamp of %d seconds; years 0 to 9999 are stored", seconds))
	}
	return time.Unix(seconds, int64(nanos)).UTC(), nil
}
