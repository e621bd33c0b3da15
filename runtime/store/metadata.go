package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/esgen/esgen/internal/jsontext"
)

// Metadata is a JSON object about an event: who, from where, traces. Empty means
// none. It is kept as text so that reading events does not parse it; stores may
// normalise its white space and the order of its keys. Of a key that stands twice
// the last value counts, and stores may drop the others.
type Metadata []byte

// NewMetadata encodes values, sorted by key, as [json.Marshal] does but without
// escapes for HTML. No values give no metadata. The error is an [*InvalidError]
// that names a key or a value which JSON cannot hold or no database keeps as it
// is: invalid UTF-8, U+0000, numbers out of jsonb's range.
func NewMetadata(values map[string]any) (Metadata, error) {
	if len(values) == 0 {
		return nil, nil
	}
	all := make(map[string]json.RawMessage, len(values))
	for k, v := range values {
		if _, err := encodeMetadata(k); err != nil {
			return nil, &InvalidError{What: "metadata", Reason: fmt.Sprintf("key %q: %v", k, err)}
		}
		encoded, err := encodeMetadata(v)
		if err != nil {
			return nil, &InvalidError{What: "metadata", Reason: fmt.Sprintf("value of %q: %v", k, err)}
		}
		all[k] = encoded
	}
	return encodeMetadata(all)
}

// encodeMetadata refuses what would be altered silently.
func encodeMetadata(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if jsontext.Replaced(text) {
		return nil, errors.New("holds invalid UTF-8, or the escape \\ufffd, which stands for it")
	}
	return text, jsontext.CheckJSONB(text)
}

// Get returns the string under key, or "" if there is none or it is no string.
func (m Metadata) Get(key string) string {
	var value string
	var all map[string]json.RawMessage
	if len(m) == 0 || json.Unmarshal(m, &all) != nil || json.Unmarshal(all[key], &value) != nil {
		return ""
	}
	return value
}

// holds reports whether m has these texts under these keys.
func (m Metadata) holds(want map[string]string) bool {
	if len(want) == 0 {
		return true
	}
	var all map[string]json.RawMessage
	if len(m) == 0 || json.Unmarshal(m, &all) != nil {
		return false
	}
	for key, value := range want {
		var text *string
		if json.Unmarshal(all[key], &text) != nil || text == nil || *text != value {
			return false
		}
	}
	return true
}

// Map decodes all values; numbers become [json.Number], so that none loses
// digits. Empty metadata gives a nil map.
func (m Metadata) Map() (map[string]any, error) {
	if len(m) == 0 {
		return nil, nil
	}
	var all map[string]any
	d := json.NewDecoder(bytes.NewReader(m))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return all, nil
}

// String returns the JSON text.
func (m Metadata) String() string { return string(m) }
