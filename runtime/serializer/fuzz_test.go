package serializer_test

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/serializer"
	"github.com/esgen/esgen/runtime/serializer/serializertest"
)

// fuzz checks of arbitrary data: no panic, and what decodes encodes to what
// decodes equal.
func fuzz(t *testing.T, s serializer.Serializer, data []byte, targets []any) {
	given := bytes.Clone(data)
	for _, like := range targets {
		first := reflect.New(reflect.TypeOf(like).Elem())
		if err := s.Unmarshal(data, first.Interface()); err != nil {
			continue
		}
		if !bytes.Equal(given, data) {
			t.Fatalf("%T: the input was changed", like)
		}
		again, err := s.Marshal(first.Interface())
		if err != nil {
			continue // such as a time whose offset has seconds
		}
		second := reflect.New(reflect.TypeOf(like).Elem())
		if err := s.Unmarshal(again, second.Interface()); err != nil {
			t.Fatalf("%T: %q decodes, its encoding %q does not: %v", like, data, again, err)
		}
		third, err := s.Marshal(second.Interface())
		if err != nil || !bytes.Equal(again, third) {
			t.Fatalf("%T: %q, then %q, %v", like, again, third, err)
		}
	}
}

// targets are a zero value of every struct of the contract.
func targets() []any { return append(serializertest.Samples(1, 0), new(golden), new(any)) }

func seeds(f *testing.F, s serializer.Serializer) {
	for _, v := range serializertest.Samples(1, 2) {
		data, err := s.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

func FuzzJSON(f *testing.F) {
	seeds(f, serializer.JSON{})
	for _, s := range []string{"", "null", "[]", `{"a":1}{}`, strings.Repeat("[", 10001), `{"string":"\ud800\u0000"}`, "{\"string\":\"\xff\"}", `{"float32":3.4028235e+38,"int8":128}`} {
		f.Add([]byte(s))
	}
	all := targets()
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzz(t, serializer.JSON{}, data, all)
		for _, like := range all {
			a, b := reflect.New(reflect.TypeOf(like).Elem()), reflect.New(reflect.TypeOf(like).Elem())
			errA := serializer.JSON{Standard: true}.Unmarshal(data, a.Interface())
			errB := serializer.JSON{}.Unmarshal(data, b.Interface())
			if (errA == nil) != (errB == nil) {
				t.Fatalf("%T %q\nencoding/json %v\ngo-json       %v", like, data, errA, errB)
			}
			if diff := cmp.Diff(a.Interface(), b.Interface(), same); errA == nil && diff != "" {
				t.Fatalf("%T %q (-encoding/json +go-json):\n%s", like, data, diff)
			}
		}
	})
}

func FuzzJSONB(f *testing.F) {
	seeds(f, serializer.JSONB{})
	for _, s := range []string{"", "null", `{"float64":1e200000}`, `{"int64":9223372036854775808}`, `{"raw":{"a":"\ud834\udd1e\ud834"}}`} {
		f.Add([]byte(s))
	}
	all := targets()
	f.Fuzz(func(t *testing.T, data []byte) { fuzz(t, serializer.JSONB{}, data, all) })
}

func FuzzMsgpack(f *testing.F) {
	seeds(f, serializer.Msgpack{})
	f.Add([]byte("\x81\xa5lines\xdd\x7f\xff\xff\xff"))
	f.Add(bytes.Repeat([]byte{0x91}, 10001))
	if text, err := os.ReadFile("testdata/release1.msgpack"); err == nil {
		f.Add(text)
	}
	all := targets()
	f.Fuzz(func(t *testing.T, data []byte) { fuzz(t, serializer.Msgpack{}, data, all) })
}
