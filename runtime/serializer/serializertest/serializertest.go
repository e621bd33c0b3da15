// Package serializertest holds a serializer against the contract of package
// serializer. Use it to test a format of your own:
//
//	func TestFormat(t *testing.T) { serializertest.Run(t, myformat.Format{}) }
//
// A format that takes only certain types, such as generated ones, is held against
// the part of the contract that can be told from values of those:
//
//	serializertest.Run(t, protobuf.Format{}, &pb.Opened{Owner: "ada"}, ...)
package serializertest

import (
	"bytes"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/serializer"
)

// Run holds s against the contract. Without values it uses structs with every kind
// of field; with values, events or pointers to them, only those. It runs subtests
// in parallel. Random content is made from a seed that a failure prints; set
// ESGEN_TEST_SEED to it to see the same again.
func Run(t *testing.T, s serializer.Serializer, values ...any) {
	t.Helper()
	c := contract{s: s, values: values, seed: rand.Uint64()}
	if text := os.Getenv("ESGEN_TEST_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("ESGEN_TEST_SEED: %v", err)
		}
		c.seed = seed
	}
	cases := map[string]func(*testing.T){
		"has a name that stores take":          c.name,
		"gives back equal values":              c.roundTrip,
		"encodes a value as a pointer to it":   c.pointer,
		"does not keep its input":              c.input,
		"does not share its output":            c.output,
		"refuses cut and extended data":        c.cut,
		"takes any bytes without a panic":      c.hostile,
		"takes no more memory than data needs": c.memory,
		"may be used concurrently":             c.concurrent,
		"refuses nil":                          c.refusesNil,
		"refuses to decode into anything else": c.target,
	}
	if len(values) == 0 {
		maps.Copy(cases, map[string]func(*testing.T){
			"writes equal values alike":        c.deterministic,
			"skips unknown fields":             c.unknown,
			"tells nil from empty":             c.nilAndEmpty,
			"keeps times":                      c.times,
			"keeps large integers":             c.integers,
			"refuses integers that do not fit": c.narrow,
			"refuses text that databases do":   c.text,
			"refuses endless values":           c.endless,
		})
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t)
		})
	}
}

type contract struct {
	s      serializer.Serializer
	values []any
	seed   uint64
}

// samples returns the values to test with, each a pointer to a struct.
func (c contract) samples(t *testing.T, n int) []any {
	t.Helper()
	if len(c.values) > 0 {
		return c.values
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", c.seed)
		}
	})
	return Samples(c.seed, n)
}

// Samples returns the values that Run uses: pointers to a zero value and to n
// random ones of each struct, the same for the same seed.
func Samples(seed uint64, n int) []any {
	r := rand.New(rand.NewPCG(seed, 0))
	kinds := zoo()
	all := make([]any, 0, len(kinds)*(n+1))
	for _, v := range kinds {
		all = append(all, pointerTo(v))
		for range n {
			p := reflect.New(reflect.TypeOf(v))
			fill(r, p.Elem(), 5)
			all = append(all, p.Interface())
		}
	}
	return all
}

// pointerTo returns a pointer to a copy of v.
func pointerTo(v any) any {
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	return p.Interface()
}

// fresh returns a pointer to a zero value of what v is or points to.
func fresh(v any) any {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return reflect.New(t).Interface()
}

func (c contract) encode(t *testing.T, v any) []byte {
	t.Helper()
	data, err := c.s.Marshal(v)
	if err != nil {
		t.Fatalf("marshal %#v: %v", v, err)
	}
	return data
}

func (c contract) decode(t *testing.T, data []byte, like any) any {
	t.Helper()
	got := fresh(like)
	if err := c.s.Unmarshal(data, got); err != nil {
		t.Fatalf("unmarshal %q into %T: %v", data, got, err)
	}
	return got
}

// diff compares what two pointers point to.
func diff(want, got any) string {
	w := reflect.Indirect(reflect.ValueOf(want)).Interface()
	g := reflect.Indirect(reflect.ValueOf(got)).Interface()
	return cmp.Diff(w, g, options)
}

func (c contract) name(t *testing.T) {
	t.Helper()
	name := c.s.Format()
	if name == "" || len(name) > 255 {
		t.Errorf("%q has %d bytes; stores take 1 to 255", name, len(name))
	}
	if again := c.s.Format(); again != name {
		t.Errorf("the name changed from %q to %q", name, again)
	}
}

func (c contract) roundTrip(t *testing.T) {
	t.Helper()
	for _, v := range c.samples(t, 50) {
		data := c.encode(t, v)
		if d := diff(v, c.decode(t, data, v)); d != "" {
			t.Fatalf("%T changed (-want +got):\n%s\nas %q", v, d, data)
		}
	}
}

func (c contract) pointer(t *testing.T) {
	t.Helper()
	if len(c.values) > 0 {
		return // values may be pointers only
	}
	for _, v := range c.samples(t, 5) {
		byPointer := c.encode(t, v)
		byValue := c.encode(t, reflect.ValueOf(v).Elem().Interface())
		if !bytes.Equal(byPointer, byValue) {
			t.Fatalf("%T: by pointer %q, by value %q", v, byPointer, byValue)
		}
	}
}

