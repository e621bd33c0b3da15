package store

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Metadata is a JSON object about an event: who, from where, traces. Empty means
// none. It is kept as text so that reading events does not parse it; stores may
// normalise its white space and the order of its keys.
type Metadata []byte

// NewMetadata encodes values, sorted by key. No values give no metadata. The
// error names a value that JSON cannot hold.
func NewMetadata(values map[string]any) (Metadata, error) {
	if len(values) == 0 {
		return nil, nil
	}
	for k, v := range values {
		if _, err := json.Marshal(v); err != nil {
			return nil, &InvalidError{What: "metadata", Reason: fmt.Sprintf("value of %q: %v", k, err)}
		}
	}
	b, err := json.Marshal(values)
	return b, err
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
