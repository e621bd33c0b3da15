package serializer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/serializer"
)

// rash is a careless reader of its own text, as many types are: it indexes what
// may be empty. Each of its kinds reads one encoding.
type (
	rashText   struct{ c byte }
	rashJSON   struct{ c byte }
	rashBinary struct{ c byte }
)

func (r rashText) MarshalText() ([]byte, error)       { return []byte{r.c}, nil }
func (r *rashText) UnmarshalText(b []byte) error      { r.c = b[0]; return nil }
func (r rashJSON) MarshalJSON() ([]byte, error)       { return []byte{'"', r.c, '"'}, nil }
func (r *rashJSON) UnmarshalJSON(b []byte) error      { r.c = b[2:][0]; return nil }
func (r rashBinary) MarshalBinary() ([]byte, error)   { return []byte{r.c}, nil }
func (r *rashBinary) UnmarshalBinary(b []byte) error  { r.c = b[0]; return nil }
func (r rashBinary) MarshalText() ([]byte, error)     { return r.MarshalBinary() }
func (r *rashBinary) UnmarshalText(text []byte) error { return r.UnmarshalBinary(text) }

type rashes struct {
	Text   rashText           `json:"text"`
	JSON   []rashJSON         `json:"json"`
	Binary map[int]rashBinary `json:"binary"`
}

func TestMethodThatPanicsIsADecodeErrorOfItsField(t *testing.T) {
	t.Parallel()
	event := rashes{Text: rashText{'a'}, JSON: []rashJSON{{'b'}, {'c'}}, Binary: map[int]rashBinary{7: {'d'}}}
	for name, format := range formats {
		good, err := format.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		for letter, field := range map[string]string{"a": "text", "c": "json[1]", "d": `binary["7"]`} {
			// Take the letter away, and make the length fit.
			bad := strings.Replace(string(good), `"`+letter+`"`, `""`, 1)
			if name == "msgpack" {
				bad = strings.Replace(string(good), "\xc4\x01"+letter, "\xc4\x00", 1)
				bad = strings.Replace(bad, "\xc4\x03\""+letter+"\"", "\xc4\x02\"\"", 1)
			}
			if bad == string(good) {
				t.Fatalf("%s: %q is not in %q", name, letter, good)
			}
			err := format.Unmarshal([]byte(bad), new(rashes))
			wrong, ok := errors.AsType[*serializer.DecodeError](err)
			if !ok || wrong.Field != field || !strings.Contains(err.Error(), "panicked: runtime error: index out of range") {
				t.Errorf("%s: %v, want a DecodeError of field %s that tells of the panic", name, err, field)
			}
		}
	}
}
