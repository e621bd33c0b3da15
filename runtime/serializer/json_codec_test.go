package serializer_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/serializer"
)

type noted struct {
	Text string `json:"text"`
}

// A codec is asked first, its text is checked, and what it refuses is decided by
// reflection.
func TestJSONCodec(t *testing.T) {
	t.Parallel()
	refusal := errors.New("no")
	encoded, decoded := 0, 0
	codec := serializer.JSONOf(
		func(dst []byte, v noted) ([]byte, error) {
			if encoded++; v.Text == "refuse" {
				return nil, refusal
			}
			return append(append(append(dst, `{"text":"`...), v.Text...), `"}`...), nil
		},
		func(data []byte, into *noted) error {
			decoded++
			if into.Text = "traces"; len(data) > 20 {
				return refusal
			}
			return json.Unmarshal(data, into)
		})
	for _, f := range []serializer.Serializer{serializer.JSON{}.With(codec), serializer.JSONB{}.With(codec), serializer.JSON{Standard: true}.With(codec)} {
		encoded, decoded = 0, 0
		for _, v := range []any{noted{"a"}, &noted{"a"}, noted{"refuse"}} {
			text := "refuse"
			if n, ok := v.(*noted); ok {
				text = n.Text
			} else if n, ok := v.(noted); ok {
				text = n.Text
			}
			data, err := f.Marshal(v)
			if err != nil || string(data) != `{"text":"`+text+`"}` {
				t.Errorf("%T %+v: %s, %v", f, v, data, err)
			}
		}
		if _, err := f.Marshal(noted{"\xff"}); err == nil || !strings.Contains(err.Error(), "field text: is not valid UTF-8") {
			t.Errorf("%T stores invalid UTF-8 of a codec: %v", f, err)
		}
		for _, text := range []string{`{"text":"b"}`, `{"text":"b", "other":[]}`, `{                          }`} {
			var into noted
			if err := f.Unmarshal([]byte(text), &into); err != nil || into.Text != map[bool]string{true: "b"}[strings.Contains(text, "b")] {
				t.Errorf("%T reads %s as %+v: %v", f, text, into, err)
			}
		}
		if err := f.Unmarshal([]byte(`{"text":1}`), new(noted)); err == nil || !strings.Contains(err.Error(), "field text: ") {
			t.Errorf("%T: %v", f, err)
		}
		if encoded != 4 || decoded != 4 {
			t.Errorf("%T: the codec was asked %d and %d times", f, encoded, decoded)
		}
		var other struct{ N int }
		if err := f.Unmarshal([]byte(`{"N":3}`), &other); err != nil || other.N != 3 {
			t.Errorf("%T reads another type as %+v: %v", f, other, err)
		}
	}
}
