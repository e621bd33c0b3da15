package serializer

import (
	"fmt"
	"reflect"
	"strings"
)

// EncodeError tells why an event cannot be stored. Nothing was written.
type EncodeError struct {
	// Format is the name of the format: "json".
	Format string
	// GoType is the type of the event: "bank.AccountOpened".
	GoType string
	// Field is the path of the field by stored names: "ship.street",
	// "lines[3].sku", `labels["a"]`. Empty if it is the event as a whole, or if
	// the encoder did not tell.
	Field string
	// Reason says what is wrong with the value, and what to do instead.
	Reason string
	// Err is the error of a method of the value or of the encoder, if there
	// was one.
	Err error
}

func (e *EncodeError) Error() string {
	return "encode " + e.GoType + " as " + e.Format + ": " + inField(e.Field) + e.Reason
}

func (e *EncodeError) Unwrap() error { return e.Err }

// DecodeError tells why bytes do not decode. They stay as they are; a binary that
// knows their shape can read them.
type DecodeError struct {
	// Format is the name of the format: "json".
	Format string
	// GoType is the type that was to be filled: "bank.AccountOpened".
	GoType string
	// Field is the path of the field by stored names, as far as it is known.
	Field string
	// Offset is the byte at which decoding stopped, or -1 if it is not known.
	Offset int64
	// Err is the cause.
	Err error
}

func (e *DecodeError) Error() string {
	var at string
	if e.Offset >= 0 {
		at = fmt.Sprintf(" (at byte %d)", e.Offset)
	}
	return "decode " + e.Format + " into " + e.GoType + ": " + inField(e.Field) + e.Err.Error() + at
}

func (e *DecodeError) Unwrap() error { return e.Err }

func inField(path string) string {
	if path == "" {
		return ""
	}
	return "field " + path + ": "
}

// goType names the type of v for errors: a pointer is named as what it points to.
func goType(v any) string {
	t := reflect.TypeOf(v)
	if t == nil {
		return "nil"
	}
	return strings.TrimLeft(t.String(), "*")
}
