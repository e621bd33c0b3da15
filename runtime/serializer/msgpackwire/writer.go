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

// Writer is what appending values one after the other has to remember. What has
// been written stands in a slice of its own, for that is several times faster
// where the garbage collector is at work. The zero Writer is ready. It is not safe
// for concurrent use.
type Writer struct {
	// Depth counts the arrays and maps that are open.
	Depth int

	keys []string // of the maps that are being written
	err  error
}

// Err returns the first failure, or nil. After one, what was written is of no use.
func (w *Writer) Err() error { return w.err }

// mostKeys bounds what one large event leaves behind in a Writer that is used
// again.
const mostKeys = 1024

// Reset makes the Writer as good as new.
func (w *Writer) Reset() {
	if clear(w.keys); cap(w.keys) > mostKeys {
		w.keys = nil
	}
	w.keys, w.Depth, w.err = w.keys[:0], 0, nil
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

func (w *Writer) enter() {
	if w.Depth++; w.Depth > MaxDepth {
		w.Fail(errDeep)
	}
}

// End ends a map or an array.
func (w *Writer) End() { w.Depth-- }

// Map begins a map of n pairs, each a key and a value, that [Writer.End] ends.
func (w *Writer) Map(dst []byte, n int) []byte {
	w.enter()
	return AppendMapLen(dst, n)
}

// Slice begins the array of a slice, or appends nil for nil. [Writer.End] ends it
// in either case.
func Slice[E any](w *Writer, dst []byte, s []E) []byte {
	w.enter()
	if s == nil {
		return AppendNil(dst)
	}
	return AppendArrayLen(dst, len(s))
}

// MapOf begins the map of m, or appends nil for nil. [Writer.End] ends it in either
// case.
func MapOf[K ~string, V any](w *Writer, dst []byte, m map[K]V) []byte {
	w.enter()
	if m == nil {
		return AppendNil(dst)
	}
	return AppendMapLen(dst, len(m))
}

// Keys returns the keys of m in the order in which they are written. They are
// valid until the Writer is reset.
func Keys[K ~string, V any](w *Writer, m map[K]V) []string {
	from := len(w.keys)
	for k := range m {
		w.keys = append(w.keys, string(k))
	}
	keys := w.keys[from:]
	slices.Sort(keys)
	return keys
}

// Text appends a text. It fails unless that is valid UTF-8 without U+0000.
func (w *Writer) Text(dst []byte, s string) []byte {
	if !isText(s) {
		w.Fail(errText)
	}
	return AppendString(dst, s)
}

// TextMap appends a map of texts, sorted by its keys.
func TextMap[K, V ~string](w *Writer, dst []byte, m map[K]V) []byte {
	type pair struct {
		key   K
		value V
	}
	var few [16]pair // on the stack, and without a second look into the map
	pairs := few[:0]
	for k, v := range m {
		pairs = append(pairs, pair{k, v})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(string(a.key), string(b.key)) })
	dst = MapOf(w, dst, m)
	for i := range pairs {
		dst = w.Text(w.Text(dst, string(pairs[i].key)), string(pairs[i].value))
	}
	w.End()
	return dst
}

// isText reports whether databases can store s as it is.
func isText(s string) bool {
	if len(s) < 8 {
		for i := range len(s) {
			if s[i]-1 >= utf8.RuneSelf-1 {
				return utf8.ValidString(s[i:]) && strings.IndexByte(s[i:], 0) < 0
			}
		}
		return true
	}
	for i := 0; i+8 < len(s); i += 8 {
		if !isASCII(s[i:]) {
			return utf8.ValidString(s[i:]) && strings.IndexByte(s[i:], 0) < 0
		}
	}
	// The last eight bytes, of which some have been looked at.
	return isASCII(s[len(s)-8:]) || utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// isASCII reports whether the first eight bytes are ASCII and none of them is 0.
func isASCII(s string) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	_ = s[7]
	// The top bit of a byte is set in x if it is no ASCII, and in x-ones if it
	// is 0.
	x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	return (x|(x-ones))&tops == 0
}

// Time appends a timestamp. It fails outside of the years 0 to 9999, in UTC.
func (w *Writer) Time(dst []byte, t time.Time) []byte {
	if n := t.Unix(); n < FirstSecond || n > LastSecond {
		w.Fail(errTime)
	}
	return AppendTime(dst, t)
}

// AppendBytesOrNil appends binary data, or nil for nil.
func AppendBytesOrNil(dst, b []byte) []byte {
	if b == nil {
		return AppendNil(dst)
	}
	return AppendBytes(dst, b)
}
