package msgpackwire

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxDepth is how many arrays and maps may stand one within the other in what is
// written.
const MaxDepth = 1000

// Writer appends one value after the other to Data. The zero Writer is ready. It
// is not safe for concurrent use.
type Writer struct {
	// Data is what is written. After a failure it is of no use.
	Data []byte
	// Depth counts the arrays and maps that are open.
	Depth int

	keys []string // of the maps that are being written
	err  error
}

// Err returns the first failure, or nil.
func (w *Writer) Err() error { return w.err }

// Reset makes the Writer as good as new, but for the room that it has.
func (w *Writer) Reset() {
	clear(w.keys)
	w.Data, w.keys, w.Depth, w.err = w.Data[:0], w.keys[:0], 0, nil
}

// Fail makes the Writer fail.
func (w *Writer) Fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

var (
	errText = errors.New("a string is not valid UTF-8 or holds U+0000")
	errTime = errors.New("a time is outside of the years 0 to 9999")
	errDeep = errors.New("nests more than 1000 levels deep, or holds itself")
)

// Nil writes nil.
func (w *Writer) Nil() { w.Data = append(w.Data, codeNil) }

// Map begins a map of n pairs, each a key and a value, that [Writer.End] ends. It
// is false once the Writer has failed: a value that holds itself ends there.
func (w *Writer) Map(n int) bool {
	w.Data = AppendMapLen(w.Data, n)
	return w.enter()
}

func (w *Writer) enter() bool {
	if w.Depth++; w.Depth > MaxDepth {
		w.Fail(errDeep)
	}
	return w.err == nil
}

// End ends a map or an array.
func (w *Writer) End() { w.Depth-- }

// WriteSlice begins the array of a slice, or writes nil for nil. [Writer.End] ends
// it in either case.
func WriteSlice[E any](w *Writer, s []E) {
	if s == nil {
		w.Nil()
	} else {
		w.Data = AppendArrayLen(w.Data, len(s))
	}
	w.enter()
}

// WriteMap begins a map, or writes nil for nil, and returns its keys in the order
// in which to write them. [Writer.End] ends it in either case. The result is valid
// until then.
func WriteMap[K ~string, V any](w *Writer, m map[K]V) []string {
	if m == nil {
		w.Nil()
	} else {
		w.Data = AppendMapLen(w.Data, len(m))
	}
	w.enter()
	from := len(w.keys)
	for k := range m {
		w.keys = append(w.keys, string(k))
	}
	keys := w.keys[from:]
	slices.Sort(keys)
	return keys
}

// Key writes the name of a field.
func (w *Writer) Key(name string) { w.Data = AppendString(w.Data, name) }

// Bool writes true or false.
func (w *Writer) Bool(b bool) { w.Data = AppendBool(w.Data, b) }

// Int writes a whole number.
func (w *Writer) Int(n int64) { w.Data = AppendInt(w.Data, n) }

// Uint writes a whole number.
func (w *Writer) Uint(n uint64) { w.Data = AppendUint(w.Data, n) }

// Float32 writes a number.
func (w *Writer) Float32(f float32) { w.Data = AppendFloat32(w.Data, f) }

// Float64 writes a number.
func (w *Writer) Float64(f float64) { w.Data = AppendFloat64(w.Data, f) }

// String writes a text. It fails unless it is valid UTF-8 without U+0000.
func (w *Writer) String(s string) {
	if !isText(s) {
		w.Fail(errText)
	}
	w.Data = AppendString(w.Data, s)
}

// isText reports whether databases can store s as it is.
func isText(s string) bool {
	for i := range len(s) {
		if s[i]-1 >= utf8.RuneSelf-1 {
			return utf8.ValidString(s[i:]) && strings.IndexByte(s[i:], 0) < 0
		}
	}
	return true
}

// Bytes writes binary data.
func (w *Writer) Bytes(b []byte) { w.Data = AppendBytes(w.Data, b) }

// BytesOrNil writes binary data, or nil for nil.
func (w *Writer) BytesOrNil(b []byte) {
	if b == nil {
		w.Nil()
		return
	}
	w.Bytes(b)
}

// Time writes a timestamp. It fails outside of the years 0 to 9999, in UTC.
func (w *Writer) Time(t time.Time) {
	if n := t.Unix(); n < FirstSecond || n > LastSecond {
		w.Fail(errTime)
	}
	w.Data = AppendTime(w.Data, t)
}
