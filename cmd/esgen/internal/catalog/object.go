package catalog

import (
	"bytes"
	"encoding/json"
)

// object is a JSON object whose properties keep their order.
type object []property

type property struct {
	name  string
	value any
}

// with adds a property.
func (o object) with(name string, value any) object { return append(o, property{name, value}) }

// MarshalJSON writes the properties in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, p := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		for j, v := range []any{p.name, p.value} {
			if j > 0 {
				out.WriteByte(':')
			}
			text, err := marshal(v)
			if err != nil {
				return nil, err
			}
			out.Write(text)
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// marshal leaves < and > as they are: this is for people.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimRight(out.Bytes(), "\n"), err
}

// indent lays out a JSON text, if it is one.
func indent(text []byte) []byte {
	var out bytes.Buffer
	if json.Indent(&out, bytes.TrimSpace(text), "", "  ") != nil {
		return text
	}
	return out.Bytes()
}
