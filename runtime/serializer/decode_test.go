package serializer_test

import (
	"encoding/binary"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/serializer"
)

type line struct {
	SKU string     `json:"sku"`
	Qty int8       `json:"qty"`
	At  *uuid.UUID `json:"at"`
}

type basket struct {
	Lines []line          `json:"lines"`
	Named map[string]line `json:"named"`
	When  time.Time       `json:"when"`
	Count int64           `json:"count,string"`
}

func TestDecodeErrorNamesTheField(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]struct {
		field string
		text  string
	}{
		`{"lines":[{"qty":1},{"qty":300}]}`: {"lines[1].qty", "300"},
		`{"lines":[{"sku":1}]}`:             {"lines[0].sku", "number"},
		`{"lines":{}}`:                      {"lines", "object"},
		`{"named":{"a":{},"b":{"at":"x"}}}`: {`named["b"].at`, "UUID"},
		`{"when":"yesterday","count":"7"}`:  {"when", "yesterday"},
		`{"count":"7","WHEN":"yesterday"}`:  {"when", "yesterday"},
		`{"count":"seven"}`:                 {"count", "seven"},
		`{"lines":[`:                        {"", "unexpected end"},
		`{"lines":[]}}`:                     {"", "after top-level value"},
		``:                                  {"", "unexpected end"},
		`[]`:                                {"", "array"},
		strings.Repeat("[", 20000):          {"", "max depth"},
	} {
		for format, s := range formats {
			if !strings.HasPrefix(format, "json") {
				continue
			}
			err := s.Unmarshal([]byte(data), new(basket))
			wrong, ok := errors.AsType[*serializer.DecodeError](err)
			if !ok || wrong.Field != want.field || wrong.Format != s.Format() || wrong.GoType != "serializer_test.basket" || !strings.Contains(err.Error(), want.text) {
				t.Errorf("%s, %.40s: got %v, want field %q and %q", format, data, err, want.field, want.text)
			}
		}
	}
	err := serializer.JSON{}.Unmarshal([]byte(`{"lines":[{"qty":1},{"qty":300}]}`), new(basket))
	if want := `decode json into serializer_test.basket: field lines[1].qty: json: cannot unmarshal number 300 into Go struct field line.lines.qty of type int8 (at byte 30)`; err == nil || err.Error() != want {
		t.Errorf("text\n got %v\nwant %s", err, want)
	}
}

// pack writes MessagePack by hand: strings, ints, maps as pairs, bytes as they are.
func pack(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = append(b, byte(p))
		case string:
			b = append(append(b, 0xa0|byte(len(p))), p...)
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

func TestMsgpackDecodeErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data  []byte
		field string
		text  string
	}{
		"out of range":      {pack(0x81, "lines", 0x92, 0x80, 0x81, "qty", 0xcd, 0x01, 0x2c), "lines[1].qty", "the number 300 is out of the range of int8 (at byte 14)"},
		"negative":          {pack(0x81, "lines", 0x91, 0x81, "qty", 0xd1, 0xff, 0x00), "lines[0].qty", "the number -256 is out of the range of int8 (at byte 13)"},
		"float":             {pack(0x81, "lines", 0x91, 0x81, "qty", 0xca, 0, 0, 0, 0), "lines[0].qty", "a float does not fit into int8 (at byte 13)"},
		"wrong kind":        {pack(0x81, "lines", 0x91, 0x81, "sku", 0x01), "lines[0].sku", "an integer does not fit into string (at byte 13)"},
		"not a struct":      {pack(0x81, "lines", 0x91, 0x01), "lines[0]", "an integer does not fit into serializer_test.line (at byte 8)"},
		"2^31 elements":     {pack(0x81, "lines", 0xdd, 0x7f, 0xff, 0xff, 0xff), "lines", "an array declares 2147483647 elements or bytes where only 0 can follow (at byte 12)"},
		"2^32 pairs":        {pack(0x81, "named", 0xdf, 0xff, 0xff, 0xff, 0xff), "named", "a map declares 4294967295 elements or bytes where only 0 can follow (at byte 12)"},
		"a long string":     {pack(0x81, "lines", 0x91, 0x81, "sku", 0xdb, 0xff, 0xff, 0xff, 0xff), "lines[0].sku", "a string declares 4294967295 elements or bytes where only 0 can follow (at byte 18)"},
		"unknown and long":  {pack(0x81, "x", 0xdd, 0xff, 0xff, 0xff, 0xff), `["x"]`, "an array declares 4294967295 elements or bytes where only 0 can follow (at byte 8)"},
		"trailing":          {pack(0x80, 0x80), "", "1 bytes follow the value (at byte 1)"},
		"cut":               {pack(0x81, "when"), "when", "the data ends within a value (at byte 6)"},
		"empty":             {nil, "", "the data ends within a value (at byte 0)"},
		"0xc1":              {pack(0x81, "when", 0xc1), "when", "code 0xc1 is none of MessagePack's (at byte 6)"},
		"a name that is no": {pack(0x81, 0x01, 0x01), "", "an integer where the name of a field belongs (at byte 0)"},
		"ext 5":             {pack(0x81, "when", 0xd6, 5, 0, 0, 0, 0), "when", "an extension is no timestamp (at byte 6)"},
		"nanoseconds":       {pack(0x81, "when", 0xd7, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0), "when", "a timestamp of more than 999999999 nanoseconds (at byte 6)"},
		"year":              {pack(0x81, "when", 0xc7, 12, 0xff, 0, 0, 0, 0, 0x7f, 0, 0, 0, 0, 0, 0, 0), "when", ""},
		"UTF-8":             {pack(0x81, "lines", 0x91, 0x81, "sku", "\xff"), "lines[0].sku", "a string is not valid UTF-8 (at byte 13)"},
		"uuid":              {pack(0x81, "lines", 0x91, 0x81, "at", 0xc4, 1, 0), "lines[0].at", "invalid UUID (got 1 bytes) (at byte 12)"},
		"deep":              {append(pack(0x81, "x"), append(make([]byte, 0), []byte(strings.Repeat("\x91", 20000)+"\x01")...)...), `["x"]`, ""},
	} {
		var got basket
		err := serializer.Msgpack{}.Unmarshal(c.data, &got)
		wrong, ok := errors.AsType[*serializer.DecodeError](err)
		if !ok || wrong.Field != c.field || !strings.HasSuffix(err.Error(), c.text) {
			t.Errorf("%s: got %v, want field %q and %q", name, err, c.field, c.text)
		}
	}
}

