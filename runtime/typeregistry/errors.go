package typeregistry

import (
	"fmt"
	"strings"
)

// InvalidTypeError tells that a type cannot be registered.
type InvalidTypeError struct {
	Name     string
	Revision int
	GoType   string
	Reason   string
}

func (e *InvalidTypeError) Error() string {
	return fmt.Sprintf("register %s as %q revision %d: %s", e.GoType, e.Name, e.Revision, e.Reason)
}

// DuplicateError tells that two types share a stored name and revision, so that
// reading could not choose, or a Go type, so that writing could not.
type DuplicateError struct{ First, Second Type }

func (e *DuplicateError) Error() string {
	a, b := e.First, e.Second
	if a.name == b.name && a.revision == b.revision {
		return fmt.Sprintf("register %s as %q revision %d: that name and revision belong to %s; give one of them another name, or raise the revision",
			typeName(b.goType), b.name, b.revision, typeName(a.goType))
	}
	return fmt.Sprintf("register %s as %q revision %d: the Go type is registered as %q revision %d; define a second type for the second name",
		typeName(b.goType), b.name, b.revision, a.name, a.revision)
}

// UnknownTypeError tells that this binary has no Go type for a stored event. It
// is no reason to pass over the event: a binary that knows it can read it.
type UnknownTypeError struct {
	Name     string
	Revision int
	// Known are the revisions of Name that this binary knows, ascending. Empty
	// means that it does not know the name at all.
	Known []int
}

func (e *UnknownTypeError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("event type %q revision %d: this binary does not know the name; deploy a binary that knows it", e.Name, e.Revision)
	}
	known := strings.Trim(strings.ReplaceAll(fmt.Sprint(e.Known), " ", ", "), "[]")
	revisions := "revision"
	if len(e.Known) > 1 {
		revisions = "revisions"
	}
	return fmt.Sprintf("event type %q revision %d: this binary knows only %s %s of it; deploy a binary that knows revision %d",
		e.Name, e.Revision, revisions, known, e.Revision)
}

// ForeignTypeError tells that a value is not an event of the registry.
type ForeignTypeError struct {
	// GoType is the value's type: "*bank.AccountOpened", or "nil".
	GoType string
	// Reason says what is wrong with it and what to pass instead.
	Reason string
}

func (e *ForeignTypeError) Error() string {
	return e.GoType + " is not an event that can be stored: " + e.Reason
}
