package serializer

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/goccy/go-json"

	"github.com/esgen/esgen/internal/jsontext"
)

// JSON is UTF-8 JSON text, stored as it is encoded: fields by their json tags, no
// white space, map keys sorted, no HTML escapes. The zero value is ready.
type JSON struct {
	// Standard selects encoding/json instead of the faster go-json. Both read
	// the same, and write the same but for U+2028 and U+2029, which encoding/json
	// escapes; a test compares them.
	//
	// Defaults to false.
	Standard bool

	codecs *jsonCodecs
}

// JSONB is JSON for columns in which the database keeps its own form of the text
// and can query it. It also refuses numbers that such a column cannot hold. The
// bytes read back are equal in meaning, not to the letter. The zero value is
// ready.
type JSONB struct {
	// Standard selects encoding/json instead of the faster go-json.
	//
	// Defaults to false.
	Standard bool

	codecs *jsonCodecs
}

// Format returns "json".
func (JSON) Format() string { return "json" }

// Format returns "jsonb".
func (JSONB) Format() string { return "jsonb" }

// Marshal implements [Serializer]. Its error is an [*EncodeError].
func (f JSON) Marshal(v any) ([]byte, error) { return marshalJSON("json", f.Standard, f.codecs, v) }

// Marshal implements [Serializer]. Its error is an [*EncodeError].
func (f JSONB) Marshal(v any) ([]byte, error) { return marshalJSON("jsonb", f.Standard, f.codecs, v) }

// Unmarshal implements [Serializer]. Names match without regard to case if none
// matches exactly. Its error is a [*DecodeError].
func (f JSON) Unmarshal(data []byte, v any) error {
	return unmarshalJSON("json", f.Standard, f.codecs, data, v)
}

// Unmarshal implements [Serializer]. Names match without regard to case if none
// matches exactly. Its error is a [*DecodeError].
func (f JSONB) Unmarshal(data []byte, v any) error {
	return unmarshalJSON("jsonb", f.Standard, f.codecs, data, v)
}

// event returns the value that v is or points to, and its shape.
func event(v any, c codec) (reflect.Value, *shape, *fieldError) {
	value := reflect.ValueOf(v)
	if !value.IsValid() {
		return value, nil, refusal("there is no value; pass an event")
	}
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return value, nil, refusal("the pointer is nil; pass an event")
		}
		value = value.Elem()
	}
	return value, shapeOf(value.Type(), c), nil
}

func marshalJSON(format string, standard bool, codecs *jsonCodecs, v any) ([]byte, error) {
	value, s, wrong := event(v, jsonCodec)
	if wrong == nil {
		wrong = new(auditor).value(s, value)
	}
	if wrong != nil {
		return nil, encodeError(format, v, wrong)
	}
	if s.addressed && !value.CanAddr() {
		// Encoders call pointer methods of addressable values only.
		pointer := reflect.New(s.typ)
		pointer.Elem().Set(value)
		v, value = pointer.Interface(), pointer.Elem()
	}
	data, done := codecs.encode(s.typ, v)
	var err error
	if !done {
		data, err = encodeJSON(standard, v)
	}
	if err == nil {
		err = jsontext.CheckText(data)
	}
	if err == nil && s.scanned {
		err = jsontext.CheckDepth(data, MaxDepth, format == "jsonb")
	}
	// encoding/json writes U+FFFD as an escape where it has replaced bytes, and
	// as it is where the text had it.
	replaced := err == nil && standard && bytes.Contains(data, []byte(`\ufffd`))
	if err != nil || replaced {
		wrong = (&auditor{everything: true}).value(s, value)
		if wrong == nil && err != nil {
			wrong = &fieldError{reason: err.Error(), err: err}
		}
		if wrong != nil {
			return nil, encodeError(format, v, wrong)
		}
	}
	return data, nil
}

func encodeError(format string, v any, wrong *fieldError) *EncodeError {
	return &EncodeError{Format: format, GoType: goType(v), Field: wrong.path, Reason: wrong.reason, Err: wrong.err}
}

func encodeJSON(standard bool, v any) ([]byte, error) {
	if !standard {
		return json.MarshalWithOption(v, json.DisableHTMLEscape(), json.DisableNormalizeUTF8())
	}
	var buf bytes.Buffer
	e := stdjson.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// badJSON tells what is wrong with the text of a method or a raw message.
func badJSON(text []byte) *fieldError {
	err := jsontext.Check(text)
	if err == nil {
		err = jsontext.CheckDepth(text, MaxDepth, false)
	}
	if err != nil {
		return &fieldError{reason: "its JSON text " + err.Error(), err: err}
	}
	return nil
}

func unmarshalJSON(format string, standard bool, codecs *jsonCodecs, data []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return &DecodeError{Format: format, GoType: goType(v), Offset: -1, Err: errNoTarget}
	}
	if codecs != nil {
		if codecs.decode(target.Type().Elem(), data, v) {
			return nil
		}
		target.Elem().SetZero()
	}
	if !standard && decodeJSON(json.Unmarshal, data, v) == nil {
		return nil
	}
	// What go-json refuses, encoding/json decides, into a value without traces of
	// the first attempt. go-json v0.12.0 refuses the largest float32.
	target.Elem().SetZero()
	err := decodeJSON(stdjson.Unmarshal, data, v)
	if err == nil {
		return nil
	}
	e := &DecodeError{Format: format, GoType: goType(v), Offset: -1, Err: err}
	e.Field, e.Offset = locate(data, target.Type().Elem(), err)
	return e
}

// decodeJSON makes an error of a panic, so that a careless UnmarshalJSON or
// UnmarshalText does not end a program over a few stored bytes.
func decodeJSON(unmarshal func([]byte, any) error, data []byte, v any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a method panicked: %v", r)
		}
	}()
	return unmarshal(data, v)
}

var errNoTarget = errors.New("pass a pointer to a zero value")