func (c contract) deterministic(t *testing.T) {
	t.Helper()
	for _, v := range c.samples(t, 5) {
		first := c.encode(t, v)
		for range 5 {
			if again := c.encode(t, v); !bytes.Equal(first, again) {
				t.Fatalf("%T: %q, then %q", v, first, again)
			}
		}
		again := c.encode(t, c.decode(t, first, v))
		if !bytes.Equal(first, again) {
			t.Logf("%T: decoded and encoded again %q gives %q", v, first, again)
		}
	}
}

func (c contract) input(t *testing.T) {
	t.Helper()
	for _, v := range c.samples(t, 10) {
		data := c.encode(t, v)
		given := bytes.Clone(data)
		got := c.decode(t, given, v)
		if !bytes.Equal(data, given) {
			t.Fatalf("unmarshal changed its input from %q to %q", data, given)
		}
		for i := range given {
			given[i] = 'X'
		}
		if d := diff(v, got); d != "" {
			t.Fatalf("%T refers to the input of unmarshal (-want +got):\n%s", v, d)
		}
	}
}

func (c contract) output(t *testing.T) {
	t.Helper()
	all := c.samples(t, 10)
	encoded, copies := make([][]byte, 0, len(all)), make([][]byte, 0, len(all))
	for _, v := range all {
		data := c.encode(t, v)
		encoded = append(encoded, data)
		copies = append(copies, bytes.Clone(data))
	}
	for i, data := range encoded {
		if !bytes.Equal(data, copies[i]) {
			t.Fatalf("a later marshal changed %q to %q", copies[i], data)
		}
		for j := range data {
			data[j] = 'X'
		}
		if d := diff(all[i], c.decode(t, c.encode(t, all[i]), all[i])); d != "" {
			t.Fatalf("%T shares memory with its encoding:\n%s", all[i], d)
		}
	}
}

func (c contract) cut(t *testing.T) {
	t.Helper()
	if len(c.values) > 0 {
		return // in some formats a part of a message is a message
	}
	for _, v := range c.samples(t, 1) {
		data := c.encode(t, v)
		for range 20 {
			n := rand.IntN(len(data))
			if err := c.s.Unmarshal(data[:n], fresh(v)); err == nil {
				t.Fatalf("%T: took the first %d bytes of %q", v, n, data)
			}
		}
		if err := c.s.Unmarshal(append(bytes.Clone(data), data...), fresh(v)); err == nil {
			t.Fatalf("%T: took %q twice in a row", v, data)
		}
	}
}

func (c contract) hostile(t *testing.T) {
	t.Helper()
	r := rand.New(rand.NewPCG(c.seed, 1))
	for _, v := range c.samples(t, 3) {
		data := c.encode(t, v)
		for range 200 {
			_ = c.s.Unmarshal(mutate(r, data), fresh(v))
		}
	}
}

// mutate returns a copy of data with a few random changes.
func mutate(r *rand.Rand, data []byte) []byte {
	data = bytes.Clone(data)
	for range 1 + r.IntN(4) {
		if len(data) == 0 {
			return data
		}
		at := r.IntN(len(data))
		switch r.IntN(4) {
		case 0:
			data[at] = byte(r.Uint32())
		case 1:
			data = append(data[:at], data[at+1:]...)
		case 2:
			data = append(data[:at:at], append([]byte{byte(r.Uint32())}, data[at:]...)...)
		case 3:
			data[at] ^= 1 << r.IntN(8)
		}
	}
	return data
}

// memory decodes many mutations of small data, of which some declare lengths that
// they do not have. It is to find what takes megabytes for a few bytes, whatever
// other tests allocate meanwhile.
func (c contract) memory(t *testing.T) {
	t.Helper()
	const limit = 64 << 20
	r := rand.New(rand.NewPCG(c.seed, 2))
	for _, v := range c.samples(t, 1) {
		data := c.encode(t, v)
		for range 50 {
			hostile := mutate(r, data)
			took := uint64(math.MaxUint64)
			for tries := 0; took > limit && tries < 5; tries++ {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_ = c.s.Unmarshal(hostile, fresh(v))
				runtime.ReadMemStats(&after)
				took = min(took, after.TotalAlloc-before.TotalAlloc)
			}
			if took > limit {
				t.Fatalf("%T: %d bytes allocated for %q", v, took, hostile)
			}
		}
	}
}

func (c contract) concurrent(t *testing.T) {
	t.Helper()
	all := c.samples(t, 3)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, v := range all {
				data, err := c.s.Marshal(v)
				if err != nil {
					t.Errorf("marshal %T: %v", v, err)
					return
				}
				got := fresh(v)
				if err := c.s.Unmarshal(data, got); err != nil {
					t.Errorf("unmarshal %T: %v", v, err)
					return
				}
				if d := diff(v, got); d != "" {
					t.Errorf("%T changed (-want +got):\n%s", v, d)
					return
				}
			}
		})
	}
	wg.Wait()
}

func (c contract) refusesNil(t *testing.T) {
	t.Helper()
	for _, v := range []any{nil, (*basics)(nil)} {
		if data, err := c.s.Marshal(v); err == nil {
			t.Errorf("%#v was encoded as %q; there is no event", v, data)
		}
	}
}

func (c contract) target(t *testing.T) {
	t.Helper()
	sample := c.samples(t, 0)[0]
	data := c.encode(t, sample)
	for _, v := range []any{nil, reflect.Zero(reflect.TypeOf(fresh(sample))).Interface(), basics{}} {
		if err := c.s.Unmarshal(data, v); err == nil {
			t.Errorf("decoded into %#v", v)
		}
	}
}
