package serializer_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/serializer"
)

type ship struct {
	Street string `json:"street"`
	Lines  []struct {
		SKU    string            `json:"sku"`
		Labels map[string]string `json:"labels"`
	} `json:"lines"`
}

type order struct {
	Ship ship `json:"ship"`
}

type hidden struct {
	Shown  int
	inside int
}

type (
	shadowBase struct{ ID string }
	shadow     struct {
		shadowBase
		ID string
	}
)

type (
	twinA struct{ X int }
	twinB struct{ X int }
	twins struct {
		twinA
		twinB
	}
)

type promoted struct {
	time.Time
	Note string
}
type own struct {
	time.Time
	Note string
}

func (o own) MarshalText() ([]byte, error)     { return []byte(o.Note), nil }
func (o *own) UnmarshalText(text []byte) error { o.Note = string(text); return nil }
func (o own) MarshalJSON() ([]byte, error)     { return json.Marshal(o.Note) }
func (o *own) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &o.Note) }
func (o own) MarshalBinary() ([]byte, error)   { return []byte(o.Note), nil }
func (o *own) UnmarshalBinary(b []byte) error  { o.Note = string(b); return nil }

type word string

func (w word) MarshalText() ([]byte, error)     { return []byte(w), nil }
func (w *word) UnmarshalText(text []byte) error { *w = word(text); return nil }

type promotedInline struct {
	word
	Note string
}

type promotedPointer struct {
	*word
	Note string
}

type generic[T any] struct {
	word  //nolint:unused // embedding it is the case
	Value T
}

func (g generic[T]) MarshalText() ([]byte, error)     { return json.Marshal(g.Value) }
func (g *generic[T]) UnmarshalText(text []byte) error { return json.Unmarshal(text, &g.Value) }

type oneWay struct{ X int }

func (oneWay) MarshalJSON() ([]byte, error) { return []byte(`"secret"`), nil }

type pointed struct{ x int }

func (p *pointed) MarshalJSON() ([]byte, error) { return json.Marshal(p.x) }
func (p *pointed) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &p.x)
}

type failing struct{}

var errFailing = errors.New("out of paper")

func (failing) MarshalJSON() ([]byte, error) { return nil, errFailing }
func (*failing) UnmarshalJSON([]byte) error  { return errFailing }

type folded string

func (f *folded) UnmarshalText(text []byte) error {
	*f = folded(strings.ToLower(string(text)))
	return nil
}

type collides struct{ x int }

func (collides) MarshalText() ([]byte, error)     { return []byte("same"), nil }
func (*collides) UnmarshalText(text []byte) error { return nil }

type (
	celsius  float64
	stringer interface{ String() string }
)

