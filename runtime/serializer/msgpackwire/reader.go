package msgpackwire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// MaxReadDepth is how many arrays and maps may stand one within the other.
const MaxReadDepth = 10_000

// firstElements is how many elements are allocated for on a declared length
// alone; for more, the elements must come.
const firstElements = 64

// Reader reads one value after the other. The zero Reader has nothing to read. It
// is not safe for concurrent use.
type Reader struct {
	// Data is what is read. What is decoded does not refer to it.
	Data []byte
	// At is where the next value begins.
	At int
	// Depth counts the arrays and maps that are open.
	Depth int

	err error
}

// Err returns the first failure, or nil.
func (r *Reader) Err() error { return r.err }

// Fail makes the Reader fail. Nothing can be read any more, so that callers need
// not look.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.Data, r.At = nil, 0
}

// kinds is a set of kinds.
type kinds uint16

const (
	bools    kinds = 1 << BoolKind
	integers kinds = 1<<IntKind | 1<<UintKind
	numbers  kinds = integers | 1<<FloatKind
	texts    kinds = 1<<StringKind | 1<<BinaryKind
	arrays   kinds = 1 << ArrayKind
	maps     kinds = 1 << MapKind
	exts     kinds = 1 << ExtKind
)

// next is Next for typed reading, which takes nil for the zero value.
func (r *Reader) next(want kinds, what string) (Token, bool) {
	t, err := r.Next()
	switch {
	case err != nil:
		r.Fail(err)
	case want>>t.Kind&1 != 0:
		return t, true
	case t.Kind != NilKind:
		r.Fail(errors.New(t.Kind.String() + " does not fit into " + what))
	}
	return Token{}, false
}

// short reads a string or binary with a short header. It is false if another one
// follows, or too little.
func (r *Reader) short() ([]byte, bool) {
	at := r.At
	if at >= len(r.Data) {
		return nil, false
	}
	n := int(r.Data[at]) - 0xa0
	if at++; n < 0 || n > 0x1f {
		if n != codeStr8-0xa0 && n != codeBin8-0xa0 || at >= len(r.Data) {
			return nil, false
		}
		n = int(r.Data[at])
		at++
	}
	if n > len(r.Data)-at {
		return nil, false
	}
	r.At = at + n
	return r.Data[at : at+n], true
}

// Nil reports whether the next value is nil, and passes over it if so.
func (r *Reader) Nil() bool {
	if r.At < len(r.Data) && r.Data[r.At] == codeNil {
		r.At++
		return true
	}
	return false
}

// Map begins a map, and returns the number of its pairs or -1 for nil. [Reader.More]
// counts them down and ends it.
func (r *Reader) Map() int {
	if at := r.At; at < len(r.Data) {
		if c := r.Data[at]; c&0xf0 == 0x80 {
			if n := int(c & 0x0f); 2*n < len(r.Data)-at {
				r.At++
				return r.enter(n)
			}
		}
	}
	if t, ok := r.next(maps, "a map"); ok {
		return r.enter(t.Len)
	}
	return -1
}

// Array begins an array, and returns the number of its elements or -1 for nil.
// [Reader.More] counts them down and ends it.
func (r *Reader) Array() int {
	if t, ok := r.next(arrays, "an array"); ok {
		return r.enter(t.Len)
	}
	return -1
}

func (r *Reader) enter(n int) int {
	if r.Depth >= MaxReadDepth {
		r.Fail(fmt.Errorf("nests more than %d levels deep", MaxReadDepth))
		return -1
	}
	r.Depth++
	return n
}

// More reports whether an element or pair follows, of the n that are to come.
func (r *Reader) More(n *int) bool {
	if *n > 0 && r.err == nil {
		*n--
		return true
	}
	if *n >= 0 {
		r.Depth--
	}
	return false
}

// Key reads the name of a field. The result is a part of the data.
func (r *Reader) Key() []byte {
	if name, ok := r.short(); ok {
		return name
	}
	t, ok := r.next(texts, "the name of a field")
	if !ok {
		r.Fail(errors.New("nil where the name of a field belongs"))
	}
	return t.Body
}

// Skip passes over one value.
func (r *Reader) Skip() {
	t, err := r.Next()
	if err != nil {
		r.Fail(err)
		return
	}
	n := t.Len
	switch t.Kind {
	case MapKind:
		n *= 2
	case ArrayKind:
	default:
		return
	}
	for n = r.enter(n); r.More(&n); {
		r.Skip()
	}
}

// ReadBool reads true or false.
func ReadBool[T ~bool](r *Reader, into *T) {
	t, _ := r.next(bools, "a bool")
	*into = t.Bits != 0
}

