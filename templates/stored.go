package templates

// Shape is what is stored for a Go type, as encoding/json and the msgpack format
// have it: tags, embedding and methods are resolved. Shapes of one declared type
// are one pointer, also where the type contains itself.
type Shape struct {
	// Kind says which of the other fields are set.
	Kind ShapeKind

	// Go is the type that is stored so.
	Go Type

	// Bits are the size of an Int, Uint or Float: 8 to 64. The bits of int and
	// uint are 64.
	Bits int

	// Elem is what an Array, Map or Optional holds.
	Elem *Shape
	// Key is what the keys of a Map are: a String, Int, Uint or Text.
	Key *Shape
	// Len is the length of an Array of fixed length, otherwise -1.
	Len int64

	// Properties are an Object's, in the order in which they are stored.
	Properties []Property

	// Constants are the values of the constants that the package of a declared
	// String, Int or Uint declares of it, as they are stored, sorted.
	Constants []string
	// ConstantNames are the names of each of them, sorted.
	ConstantNames [][]string

	// Members are the implementations that a Union was declared with.
	Members []Member

	// MsgpackDiffers tells that the msgpack format does not store what the other
	// fields say, because of methods or tags that only it heeds.
	MsgpackDiffers bool
}

// ShapeKind is a form of stored value.
type ShapeKind int

// The forms of stored values.
const (
	// AnyShape is whatever a value of an empty interface holds.
	AnyShape ShapeKind = iota
	// BoolShape is true or false.
	BoolShape
	// StringShape is a text.
	StringShape
	// IntShape is a whole number.
	IntShape
	// UintShape is a whole number from 0.
	UintShape
	// FloatShape is a number.
	FloatShape
	// BytesShape is a []byte.
	BytesShape
	// TimeShape is a time.Time.
	TimeShape
	// DurationShape is a time.Duration, a whole number of nanoseconds.
	DurationShape
	// UUIDShape is a uuid.UUID.
	UUIDShape
	// RawShape is a json.RawMessage, stored as it is.
	RawShape
	// NumberShape is a json.Number.
	NumberShape
	// TextShape is what a type's own MarshalText writes.
	TextShape
	// CustomShape is what a type's own methods write: nobody else knows.
	CustomShape
	// ObjectShape has Properties.
	ObjectShape
	// ArrayShape is a list of Elem.
	ArrayShape
	// MapShape is from Key to Elem.
	MapShape
	// OptionalShape is Elem or null: a pointer.
	OptionalShape
	// UnionShape is one of Members, with its name.
	UnionShape
)

// Property is one field of a stored struct.
type Property struct {
	// Name is the name it is stored under.
	Name string
	// Msgpack is the name that a msgpack tag gives instead, led to by those of
	// embedded structs, as in "money.amount". It is "-" if msgpack leaves the
	// field out, and empty if the name is the same.
	Msgpack string
	// Path leads to the Go field through embedded structs, outermost first.
	Path []string
	// Through tells which steps of Path, except the last, are pointers.
	Through []bool
	// Shape is what is stored.
	Shape *Shape
	// OmitEmpty and OmitZero are the options of the tag.
	OmitEmpty, OmitZero bool
	// AsString is the option "string" of the tag.
	AsString bool
	// Doc is the field's comment, or empty.
	Doc string
	// At is the field in the source, zero if that is of another package.
	At Position
}

// Member is one implementation of a union.
type Member struct {
	// Name is the one property of the stored object, {"card": {…}}; its value is of
	// Shape.
	Name string
	// Shape is the implementation's, an Object.
	Shape *Shape
}

// walk calls visit for s and every shape in it, each once.
func (s *Shape) walk(seen map[*Shape]bool, visit func(*Shape)) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	visit(s)
	s.Elem.walk(seen, visit)
	s.Key.walk(seen, visit)
	for _, p := range s.Properties {
		p.Shape.walk(seen, visit)
	}
	for _, m := range s.Members {
		m.Shape.walk(seen, visit)
	}
}
