package serializer_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/serializer"
)

type upper struct{ serializer.JSON }

func (upper) Format() string { return "upper" }

func TestSet(t *testing.T) {
	t.Parallel()
	set := serializer.Default()
	if got := set.Formats(); !slices.Equal(got, []string{"json", "jsonb", "msgpack"}) {
		t.Errorf("default formats are %v", got)
	}
	grown := set.With(upper{}, serializer.JSON{Standard: true})
	if got := set.Formats(); len(got) != 3 {
		t.Errorf("With changed its receiver: %v", got)
	}
	if f, err := grown.Get("upper"); err != nil || f != (upper{}) {
		t.Errorf("got %v, %v", f, err)
	}
	if f, err := grown.Get("json"); err != nil || f != (serializer.JSON{Standard: true}) {
		t.Errorf("With did not replace json: got %v, %v", f, err)
	}
	for set, text := range map[*serializer.Set]string{
		&set:                `format "protobuf": no serializer is registered under this name, known are: json, jsonb, msgpack; register it, or deploy a binary that has it`,
		new(serializer.Set): `format "protobuf": no serializer is registered under this name, known are: none; register it, or deploy a binary that has it`,
	} {
		_, err := set.Get("protobuf")
		unknown, ok := errors.AsType[*serializer.UnknownFormatError](err)
		if !ok || err.Error() != text {
			t.Errorf("\n got %v\nwant %s", err, text)
			continue
		}
		if diff := cmp.Diff(&serializer.UnknownFormatError{Format: "protobuf", Known: set.Formats()}, unknown); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
