package templates

// Use is a place in the source that has to do with events.
type Use struct {
	// Kind says what is done there.
	Kind UseKind

	// Path is the import path of the package that declares the events.
	Path string

	// Event is the GoName of the event that is made or handled.
	Event string

	// Family is the name of the family that is subscribed to.
	Family string

	// Name is that of the function or handler, or the name that the subscription
	// is stored under, as far as the source tells it.
	Name string

	// Handler is the Go expression that a subscription calls.
	Handler string

	// File is the path from the module's root, with slashes, and Line in it.
	File string
	Line int
}

// UseKind is a way to use events.
type UseKind int

// The ways to use events.
const (
	// Makes is a function that makes an event.
	Makes UseKind = iota
	// Handles is a type with a method for an event.
	Handles
	// Subscribes is a call that subscribes to a family.
	Subscribes
)
