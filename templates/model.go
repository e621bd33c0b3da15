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

	// Families are the package's families, in the order of the source.
	Families []Family

	// Unions are the interfaces that events hold, in the order of the source.
	Unions []Union

	// Stored are the structs that hold unions, each before those that hold it,
	// unless they hold each other.
	Stored []Stored

	// Nested are the declared types that events are made of.
	Nested []Nested

	// DriftTest asks for a test that fails when the file is not current.
	DriftTest bool

	// GeneratedMsgpack asks for msgpack codecs field by field.
	GeneratedMsgpack bool
}

// Nested is a declared type that is stored with events.
type Nested struct {
	// Type is its name.
	Type Type
	// Under is what it is made of.
	Under Type
}

// Position is a place in the source.
type Position struct {
	// File is the base name of a file of the package.
	File string
	// Line and Column count from 1; columns count bytes.
	Line, Column int
}

// Family is a set of events that are stored in streams of one category.
type Family struct {
	// Name is the category: a lower-case word without a dash.
	Name string

	// Prefix begins the generated names, "Account" of AccountStream. Empty in a
	// package with one family, and for the family with the package's name.
	Prefix string

	// ID is what tells the streams of the family apart.
	ID ID

	// Events are in the order of the source.
	Events []Event

	// State is what the events are folded into, or nil.
	State *State

	// Upcasts lead from stored revisions that no event has any more.
	Upcasts []Upcast

	// Retired are names that are not appended any more.
	Retired []Retired

	// At is the directive, or the package clause.
	At Position
}

// Upcast is a function from a stored shape to the next.
type Upcast struct {
	// Name and Revision are what is stored.
	Name     string
	Revision int

	// Func is the name of the function.
	Func string

	// From is its parameter, and FromShape what is stored for it.
	From      Type
	FromShape *Shape

	// To is what it returns: the GoName of an event, the parameter of the next
	// Upcast of the chain, or the sealed interface.
	To Type

	// Fails reports a second result, an error.
	Fails bool

	// Chain leads to an event: this function, and those that its result is
	// passed to.
	Chain []Step

	// Stored is the name of the struct that is decoded, if From holds unions.
	Stored string

	// Doc is the function's comment without directives, or empty.
	Doc string

	// At is the directive.
	At Position
}

// Step is a call of an upcaster.
type Step struct {
	// Func is the name of the function.
	Func string

	// To is what it returns. The last step's is an event or the sealed interface.
	To Type

	// Fails reports a second result, an error.
	Fails bool
}

// Retired is a stored name that is read and not appended any more.
type Retired struct {
	// Name is never given to another event.
	Name string

	// Event is the type that still reads it, or empty if what is stored under
	// the name is passed over and counted.
	Event string

	// Reason is what the author wrote, or empty.
	Reason string

	// At is the directive.
	At Position
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

	// Aliases are further names under which it was stored, at any revision.
	Aliases []string

	// Retired: it is read and not appended any more.
	Retired bool

	// Stored is the name of the struct that is encoded, if it holds unions.
	Stored string

	// Doc is the type's comment without directives, or empty.
	Doc string

	// Fields are the struct's fields in order.
	Fields []Field

	// Shape is what is stored, an Object.
	Shape *Shape

	// At is the type's name in the source.
	At Position
}

// State is the type that events are folded into.
type State struct {
	// GoName is the name of the type.
	GoName string

	// Struct is set unless the type is a number, a map or the like.
	Struct bool

	// Snapshots is after how many events another snapshot is stored. 0 is never.
	Snapshots int

	// Revision is raised by the author when the same events lead to another
	// state. Snapshots of other revisions are passed over.
	Revision int

	// Fingerprint changes with the shape of what a snapshot stores.
	Fingerprint string

	// Stored is the name of the struct that is encoded, if it holds unions.
	Stored string

	// Doc is the type's comment without directives, or empty.
	Doc string

	// At is the type's name in the source.
	At Position
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