// positive reads a number of at most 32 bits, which most are. It is false if
// another value follows, or too little.
func (r *Reader) positive() (int64, bool) {
	if r.At >= len(r.Data) {
		return 0, false
	}
	from := r.Data[r.At:]
	switch c := from[0]; {
	case c <= math.MaxInt8:
		r.At++
		return int64(c), true
	case c == codeUint8 && len(from) > 1:
		r.At += 2
		return int64(from[1]), true
	case c == codeUint16 && len(from) > 2:
		r.At += 3
		return int64(binary.BigEndian.Uint16(from[1:])), true
	case c == codeUint32 && len(from) > 4:
		r.At += 5
		return int64(binary.BigEndian.Uint32(from[1:])), true
	}
	return 0, false
}

// ReadInt reads a whole number that T holds.
func ReadInt[T ~int | ~int8 | ~int16 | ~int32 | ~int64](r *Reader, into *T) {
	if n, ok := r.positive(); ok {
		if *into = T(n); int64(*into) != n {
			r.outOfRange(Token{Kind: UintKind, Bits: uint64(n)})
		}
		return
	}
	t, _ := r.next(integers, "an integer")
	n := int64(t.Bits)
	if *into = T(n); int64(*into) != n || t.Kind == UintKind && n < 0 {
		r.outOfRange(t)
	}
}

// ReadUint reads a whole number that T holds.
func ReadUint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr](r *Reader, into *T) {
	t, _ := r.next(integers, "an integer")
	if *into = T(t.Bits); uint64(*into) != t.Bits || t.Kind == IntKind {
		r.outOfRange(t)
	}
}

func (r *Reader) outOfRange(t Token) {
	if t.Kind == IntKind {
		r.Fail(fmt.Errorf("the number %d is out of range", int64(t.Bits)))
	} else {
		r.Fail(fmt.Errorf("the number %d is out of range", t.Bits))
	}
}

// ReadFloat32 reads a number that T holds exactly.
func ReadFloat32[T ~float32](r *Reader, into *T) {
	t, _ := r.next(numbers, "a float")
	if t.Single { // through float64 a signalling NaN would change its bits
		*into = T(math.Float32frombits(uint32(t.Bits)))
		return
	}
	*into = T(r.float(t, true))
}

// ReadFloat64 reads a number that T holds exactly.
func ReadFloat64[T ~float64](r *Reader, into *T) {
	t, _ := r.next(numbers, "a float")
	*into = T(r.float(t, false))
}

func (r *Reader) float(t Token, single bool) float64 {
	f, exact, ok := t.Float(single)
	if ok && !exact {
		r.Fail(errors.New("a number is not exact as a float"))
	}
	return f
}

// body reads a string or binary. It is nil for nil.
func (r *Reader) body() []byte {
	if body, ok := r.short(); ok {
		return body
	}
	t, _ := r.next(texts, "a string")
	return t.Body
}

// ReadString reads a text, which must be valid UTF-8.
func ReadString[T ~string](r *Reader, into *T) {
	body := r.body()
	if !utf8.Valid(body) {
		r.Fail(errors.New("a string is not valid UTF-8"))
		return
	}
	*into = T(body)
}

// ReadBytes reads binary data and copies it.
func ReadBytes[T ~[]byte](r *Reader, into *T) {
	body := r.body()
	if body == nil {
		*into = nil
		return
	}
	*into = append(make([]byte, 0, len(body)), body...)
}

// ReadFixed reads exactly as many bytes as into has.
func (r *Reader) ReadFixed(into []byte) {
	body := r.body()
	switch {
	case body == nil:
		clear(into)
	case len(body) != len(into):
		r.Fail(fmt.Errorf("%d bytes do not fit into %d", len(body), len(into)))
	default:
		copy(into, body)
	}
}

// ReadTime reads a timestamp, in UTC.
func (r *Reader) ReadTime(into *time.Time) {
	t, ok := r.next(exts, "a time")
	if !ok {
		*into = time.Time{}
		return
	}
	at, err := t.Time()
	if err != nil {
		r.Fail(err)
	}
	*into = at
}

// ReadSlice begins an array and makes the slice for it, nil for nil. [Add] makes
// room for each element.
func ReadSlice[S ~[]E, E any](r *Reader, into *S) int {
	n := r.Array()
	if *into = nil; n >= 0 {
		*into = make(S, 0, min(n, firstElements))
	}
	return n
}

// Add adds a zero element to a slice and returns its place.
func Add[S ~[]E, E any](s *S) *E {
	var zero E
	*s = append(*s, zero)
	return &(*s)[len(*s)-1]
}

// ReadMap begins a map and makes it, nil for nil.
func ReadMap[M ~map[K]V, K comparable, V any](r *Reader, into *M) int {
	n := r.Map()
	if *into = nil; n >= 0 {
		*into = make(M, min(n, firstElements))
	}
	return n
}

// ReadTextMap reads a map of texts.
func ReadTextMap[M ~map[K]V, K, V ~string](r *Reader, into *M) {
	for n := ReadMap(r, into); r.More(&n); {
		var key K
		var value V
		ReadString(r, &key)
		ReadString(r, &value)
		(*into)[key] = value
	}
}
