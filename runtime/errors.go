package runtime

import (
	"fmt"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// ReadError tells which stored event cannot be read by this binary. It is not
// passed over. Raw reading, through the store's own Read, works.
type ReadError struct {
	Stream   string
	Version  store.Version
	Position store.Position
	// Type and Revision name the stored shape.
	Type     string
	Revision int
	// Err is a [*typeregistry.UnknownTypeError], a [*typeregistry.UpcastError],
	// a [*serializer.UnknownFormatError],
	// a [*serializer.DecodeError], which names the field, or an [*IDError].
	Err error
}

func readError(r store.Recorded, err error) error {
	return &ReadError{Stream: r.Stream, Version: r.Version, Position: r.Position, Type: r.Type, Revision: r.Revision, Err: err}
}

func (e *ReadError) Error() string {
	return fmt.Sprintf("read version %d of %s (%s revision %d at position %d): %v",
		int64(e.Version), printable.Name(e.Stream), printable.Name(e.Type), e.Revision, e.Position, e.Err)
}

func (e *ReadError) Unwrap() error { return e.Err }

// EventError tells which event of an append cannot be stored: it is nil, a pointer
// to an event, a type that only embeds one, or holds a value that the format
// cannot keep. It is a [store.ErrInvalid]; nothing was stored.
type EventError struct {
	Stream string
	// Event is the number of the event among Of, from 1.
	Event, Of int
	// Err is a [*typeregistry.ForeignTypeError], a [*typeregistry.RetiredTypeError],
	// a [*serializer.EncodeError], or tells that a union holds no member of it.
	Err error
}

func (e *EventError) Error() string {
	return fmt.Sprintf("append to %s: event %d of %d: %v", printable.Name(e.Stream), e.Event, e.Of, e.Err)
}

func (e *EventError) Is(target error) bool { return target == store.ErrInvalid }
func (e *EventError) Unwrap() error        { return e.Err }

// IDError tells that an id cannot name a stream of a family, or that a stream of
// the family is not named by an id. It is a [store.ErrInvalid].
type IDError struct {
	Family string
	// ID is the text.
	ID  string
	Err error
}

func (e *IDError) Error() string {
	id := e.ID
	if len(id) > 64 {
		id = id[:64] + "…"
	}
	return fmt.Sprintf("id %q of family %s: %v", id, e.Family, e.Err)
}

func (e *IDError) Is(target error) bool { return target == store.ErrInvalid }
func (e *IDError) Unwrap() error        { return e.Err }

// RetriesError tells that every attempt was overtaken by another append; nothing
// was stored. It is what Err is: a [store.ErrConflict], or perhaps a
// [store.ErrDuplicateEvent] where ids were given or made by a [Key].
type RetriesError struct {
	// Stream on which the last attempt met the conflict.
	Stream string
	// Attempts that were made, at least 1.
	Attempts int
	// Err is the error of the last attempt: a [*store.ConflictError] or a
	// [*store.DuplicateEventError].
	Err error
	// Stopped is the error of the context that ended before the retries were
	// used up, else nil. [errors.Is] finds it too.
	Stopped error
}

func (e *RetriesError) Error() string {
	if e.Stopped != nil {
		return fmt.Sprintf("%s: stopped after attempt %d: %v; the attempt ended with: %v", printable.Name(e.Stream), e.Attempts, e.Stopped, e.Err)
	}
	return fmt.Sprintf("%s: gave up after attempt %d: %v; try again later, or allow more with es.Retries", printable.Name(e.Stream), e.Attempts, e.Err)
}

func (e *RetriesError) Unwrap() []error {
	if e.Stopped != nil {
		return []error{e.Err, e.Stopped}
	}
	return []error{e.Err}
}

// UnhandledError tells that generated code met an event that it was not generated
// for: the registry knows its type, the handler does not.
type UnhandledError struct {
	// GoType of the event.
	GoType string
}

func (e *UnhandledError) Error() string {
	return e.GoType + " has no case in the generated handler: run go generate again"
}

// Unhandled returns the [*UnhandledError] of an event, for generated code.
func Unhandled(e any) error { return &UnhandledError{GoType: fmt.Sprintf("%T", e)} }
