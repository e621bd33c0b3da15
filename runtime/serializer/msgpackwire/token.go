package msgpackwire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// Kind is the family of a wire code.
type Kind uint8

// The kinds of wire codes.
const (
	NoKind Kind = iota
	NilKind
	BoolKind
	IntKind // a number below 0
	UintKind
	FloatKind
	StringKind
	BinaryKind
	ArrayKind
	MapKind
	ExtKind
)

var kindNames = [...]string{"an invalid code", "nil", "a bool", "a negative integer", "an integer", "a float", "a string", "binary", "an array", "a map", "an extension"}

// String says what it is in words: "a string".
func (k Kind) String() string { return kindNames[k] }

// Token is one wire header with its content, if that is not made of other values.
type Token struct {
	Kind Kind
	// Bits are those of a number or a bool.
	Bits uint64
	// Single tells a float of 32 bits.
	Single bool
	// Ext is the type of an extension.
	Ext byte
	// Body is what a string, binary or extension holds. It is a part of the data.
	Body []byte
	// Len counts the elements of an array, or the pairs of a map.
	Len int
}

var (
	errShort = errors.New("the data ends within a value")
	errCode  = errors.New("code 0xc1 is none of MessagePack's")
)

// Next reads a header, and the content of strings, binary and extensions. Every
// declared length is held against the bytes that are left.
func (r *Reader) Next() (Token, error) {
	if r.At >= len(r.Data) {
		return Token{}, errShort
	}
	c := r.Data[r.At]
	r.At++
	var t Token
	var declared uint64 // elements, pairs or bytes
	size := 0           // of the length or number that follows
	switch {
	case c <= 0x7f:
		return Token{Kind: UintKind, Bits: uint64(c)}, nil
	case c <= 0x8f:
		t.Kind, declared = MapKind, uint64(c&0x0f)
	case c <= 0x9f:
		t.Kind, declared = ArrayKind, uint64(c&0x0f)
	case c <= 0xbf:
		t.Kind, declared = StringKind, uint64(c&0x1f)
	case c == codeNil:
		return Token{Kind: NilKind}, nil
	case c == codeFalse, c == codeTrue:
		return Token{Kind: BoolKind, Bits: uint64(c & 1)}, nil
	case c >= 0xe0:
		return Token{Kind: IntKind, Bits: uint64(int64(int8(c)))}, nil
	case c >= codeMap16:
		t.Kind, size = MapKind, 2<<(c-codeMap16)
	case c >= codeArray16:
		t.Kind, size = ArrayKind, 2<<(c-codeArray16)
	case c >= codeStr8:
		t.Kind, size = StringKind, 1<<(c-codeStr8)
	case c >= codeFixExt1:
		t.Kind, declared = ExtKind, 1<<(c-codeFixExt1)
	case c >= codeInt8:
		t.Kind, size = IntKind, 1<<(c-codeInt8)
	case c >= codeUint8:
		t.Kind, size = UintKind, 1<<(c-codeUint8)
	case c >= codeFloat32:
		t.Kind, size, t.Single = FloatKind, 4<<(c-codeFloat32), c == codeFloat32
	case c >= codeExt8:
		t.Kind, size = ExtKind, 1<<(c-codeExt8)
	case c >= codeBin8:
		t.Kind, size = BinaryKind, 1<<(c-codeBin8)
	default:
		r.At--
		return Token{}, errCode
	}
	if size > 0 {
		n, ok := r.number(size)
		if !ok {
			return Token{}, errShort
		}
		switch t.Kind {
		default:
			declared = n
		case UintKind, FloatKind:
			t.Bits = n
			return t, nil
		case IntKind:
			signed := int64(n<<(64-8*size)) >> (64 - 8*size)
			t.Bits = uint64(signed)
			if signed >= 0 {
				t.Kind = UintKind
			}
			return t, nil
		}
	}
	// An element takes at least one byte, a pair two.
	left := len(r.Data) - r.At
	if t.Kind == MapKind {
		left /= 2
	}
	if t.Kind == ExtKind {
		left--
	}
	if left < 0 || declared > uint64(left) {
		return Token{}, fmt.Errorf("%s declares %d elements or bytes where only %d can follow", t.Kind, declared, max(left, 0))
	}
	t.Len = int(declared)
	if t.Kind == ExtKind {
		t.Ext = r.Data[r.At]
		r.At++
	}
	if t.Kind == StringKind || t.Kind == BinaryKind || t.Kind == ExtKind {
		t.Body = r.Data[r.At : r.At+t.Len : r.At+t.Len]
		r.At += t.Len
	}
	return t, nil
}

// number reads 1, 2, 4 or 8 bytes.
func (r *Reader) number(size int) (uint64, bool) {
	if len(r.Data)-r.At < size {
		return 0, false
	}
	var n uint64
	switch from := r.Data[r.At:]; size {
	case 1:
		n = uint64(from[0])
	case 2:
		n = uint64(binary.BigEndian.Uint16(from))
	case 4:
		n = uint64(binary.BigEndian.Uint32(from))
	default:
		n = binary.BigEndian.Uint64(from)
	}
	r.At += size
	return n, true
}

// Float returns the number that t holds, and whether a float64, or a float32 if
// single, holds it exactly. It is false if t is no number.
func (t Token) Float(single bool) (f float64, exact, ok bool) {
	exact = true
	switch {
	case t.Kind == FloatKind && t.Single:
		f = float64(math.Float32frombits(uint32(t.Bits)))
	case t.Kind == FloatKind:
		f = math.Float64frombits(t.Bits)
	case t.Kind == IntKind:
		f = float64(int64(t.Bits))
		exact = f >= math.MinInt64 && int64(f) == int64(t.Bits)
	case t.Kind == UintKind:
		f = float64(t.Bits)
		exact = f < 1<<64 && uint64(f) == t.Bits
	default:
		return 0, false, false
	}
	if single && f == f && float64(float32(f)) != f {
		exact = false
	}
	return f, exact, true
}

// Time returns the timestamp that t is, in UTC.
func (t Token) Time() (time.Time, error) {
	if t.Kind != ExtKind || t.Ext != extTime {
		return time.Time{}, errors.New(t.Kind.String() + " is no timestamp")
	}
	var n uint64
	for _, b := range t.Body[max(0, len(t.Body)-8):] {
		n = n<<8 | uint64(b)
	}
	seconds, nanos := int64(n), uint64(0)
	switch len(t.Body) {
	case 4:
	case 8:
		seconds, nanos = int64(n&(1<<34-1)), n>>34
	case 12:
		for _, b := range t.Body[:4] {
			nanos = nanos<<8 | uint64(b)
		}
	default:
		return time.Time{}, fmt.Errorf("a timestamp of %d bytes", len(t.Body))
	}
	if nanos > 999_999_999 {
		return time.Time{}, errors.New("a timestamp of more than 999999999 nanoseconds")
	}
	if seconds < FirstSecond || seconds > LastSecond {
		return time.Time{}, fmt.Errorf("a timestamp of %d seconds; years 0 to 9999 are stored", seconds)
	}
	return time.Unix(seconds, int64(nanos)).UTC(), nil
}