func TestEncodeErrorNamesTheField(t *testing.T) {
	t.Parallel()
	bad := ship{Street: "a\x00b"}
	lines := ship{Lines: make([]struct {
		SKU    string            `json:"sku"`
		Labels map[string]string `json:"labels"`
	}, 3)}
	lines.Lines[2].Labels = map[string]string{"k": "\xff"}
	number := 9007199254740993
	for name, c := range map[string]struct {
		event any
		field string
		text  string // what follows the field
		only  string // formats that refuse, by prefix; all if empty
	}{
		"NUL":                {order{bad}, "ship.street", "contains U+0000, which databases cannot store", ""},
		"NUL by pointer":     {&order{bad}, "ship.street", "contains U+0000, which databases cannot store", ""},
		"UTF-8":              {order{lines}, `ship.lines[2].labels["k"]`, "is not valid UTF-8, so it would be changed; use []byte for bytes", ""},
		"NaN":                {struct{ F []float64 }{[]float64{0, math.NaN()}}, "F[1]", "is NaN, which JSON cannot hold", "json"},
		"Inf":                {struct{ F *celsius }{func() *celsius { c := celsius(math.Inf(-1)); return &c }()}, "F", "is -Inf, which JSON cannot hold", "json"},
		"NaN in any":         {struct{ F any }{math.NaN()}, "F", "is NaN, which JSON cannot hold", ""},
		"int in any":         {struct{ F any }{number}, "F", "holds the int 9007199254740993 in an interface, where JSON reads back a float64 that is not equal; give the field that type", "json"},
		"float32 in any":     {struct{ F any }{float32(0.1)}, "F", "holds the float32 0.1 in an interface, where JSON reads back a float64 that is not equal; give the field that type", "json"},
		"struct in any":      {struct{ F []any }{[]any{1, ship{}}}, "F[1]", "holds a serializer_test.ship in an interface, which would read back as another type; give the field that type, or use json.RawMessage", ""},
		"bytes in any":       {struct{ F any }{[]byte("x")}, "F", "holds a []uint8 in an interface, which would read back as another type; give the field that type, or use json.RawMessage", ""},
		"interface":          {struct{ F stringer }{time.Second}, "F", "holds a time.Duration in an interface, and nothing tells to read one back; use a concrete type", ""},
		"unexported":         {struct{ H hidden }{hidden{1, 2}}, "H.inside", `is unexported, so it would not be stored; export it, or tag it "-" if it need not be`, ""},
		"shadowed":           {shadow{shadowBase{"lost"}, "kept"}, "shadowBase.ID", "shares the stored name ID with another field, so it would not be stored; give one of them another name", ""},
		"ambiguous":          {twins{twinA{1}, twinB{}}, "twinA.X", "shares the stored name X with another field, so it would not be stored; give one of them another name", ""},
		"promoted method":    {struct{ P promoted }{}, "P", "", ""},
		"promoted inline":    {struct{ P promotedInline }{}, "P", "serializer_test.promotedInline has its method MarshalText from the embedded serializer_test.word, so its other fields would be lost; give serializer_test.word a field name, or serializer_test.promotedInline methods of its own", ""},
		"promoted pointer":   {struct{ P promotedPointer }{}, "P", "serializer_test.promotedPointer has its method MarshalText from the embedded *serializer_test.word, so its other fields would be lost; give *serializer_test.word a field name, or serializer_test.promotedPointer methods of its own", ""},
		"one way":            {oneWay{}, "", "serializer_test.oneWay has a method MarshalJSON but none that reads back what it writes; add UnmarshalJSON", "json"},
		"pointer in map":     {struct{ M map[string]pointed }{map[string]pointed{"a": {1}}}, "M", "the values of a map are not addressable, so the pointer method that encodes serializer_test.pointed would not be called; give the method a value receiver, or the map pointers", "json"},
		"failing method":     {struct{ F failing }{}, "F", "MarshalJSON: out of paper", ""},
		"folding key":        {struct{ M map[folded]int }{map[folded]int{"ABC": 1}}, `M["ABC"]`, "the key would not read back equal by UnmarshalText", "json"},
		"float key":          {struct{ M map[float64]int }{map[float64]int{1: 1}}, "M[\"1\"]", "a map with keys of type float64 cannot be stored in JSON; use strings, integers or a type with MarshalText and UnmarshalText", "json"},
		"colliding keys":     {struct{ M map[collides]int }{map[collides]int{{1}: 1, {2}: 1}}, "M", "", ""},
		"channel":            {struct{ C chan int }{}, "C", `has type chan int, which cannot be stored; use a value type or tag it "-"`, ""},
		"function":           {struct{ C []func() }{[]func(){nil}}, "C[0]", `has type func(), which cannot be stored; use a value type or tag it "-"`, ""},
		"complex":            {struct{ C complex128 }{}, "C", `has type complex128, which cannot be stored; use a value type or tag it "-"`, ""},
		"invalid raw":        {struct{ R json.RawMessage }{json.RawMessage(`{"a":}`)}, "R", "its JSON text not valid JSON", ""},
		"empty raw":          {struct{ R json.RawMessage }{json.RawMessage{}}, "R", "its JSON text not valid JSON", ""},
		"NUL in raw":         {struct{ R json.RawMessage }{json.RawMessage(`"\u0000"`)}, "R", "its JSON text holds U+0000, which databases cannot store", ""},
		"surrogate in raw":   {struct{ R json.RawMessage }{json.RawMessage(`"\ud800"`)}, "R", `its JSON text holds the unpaired surrogate \ud800`, ""},
		"deep raw":           {struct{ R json.RawMessage }{json.RawMessage(strings.Repeat("[", 1001) + strings.Repeat("]", 1001))}, "R", "its JSON text nests more than 1000 levels deep", ""},
		"invalid number":     {struct{ N json.Number }{"1x"}, "N", `"1x" is not a number`, ""},
		"number that is not": {struct{ N json.Number }{"true"}, "N", `"true" is not a number`, ""},
		"year":               {struct{ T []time.Time }{[]time.Time{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}}, "T[0]", "is a time in year 10000; years 0 to 9999 are stored", ""},
		"local mean time":    {struct{ T time.Time }{time.Date(1850, 1, 1, 0, 0, 0, 0, time.FixedZone("LMT", 3208))}, "T", "is a time in zone LMT, whose offset has seconds, so it would be rounded; store it in UTC", "json"},
		"nil":                {nil, "", "there is no value; pass an event", ""},
		"nil pointer":        {(*order)(nil), "", "the pointer is nil; pass an event", ""},
		"huge number":        {struct{ N json.Number }{"1e200000"}, "", "holds a number out of the range that jsonb can store: at most 131072 digits before the decimal point and 16383 after it", "jsonb"},
		"tiny number":        {struct{ R json.RawMessage }{json.RawMessage(`[1,"2e999999",1e-16384]`)}, "", "holds a number out of the range that jsonb can store: at most 131072 digits before the decimal point and 16383 after it", "jsonb"},
		"as array": {struct {
			A struct {
				B int `msgpack:"b,inline"`
			}
		}{}, "A", "field B of struct { B int \"msgpack:\\\"b,inline\\\"\" } has the msgpack tag option inline, which is not supported; remove it", "msgpack"},
	} {
		for format, s := range formats {
			refuses := c.only == "" || strings.HasPrefix(format, c.only)
			data, err := s.Marshal(c.event)
			if !refuses {
				if err != nil {
					t.Errorf("%s, %s: %v", name, format, err)
				}
				continue
			}
			wrong, ok := errors.AsType[*serializer.EncodeError](err)
			if !ok {
				t.Errorf("%s, %s: encoded as %q, %v", name, format, data, err)
				continue
			}
			if wrong.Format != s.Format() || !strings.HasPrefix(wrong.Field, c.field) || wrong.Field != c.field && c.text != "" || c.text != "" && wrong.Reason != c.text {
				t.Errorf("%s, %s:\n got %s: %s\nwant %s: %s", name, format, wrong.Field, wrong.Reason, c.field, c.text)
			}
			if !strings.HasPrefix(err.Error(), "encode "+wrong.GoType+" as "+s.Format()+": ") {
				t.Errorf("%s, %s: text %q", name, format, err)
			}
		}
	}
}

