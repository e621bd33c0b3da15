package serializer

import (
	"bytes"
	stdjson "encoding/json"

	"github.com/goccy/go-json"

	"github.com/esgen/esgen/internal/jsontext"
)

// JSON is UTF-8 JSON text, stored as it is encoded: fields by their json tags, no
// white space, map keys sorted, no HTML escapes. The zero value is ready.
type JSON struct {
	// Standard selects encoding/json instead of the faster go-json. Both write
	// and read the same; a test compares them.
	//
	// Defaults to false.
	Standard bool
}

// JSONB is JSON for columns in which the database keeps its own form of the text
// and can query it. It refuses what such a column refuses. The bytes read back
// are equal in meaning, not to the letter. The zero value is ready.
type JSONB struct {
	// Standard selects encoding/json instead of the faster go-json.
	//
	// Defaults to false.
	Standard bool
}

// Format returns "json".
func (JSON) Format() string { return "json" }

// Format returns "jsonb".
func (JSONB) Format() string { return "jsonb" }

// Marshal implements [Serializer].
func (f JSON) Marshal(v any) ([]byte, error) { return marshalJSON("json", f.Standard, v) }

// Marshal implements [Serializer].
func (f JSONB) Marshal(v any) ([]byte, error) { return marshalJSON("jsonb", f.Standard, v) }

// Unmarshal implements [Serializer].
func (f JSON) Unmarshal(data []byte, v any) error {
	return unmarshalJSON("json", f.Standard, data, v)
}

// Unmarshal implements [Serializer].
func (f JSONB) Unmarshal(data []byte, v any) error {
	return unmarshalJSON("jsonb", f.Standard, data, v)
}

func marshalJSON(format string, standard bool, v any) ([]byte, error) {
	data, err := encodeJSON(standard, v)
	if err == nil {
		err = jsontext.CheckText(data)
	}
	if err != nil {
		return nil, &EncodeError{Format: format, GoType: goType(v), Reason: err.Error(), Err: err}
	}
	return data, nil
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

func unmarshalJSON(format string, standard bool, data []byte, v any) error {
	decode := json.Unmarshal
	if standard {
		decode = stdjson.Unmarshal
	}
	if err := decode(data, v); err != nil {
		return &DecodeError{Format: format, GoType: goType(v), Offset: -1, Err: err}
	}
	return nil
}
