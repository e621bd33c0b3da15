// Package serializer turns event values into bytes and back.
//
// What is written stays readable: bytes written by any release decode in every
// later one, and each payload is stored with the name of its format, so a store
// may change its format at any time and hold several.
//
// An event is never altered silently: what Unmarshal gives for the bytes of
// Marshal is equal to the event, or Marshal fails with an [*EncodeError] that
// names the field. Equal means equal in content, with these differences of form:
//
//   - A time is the same instant at nanosecond precision. JSON keeps its zone's
//     offset but not its name; msgpack reads in UTC. A monotonic clock reading is
//     dropped. Years are 0 to 9999, in every format.
//   - Nil and empty slices, maps and bytes stay what they are, except that the
//     option omitempty makes empty ones nil, and that a pointer to nil (to a nil
//     pointer, slice, map or interface) reads back as a nil pointer. An embedded
//     pointer whose fields are all omitted reads back as nil.
//   - A [json.RawMessage] keeps its meaning: white space goes, and a nil one
//     reads back as null, in JSON. In a jsonb column also the order and
//     repetition of keys and the writing of numbers go. Msgpack keeps its bytes.
//     A [json.Number] keeps its text; an empty one reads back as 0, in JSON.
//   - Negative zero may read back as zero in a jsonb column.
//   - An interface of type any holds what JSON knows: nil, bool, string, numbers,
//     []any and map[string]any. In JSON a number reads back as float64, and one
//     that float64 does not hold exactly is refused; msgpack reads back int64,
//     uint64 or float64. Anything else in an interface is refused.
//   - What the option omitzero leaves out reads back as the zero value. A type's
//     own method IsZero decides what it leaves out, of a pointer too: one to a
//     zero time.Time reads back as nil.
//   - Fields with the tag "-" are not stored, by the author's word. Unexported
//     fields cannot be stored: they are refused unless they are zero.
//   - Types that marshal themselves are trusted to read back what they write.
//
// Strings must be valid UTF-8 without U+0000, which databases cannot store.
// Values nest at most [MaxDepth] levels deep.
package serializer

// MaxDepth is how many objects and arrays may stand one within the other.
const MaxDepth = 1000

// Serializer is a format. Its methods are safe for concurrent use. Package
// serializertest holds a format of your own against the contract.
type Serializer interface {
	// Format is the name that is stored with each payload: "json", "jsonb",
	// "msgpack", or your own. It never changes, for stored payloads are found
	// by it. Stores take 1 to 255 bytes.
	Format() string

	// Marshal encodes v, an event or a pointer to one. It fails if Unmarshal
	// could not give an equal value. The result belongs to the caller.
	Marshal(v any) ([]byte, error)

	// Unmarshal decodes data into v, a pointer to a zero value, and skips
	// fields that v does not have. It takes exactly one value, and any bytes
	// without a panic, even of a method by which a field reads itself, and
	// without more memory than the data is worth. It does not keep data, nor
	// does what it decodes refer to it. After an error the content of v is
	// undefined: discard it.
	Unmarshal(data []byte, v any) error
}