// The 12 bytes that make a reflection decoder allocate until the process dies,
// and others like them, cost no more than a few kilobytes.
func TestDeclaredLengthsAllocateNothing(t *testing.T) {
	// Not parallel: it measures the whole process.
	huge := binary.BigEndian.AppendUint32(nil, 1<<31-1)
	type all struct {
		Lines   []basket
		Strings []string
		Bytes   []byte
		Map     map[string]basket
		Any     any
		Array   [4]int
		Text    uuid.UUID
	}
	for _, field := range []string{"Lines", "Strings", "Bytes", "Map", "Any", "Array", "Text", "Unknown"} {
		for _, code := range []byte{0xc6, 0xc9, 0xdb, 0xdd, 0xdf} {
			data := append(append(pack(0x81, field), code), huge...)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := serializer.Msgpack{}.Unmarshal(data, new(all))
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Errorf("%s, code %x: decoded", field, code)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 64<<10 {
				t.Errorf("%s, code %x: %d bytes allocated for %d bytes", field, code, took, len(data))
			}
		}
	}
}

// What is decoded costs memory in proportion to the input, also when elements are
// small on the wire.
func TestDecodingAllocatesInProportion(t *testing.T) {
	// Not parallel: it measures the whole process.
	const n = 100_000
	type pair struct{ A, B int64 }
	inputs := map[string][]byte{
		"json":    []byte(`{"Pairs":[` + strings.Repeat("{},", n-1) + `{}]}`),
		"msgpack": append(append(pack(0x81, "Pairs", 0xdd), binary.BigEndian.AppendUint32(nil, n)...), make([]byte, 0)...),
	}
	for range n {
		inputs["msgpack"] = append(inputs["msgpack"], 0x80)
	}
	for format, data := range inputs {
		s, err := serializer.Default().Get(format)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var got struct{ Pairs []pair }
		if err := s.Unmarshal(data, &got); err != nil || len(got.Pairs) != n {
			t.Fatalf("%s: %d elements, %v", format, len(got.Pairs), err)
		}
		runtime.ReadMemStats(&after)
		// Growth by doubling costs at most three times the final slice.
		if took, limit := after.TotalAlloc-before.TotalAlloc, uint64(4*n*16+4*len(data)); took > limit {
			t.Errorf("%s: %d bytes allocated for %d bytes, more than %d", format, took, len(data), limit)
		}
	}
}

// A decoder that fails half-way leaves nothing of the first attempt behind.
func TestLargestFloat32(t *testing.T) {
	t.Parallel()
	type event struct {
		F float32
		S []int
	}
	for format, s := range formats {
		want := event{3.4028234663852886e38, []int{1, 2}}
		data, err := s.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got event
		if err := s.Unmarshal(data, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v", format, got, err)
		}
	}
}

func TestMsgpackTimesAreUTC(t *testing.T) {
	t.Parallel()
	type event struct {
		At  time.Time
		All map[string][]*time.Time
	}
	at := time.Now().In(time.FixedZone("east", 7200))
	data, err := serializer.Msgpack{}.Marshal(event{at, map[string][]*time.Time{"a": {&at}}})
	if err != nil {
		t.Fatal(err)
	}
	var got event
	if err := (serializer.Msgpack{}).Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := at.Round(0).UTC()
	if got.At != want || *got.All["a"][0] != want {
		t.Errorf("got %#v, want %#v", got.At, want)
	}
	data, err = serializer.Msgpack{}.Marshal(event{})
	if err != nil {
		t.Fatal(err)
	}
	if err := (serializer.Msgpack{}).Unmarshal(data, &got); err != nil || got.At != (time.Time{}) {
		t.Errorf("the zero time became %#v, %v", got.At, err)
	}
}

func TestMsgpackInterface(t *testing.T) {
	t.Parallel()
	type event struct{ A any }
	give := map[string]any{"i": 7, "n": int64(-7), "u": uint64(1 << 63), "f": 1.5, "g": float32(2.5), "s": "x", "z": nil, "l": []any{true, map[string]any{}}}
	want := map[string]any{"i": int64(7), "n": int64(-7), "u": uint64(1 << 63), "f": 1.5, "g": 2.5, "s": "x", "z": nil, "l": []any{true, map[string]any{}}}
	data, err := serializer.Msgpack{}.Marshal(event{give})
	if err != nil {
		t.Fatal(err)
	}
	var got event
	if err := (serializer.Msgpack{}).Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(any(want), got.A); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
