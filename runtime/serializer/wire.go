package serializer

import (
	"encoding/binary"
	"math"
	"time"
)

// The wire format is that of vmihailenco/msgpack with compact integers, sorted
// keys and its default time: one test compares the bytes.
const (
	wireNil     = 0xc0
	wireFalse   = 0xc2
	wireTrue    = 0xc3
	wireBin8    = 0xc4
	wireBin16   = 0xc5
	wireBin32   = 0xc6
	wireExt8    = 0xc7
	wireExt16   = 0xc8
	wireExt32   = 0xc9
	wireFloat32 = 0xca
	wireFloat64 = 0xcb
	wireUint8   = 0xcc
	wireUint16  = 0xcd
	wireUint32  = 0xce
	wireUint64  = 0xcf
	wireInt8    = 0xd0
	wireInt16   = 0xd1
	wireInt32   = 0xd2
	wireInt64   = 0xd3
	wireFixExt1 = 0xd4
	wireFixExt4 = 0xd6
	wireFixExt8 = 0xd7
	wireStr8    = 0xd9
	wireStr16   = 0xda
	wireStr32   = 0xdb
	wireArray16 = 0xdc
	wireArray32 = 0xdd
	wireMap16   = 0xde
	wireMap32   = 0xdf

	// extTime is the extension type of MessagePack's timestamps, -1.
	extTime = 0xff

	// The first second of year 0 and the last of year 9999, in UTC.
	firstSecond = -62167219200
	lastSecond  = 253402300799
)

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, wireTrue)
	}
	return append(dst, wireFalse)
}

func appendUint(dst []byte, n uint64) []byte {
	switch {
	case n <= math.MaxInt8:
		return append(dst, byte(n))
	case n <= math.MaxUint8:
		return append(dst, wireUint8, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, wireUint16), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, wireUint32), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, wireUint64), n)
}

func appendInt(dst []byte, n int64) []byte {
	switch {
	case n >= 0:
		return appendUint(dst, uint64(n))
	case n >= -32:
		return append(dst, byte(n))
	case n >= math.MinInt8:
		return append(dst, wireInt8, byte(n))
	case n >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(dst, wireInt16), uint16(n))
	case n >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(dst, wireInt32), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, wireInt64), uint64(n))
}

func appendFloat32(dst []byte, f float32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, wireFloat32), math.Float32bits(f))
}

func appendFloat64(dst []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, wireFloat64), math.Float64bits(f))
}

// appendLen appends a header with a length of up to 16 or 32 bits.
func appendLen(dst []byte, code16 byte, n int) []byte {
	if n <= math.MaxUint16 {
		return binary.BigEndian.AppendUint16(append(dst, code16), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, code16+1), uint32(n))
}

func appendString(dst []byte, s string) []byte {
	switch n := len(s); {
	case n < 32:
		dst = append(dst, 0xa0|byte(n))
	case n <= math.MaxUint8:
		dst = append(dst, wireStr8, byte(n))
	default:
		dst = appendLen(dst, wireStr16, n)
	}
	return append(dst, s...)
}

func appendBytesLen(dst []byte, n int) []byte {
	if n <= math.MaxUint8 {
		return append(dst, wireBin8, byte(n))
	}
	return appendLen(dst, wireBin16, n)
}

func appendBytes(dst, b []byte) []byte { return append(appendBytesLen(dst, len(b)), b...) }

func appendArrayLen(dst []byte, n int) []byte {
	if n < 16 {
		return append(dst, 0x90|byte(n))
	}
	return appendLen(dst, wireArray16, n)
}

func appendMapLen(dst []byte, n int) []byte {
	if n < 16 {
		return append(dst, 0x80|byte(n))
	}
	return appendLen(dst, wireMap16, n)
}

func appendTime(dst []byte, t time.Time) []byte {
	seconds, nanos := uint64(t.Unix()), uint64(t.Nanosecond())
	switch {
	case seconds>>34 != 0:
		dst = binary.BigEndian.AppendUint32(append(dst, wireExt8, 12, extTime), uint32(nanos))
		return binary.BigEndian.AppendUint64(dst, seconds)
	case nanos == 0 && seconds <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, wireFixExt4, extTime), uint32(seconds))
	}
	return binary.BigEndian.AppendUint64(append(dst, wireFixExt8, extTime), nanos<<34|seconds)
}
