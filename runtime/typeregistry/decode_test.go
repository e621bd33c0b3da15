package typeregistry_test

import (
	"reflect"
	"runtime"
	"testing"

	"github.com/esgen/esgen/runtime/typeregistry"
)

type (
	empty    struct{}
	pointer  struct{ By *string }
	nested   struct{ In pointer }
	labelled struct{ Labels map[string]string }
	padded   struct {
		_  struct{}
		By *string
	}
	wide struct {
		Name string
		By   *string
		List []pointer
	}
)

// TestDecodeEveryLayout decodes events that the compiler holds in an any in different
// ways, with the collector at work in between.
func TestDecodeEveryLayout(t *testing.T) {
	t.Parallel()
	by := "ada"
	for _, want := range []any{
		empty{},
		pointer{&by},
		nested{pointer{&by}},
		labelled{map[string]string{"a": "b"}},
		padded{By: &by},
		wide{"w", &by, []pointer{{&by}}},
		[1]*string{&by},
		int8(-3), "text",
		[4]uint64{1, 2, 3, 4},
	} {
		of := typeregistry.Of(want, "o", 1)
		decode := func() any {
			got, err := of.Decode(func(dst any) error {
				reflect.ValueOf(dst).Elem().Set(reflect.ValueOf(want))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		all := make([]any, 1000)
		for i := range all {
			all[i] = decode()
		}
		runtime.GC()
		for _, got := range all {
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%#v is decoded as %#v", want, got)
			}
		}
		fresh, err := of.Decode(func(any) error { return nil })
		if err != nil || !reflect.ValueOf(fresh).IsZero() {
			t.Errorf("after %#v another begins with %#v, %v", want, fresh, err)
		}
	}
}