func TestEncodeErrorUnwraps(t *testing.T) {
	t.Parallel()
	for format, s := range formats {
		if _, err := s.Marshal(struct{ F []failing }{make([]failing, 1)}); !errors.Is(err, errFailing) {
			t.Errorf("%s: %v does not lead to the method's error", format, err)
		}
	}
}

// What looks alike but keeps everything is taken.
func TestTakes(t *testing.T) {
	t.Parallel()
	type replaced struct{ S, T string }
	for name, event := range map[string]any{
		"zero unexported":     hidden{Shown: 1},
		"shadowed zero":       shadow{ID: "x"},
		"ambiguous zero":      twins{},
		"own methods":         struct{ O own }{own{Note: "x"}},
		"own generic methods": struct{ G generic[[]int] }{generic[[]int]{Value: []int{1}}},
		"replacement rune":    replaced{"\ufffd", `\ufffd`},
		"raw replacement":     struct{ R json.RawMessage }{json.RawMessage(`"\ufffd"`)},
		"nil interface":       struct{ S stringer }{},
		"big number":          struct{ N json.Number }{"1e131071"},
		"pointer method":      struct{ P pointed }{pointed{7}},
		"pointer in slice":    struct{ P []pointed }{[]pointed{{7}}},
		"pointer in pointers": struct{ P map[string]*pointed }{map[string]*pointed{"a": {7}}},
		"ignored field": struct {
			C chan int `json:"-"`
		}{make(chan int)},
		"surrogates":       struct{ R json.RawMessage }{json.RawMessage(`"\ud83d\ude00"`)},
		"a basic kind":     7,
		"a slice":          []string{"a"},
		"a deep interface": struct{ A any }{[]any{map[string]any{"a": []any{nil, true, "x", 1.5}}}},
	} {
		for format, s := range formats {
			if _, err := s.Marshal(event); err != nil {
				t.Errorf("%s, %s: %v", name, format, err)
			}
		}
	}
}

// nested returns values that nest n levels deep in structs, in an interface and
// in raw JSON, below a struct.
func nested(n int) map[string]any {
	type node struct{ Next *node }
	type lists []lists
	var next *node
	var deep any
	all := lists{}
	for range n - 1 {
		next = &node{next}
		deep = []any{deep}
	}
	for range n - 2 {
		all = lists{all}
	}
	return map[string]any{
		"structs":   struct{ N *node }{next},
		"interface": struct{ A any }{deep},
		"slices":    struct{ L lists }{all},
		"raw":       struct{ R json.RawMessage }{json.RawMessage(strings.Repeat("[", n-1) + strings.Repeat("]", n-1))},
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	for format, s := range formats {
		for name, event := range nested(serializer.MaxDepth) {
			data, err := s.Marshal(event)
			if err != nil {
				t.Errorf("%s: %s at the limit: %v", format, name, err)
				continue
			}
			if err := s.Unmarshal(data, reflect.New(reflect.TypeOf(event)).Interface()); err != nil {
				t.Errorf("%s: %s at the limit: %v", format, name, err)
			}
		}
		for name, event := range nested(serializer.MaxDepth + 1) {
			if format == "msgpack" && name == "raw" {
				continue // binary there, one level of its own
			}
			if _, err := s.Marshal(event); err == nil || !strings.Contains(err.Error(), "nests more than 1000 levels") {
				t.Errorf("%s: %s above the limit: %v", format, name, err)
			}
		}
	}
}
