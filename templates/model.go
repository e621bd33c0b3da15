package templates

// Package is one Go package that holds events.
type Package struct {
	// Name is the package's name.
	Name string

	// Sources are the base names of the files that hold the events, sorted.
	Sources []string

	// Taken are the names that the package declares itself. No import of the
	// generated file is given one of them.
	Taken []string

	// Serializers is the package-level []serializer.Serializer that the
	// families use. Defaults to the formats of the runtime.
	Serializers string

	// Families are the package's families. So far a package has exactly one.
	Families []Family
}

// Family is a set of events that are stored in streams of one category.
type Family struct {
	// Name is the category: a lower-case word without a dash.
	Name string

	// ID is what tells the streams of the family apart.
	ID ID

	// Events are in the order of the source.
	Events []Event

	// State is what the events are folded into, or nil.
	State *State
}

// ID is the type of a family's stream ids.
type ID struct {
	// Type is its Go type.
	Type Type

	// Text says how an id becomes text and back.
	Text Text
}

// Text is how a value becomes text and back.
type Text int

// The ways to text.
const (
	// StringText takes a string kind as it is.
	StringText Text = iota
	// IntText writes an integer kind in decimal.
	IntText
	// OwnText calls MarshalText and UnmarshalText.
	OwnText
)

// Event is one struct type that is stored.
type Event struct {
	// GoName is the name of the struct type.
	GoName string

	// Name is stored with each event. It outlives GoName.
	Name string

	// Revision counts the incompatible shapes of a name, from 1.
	Revision int

	// Doc is the type's comment without directives, or empty.
	Doc string

	// Fields are the struct's fields in order.
	Fields []Field
}

// State is the type that events are folded into.
type State struct {
	// GoName is the name of the type.
	GoName string
}

// Field is one field of a struct.
type Field struct {
	// Name is the Go name, also of an embedded field.
	Name string

	// Embedded reports whether the name is the type's.
	Embedded bool

	// Type is the field's type.
	Type Type

	// Tag is the whole tag without its quotes, or empty.
	Tag string
}
