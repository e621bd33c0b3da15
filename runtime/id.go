package runtime

import (
	"encoding"
	"errors"
	"fmt"
	"strconv"
)

// IDText is how the ids of a family are written in the names of its streams. The
// two methods undo each other. They are called concurrently.
type IDText[ID any] interface {
	// Text returns the text of id. An empty text is refused by the family.
	Text(id ID) (string, error)
	// Parse returns the id of a text, or an error unless Text writes that id
	// exactly so: another spelling would be another stream.
	Parse(text string) (ID, error)
}

// StringID is the IDText of string kinds: the string itself.
type StringID[ID ~string] struct{}

// Text returns the string.
func (StringID[ID]) Text(id ID) (string, error) { return string(id), nil }

// Parse returns text as an ID.
func (StringID[ID]) Parse(text string) (ID, error) { return ID(text), nil }

// IntID is the IDText of integer kinds: decimal digits, after a minus if negative.
type IntID[ID ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64] struct{}

// Text returns the decimal digits.
func (IntID[ID]) Text(id ID) (string, error) {
	if id < 0 {
		return strconv.FormatInt(int64(id), 10), nil
	}
	return strconv.FormatUint(uint64(id), 10), nil
}

// Parse returns the number. Leading zeros, a plus, and numbers that ID cannot
// hold are errors.
func (f IntID[ID]) Parse(text string) (ID, error) {
	var id ID
	if len(text) > 0 && text[0] == '-' {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, err
		}
		id = ID(n)
	} else {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return 0, err
		}
		id = ID(n)
	}
	return id, sameText(f, id, text)
}

// TextID is the IDText of types that write and read their own text, such as
// [github.com/google/uuid.UUID].
type TextID[ID encoding.TextMarshaler, P interface {
	*ID
	encoding.TextUnmarshaler
}] struct{}

// Text returns what MarshalText gives.
func (TextID[ID, P]) Text(id ID) (string, error) {
	text, err := id.MarshalText()
	return string(text), err
}

// Parse returns what UnmarshalText makes of text. A text that MarshalText would
// write differently, such as a UUID in capitals, is an error.
func (f TextID[ID, P]) Parse(text string) (ID, error) {
	var id ID
	if err := P(&id).UnmarshalText([]byte(text)); err != nil {
		return id, err
	}
	return id, sameText(f, id, text)
}

// sameText returns an error unless id is written as text.
func sameText[ID any](f IDText[ID], id ID, text string) error {
	again, err := f.Text(id)
	if err != nil {
		return err
	}
	if again != text {
		return fmt.Errorf("%q is another spelling of %q, or out of range", text, again)
	}
	return nil
}

var errEmptyID = errors.New("its text is empty; give every stream an id")
