package serializertest

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// options compare by the rules of package serializer: a raw message by meaning.
var options = cmp.Options{
	cmp.Exporter(func(reflect.Type) bool { return true }),
	cmp.Comparer(func(a, b json.RawMessage) bool { return bytes.Equal(meaning(a), meaning(b)) }),
	cmp.Comparer(func(a, b json.Number) bool { return orZero(a) == orZero(b) }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }),
}

func orZero(n json.Number) json.Number {
	if n == "" {
		return "0"
	}
	return n
}

// meaning returns raw JSON with its keys sorted, and null for none.
func meaning(raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return []byte("null")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return raw
	}
	out, err := json.Marshal(v)
	if err != nil {
		return raw
	}
	return out
}

type newer struct {
	Before string
	Known  int
	Extra  map[string][]basics
	Deep   [][][]named
	When   time.Time
	Last   string
}

type older struct {
	Known int
	Last  string
}

func (c contract) unknown(t *testing.T) {
	t.Helper()
	v := newer{
		Before: "x", Known: 7, Last: "z", When: time.Unix(1, 2),
		Extra: map[string][]basics{"a": {{String: "}"}, {Bytes: []byte{1, 2}}}},
		Deep:  [][][]named{{{{Labels: labels{"a": "]"}}}}},
	}
	var got older
	if err := c.s.Unmarshal(c.encode(t, v), &got); err != nil {
		t.Fatal(err)
	}
	if want := (older{7, "z"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var back newer
	if err := c.s.Unmarshal(c.encode(t, got), &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(newer{Known: 7, Last: "z"}, back); d != "" {
		t.Errorf("missing fields are not zero (-want +got):\n%s", d)
	}
}

func (c contract) nilAndEmpty(t *testing.T) {
	t.Helper()
	type nils struct {
		Bytes   []byte
		Blob    blob
		Strings []string
		Structs []basics
		Map     map[string]string
		Counts  map[int]int
		Pointer *basics
		Any     any
	}
	for _, v := range []nils{
		{},
		{Bytes: []byte{}, Blob: blob{}, Strings: []string{}, Structs: []basics{}, Map: map[string]string{}, Counts: map[int]int{}, Pointer: &basics{}, Any: []any{}},
		{Strings: []string{""}, Structs: []basics{{}}, Map: map[string]string{"": ""}, Counts: map[int]int{0: 0}, Any: map[string]any{}},
	} {
		if d := diff(v, c.decode(t, c.encode(t, v), v)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

func (c contract) times(t *testing.T) {
	t.Helper()
	type event struct{ At time.Time }
	for _, at := range []time.Time{
		{},
		time.Unix(0, 0),
		time.Unix(0, 0).UTC(),
		time.Now(),
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(2024, 2, 29, 23, 59, 59, 1, time.FixedZone("", -11*3600-30*60)),
		time.Date(1900, 1, 1, 0, 0, 0, 0, time.FixedZone("", 14*3600)),
		time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
		time.Date(2514, 5, 30, 1, 53, 4, 0, time.UTC),
	} {
		var got event
		if err := c.s.Unmarshal(c.encode(t, event{at}), &got); err != nil {
			t.Fatal(err)
		}
		if !got.At.Equal(at) {
			t.Errorf("%s became %s", at, got.At)
		}
	}
	for _, at := range []time.Time{
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if data, err := c.s.Marshal(event{at}); err == nil {
			t.Errorf("year %d was encoded as %q", at.Year(), data)
		}
	}
	// Towns had such offsets before there were time zones; RFC 3339 rounds them.
	mean := time.Date(1850, 1, 1, 0, 0, 0, 0, time.FixedZone("LMT", 53*60+28))
	if data, err := c.s.Marshal(event{mean}); err == nil {
		var got event
		if err := c.s.Unmarshal(data, &got); err != nil || !got.At.Equal(mean) {
			t.Errorf("%s became %s, %v", mean, got.At, err)
		}
	}
}

func (c contract) integers(t *testing.T) {
	t.Helper()
	type event struct {
		Int  int64
		Uint uint64
		Map  map[int64]uint64
	}
	for _, v := range []event{
		{math.MaxInt64, math.MaxUint64, map[int64]uint64{math.MinInt64: math.MaxUint64, math.MaxInt64: 1<<53 + 1}},
		{math.MinInt64, 1<<53 + 1, nil},
		{1<<53 + 1, 1 << 63, nil},
		{-1<<53 - 1, math.MaxInt64 + 1, nil},
	} {
		if d := diff(v, c.decode(t, c.encode(t, v), v)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

func (c contract) narrow(t *testing.T) {
	t.Helper()
	type wide struct{ N int64 }
	type wideUnsigned struct{ N uint64 }
	for _, v := range []struct{ wide, narrow any }{
		{wide{300}, new(struct{ N int8 })},
		{wide{128}, new(struct{ N int8 })},
		{wide{-129}, new(struct{ N int8 })},
		{wide{256}, new(struct{ N uint8 })},
		{wide{-1}, new(struct{ N uint8 })},
		{wide{-1}, new(struct{ N uint64 })},
		{wide{math.MinInt64}, new(struct{ N uint32 })},
		{wide{1 << 15}, new(struct{ N int16 })},
		{wide{1 << 16}, new(struct{ N uint16 })},
		{wide{1 << 31}, new(struct{ N int32 })},
		{wide{1 << 32}, new(struct{ N uint32 })},
		{wideUnsigned{1 << 63}, new(struct{ N int64 })},
		{wideUnsigned{math.MaxUint64}, new(struct{ N int })},
		{struct{ N float64 }{1.5}, new(struct{ N int })},
		{struct{ N string }{"1"}, new(struct{ N int })},
		{struct{ N []int }{[]int{1}}, new(struct{ N string })},
		{struct{ N int }{1}, new(struct{ N []int })},
		{struct{ N int }{1}, new(struct{ N bool })},
		{struct{ N []int }{[]int{1}}, new(struct{ N map[string]int })},
		{struct{ N string }{"x"}, new(struct{ N time.Time })},
	} {
		if err := c.s.Unmarshal(c.encode(t, v.wide), v.narrow); err == nil {
			t.Errorf("%+v was decoded as %+v", v.wide, v.narrow)
		} else if !strings.Contains(err.Error(), "N") {
			t.Errorf("%+v into %T: the error does not name the field N: %v", v.wide, v.narrow, err)
		}
	}
}

func (c contract) text(t *testing.T) {
	t.Helper()
	for _, bad := range []string{"a\x00b", "\xff", "a\xc3", "\xed\xa0\x80", "\xf5\x80\x80\x80"} {
		for name, v := range map[string]any{
			"a string":       struct{ Field string }{bad},
			"a named string": struct{ Field color }{color(bad)},
			"a pointer":      struct{ Field *string }{&bad},
			"a slice":        struct{ Field []string }{[]string{"", bad}},
			"a map":          struct{ Field map[string]string }{map[string]string{"k": bad}},
			"a key":          struct{ Field map[string]int }{map[string]int{bad: 1}},
			"an interface":   struct{ Field any }{map[string]any{"k": []any{bad}}},
			"a text":         struct{ Field money }{money{1, bad}},
			"a nested one":   struct{ Field basics }{basics{String: bad}},
		} {
			data, err := c.s.Marshal(v)
			if err == nil {
				t.Errorf("%q in %s was encoded as %q", bad, name, data)
			} else if !strings.Contains(err.Error(), "Field") {
				t.Errorf("%q in %s: the error does not name the field: %v", bad, name, err)
			}
		}
	}
}

func (c contract) endless(t *testing.T) {
	t.Helper()
	loop := &recursive{Name: "loop"}
	loop.Next = loop
	if _, err := c.s.Marshal(loop); err == nil {
		t.Error("a value that holds itself was encoded")
	}
	for depth, want := range map[int]bool{100: true, 5000: false} {
		v := &recursive{}
		for range depth {
			v = &recursive{Next: v}
		}
		data, err := c.s.Marshal(v)
		if (err == nil) != want {
			t.Errorf("%d levels: %v", depth, err)
		}
		if err != nil {
			continue
		}
		if d := diff(v, c.decode(t, data, v)); d != "" {
			t.Errorf("%d levels changed:\n%s", depth, d)
		}
	}
}
