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
type DuplicateError struct {
	First, Second Type
	// Alias is the one of Second that is a name of First, or empty.
	Alias string
}

func (e *DuplicateError) Error() string {
	a, b := e.First, e.Second
	switch {
	case e.Alias != "":
		return fmt.Sprintf("register %s as %q, also %q: that name belongs to %q; leave the alias out, or give one of them another name",
			typeName(b.goType), b.name, e.Alias, a.name)
	case a.name == b.name && (a.IsGone() || b.IsGone()):
		return fmt.Sprintf("register %q: the name is retired, and its events are passed over; a name is never used again, give the event another one", b.name)
	}
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

// RetiredTypeError tells that an event is read and not appended any more.
type RetiredTypeError struct {
	// GoType is the value's type: "bank.OverdraftGranted".
	GoType string
	// Name is what its events are stored under.
	Name string
	// Reason is what the author says about it, or empty.
	Reason string
}

func (e *RetiredTypeError) Error() string {
	reason := ""
	if e.Reason != "" {
		reason = " (" + e.Reason + ")"
	}
	return fmt.Sprintf("%s is retired%s: what is stored as %q is read, and nothing is added to it; append another event, "+
		"or mark the type with //esgen:event in place of //esgen:retired and generate again", e.GoType, reason, e.Name)
}

// UpcastError tells that an upcaster could not make an event of what is stored: it
// returned an error or something that is no event, or panicked.
type UpcastError struct {
	// Name and Revision are what is stored.
	Name     string
	Revision int
	// Err is the upcaster's error, or tells of its panic, or is a
	// [*ForeignTypeError].
	Err error
}

func (e *UpcastError) Error() string {
	return fmt.Sprintf("upcast %q revision %d: %v", e.Name, e.Revision, e.Err)
}

func (e *UpcastError) Unwrap() error { return e.Err }
