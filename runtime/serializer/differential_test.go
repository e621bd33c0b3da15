package serializer_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	gojson "github.com/goccy/go-json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/esgen/esgen/runtime/serializer"
	"github.com/esgen/esgen/runtime/serializer/serializertest"
)

// same compares two decoders' results to the last bit, but for big integers,
// whose spare words are not theirs to tell.
var same = cmp.Options{
	cmp.Exporter(func(reflect.Type) bool { return true }),
	cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }),
}

// standard is encoding/json as JSON{Standard: true} uses it, without our checks.
func standard(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}

func fast(v any) ([]byte, error) {
	return gojson.MarshalWithOption(v, gojson.DisableHTMLEscape(), gojson.DisableNormalizeUTF8())
}

// go-json and encoding/json write the same bytes, and decode what they and random
// changes of it hold to the same values, or refuse it both.
func TestJSONDifferential(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 9))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	refusals := 0
	for _, v := range serializertest.Samples(seed, 100) {
		want, err := standard(v)
		if err != nil {
			t.Fatalf("%T: %v", v, err)
		}
		got, err := fast(v)
		if err != nil {
			t.Fatalf("%T: %v", v, err)
		}
		// encoding/json escapes U+2028 and U+2029 also where it escapes no HTML.
		if want, got := unescapeSeparators(want), unescapeSeparators(got); !bytes.Equal(want, got) {
			t.Fatalf("%T\nencoding/json %s\ngo-json       %s", v, want, got)
		}
		for i := range 20 {
			data := want
			if i > 0 {
				data = mutateJSON(r, want)
			}
			a, b := reflect.New(reflect.TypeOf(v).Elem()), reflect.New(reflect.TypeOf(v).Elem())
			errA := serializer.JSON{Standard: true}.Unmarshal(data, a.Interface())
			errB := serializer.JSON{}.Unmarshal(data, b.Interface())
			if (errA == nil) != (errB == nil) {
				t.Fatalf("%T %q\nencoding/json %v\ngo-json       %v", v, data, errA, errB)
			}
			if errA != nil {
				refusals++
				continue
			}
			if diff := cmp.Diff(a.Interface(), b.Interface(), same); diff != "" {
				t.Fatalf("%T %q (-encoding/json +go-json):\n%s", v, data, diff)
			}
		}
	}
	if refusals == 0 {
		t.Error("no changed document was refused; the changes test nothing")
	}
}

func unescapeSeparators(data []byte) []byte {
	// Twice escaped by the tag option string.
	data = bytes.ReplaceAll(data, []byte(`\\u2028`), []byte("\u2028"))
	data = bytes.ReplaceAll(data, []byte(`\u2028`), []byte("\u2028"))
	return bytes.ReplaceAll(data, []byte(`\u2029`), []byte("\u2029"))
}

// mutateJSON changes a document so that it often stays valid.
func mutateJSON(r *rand.Rand, data []byte) []byte {
	data = bytes.Clone(data)
	pieces := []string{"null", "0", "-1", "1e3", "1.5", "300", "99999999999999999999", `""`, `"x"`, "[]", "{}", "true", " ", ",", ":", "[", "}", `\`, `"`, "\n", "\x00", "\xff", `\ud800`, `\u0000`, "-0", "01", "1.", "e"}
	for range 1 + r.IntN(3) {
		at := r.IntN(len(data) + 1)
		piece := []byte(pieces[r.IntN(len(pieces))])
		cut := min(at+r.IntN(4), len(data))
		if r.IntN(2) == 0 {
			// Replace a whole value: from a colon to the next comma or brace.
			if colon := bytes.IndexByte(data[at:], ':'); colon >= 0 {
				at += colon + 1
				cut = at
				if end := bytes.IndexAny(data[at:], ",}]"); end >= 0 {
					cut = at + end
				}
			}
		}
		data = append(data[:at:at], append(piece, data[cut:]...)...)
	}
	return data
}

// wire is what vmihailenco's reflection gets right: our bytes are its bytes.
type wire struct {
	Bool    bool              `json:"bool"`
	Int     int               `json:"int"`
	Int8    int8              `json:"int8"`
	Int64   int64             `json:"int64"`
	Uint8   uint8             `json:"uint8"`
	Uint64  uint64            `json:"uint64"`
	Float32 float32           `json:"float32"`
	Float64 float64           `json:"float64"`
	String  string            `json:"string"`
	Own     string            `json:"json"           msgpack:"own"`
	Omit    string            `json:"omit,omitempty"`
	Skip    string            `json:"-"`
	Bytes   []byte            `json:"bytes"`
	Hash    [20]byte          `json:"hash"`
	ID      uuid.UUID         `json:"id"`
	At      time.Time         `json:"at"`
	Maybe   *time.Time        `json:"maybe"`
	Lasts   time.Duration     `json:"lasts"`
	Strings []string          `json:"strings"`
	Ints    []int64           `json:"ints"`
	Array   [2]int32          `json:"array"`
	Labels  map[string]string `json:"labels"`
	Flags   map[string]bool   `json:"flags"`
	Inner   wireInner         `json:"inner"`
	Inners  []wireInner       `json:"inners"`
	Pointer *wireInner        `json:"pointer"`
	Big     *big.Int          `json:"big"`
	WireEmbedded
}

type wireInner struct {
	A int16
	B *string
	M map[string]wireInner
}

type WireEmbedded struct{ E1, E2 string }

func randomWire(r *rand.Rand) wire {
	integer := func() uint64 { return r.Uint64() >> r.IntN(64) * uint64(1-2*r.IntN(2)) }
	text := func() string { return string(bytes.Repeat([]byte("é"), r.IntN(40)*r.IntN(5))) }
	inner := func() wireInner {
		s := text()
		w := wireInner{A: int16(integer())}
		if r.IntN(2) == 0 {
			w.B, w.M = &s, map[string]wireInner{"x": {A: 1}}
		}
		return w
	}
	at := time.Unix(int64(integer()%250_000_000_000), r.Int64N(2)*r.Int64N(1e9)).UTC()
	w := wire{
		Bool: r.IntN(2) == 0, Int: int(integer()), Int8: int8(integer()), Int64: int64(integer()), Uint8: uint8(integer()), Uint64: integer(),
		Float32: r.Float32(), Float64: r.NormFloat64(), String: text(), Own: text(), Omit: text(),
		Bytes: []byte(text()), ID: uuid.New(), At: at, Lasts: time.Duration(integer()),
		Strings: []string{text(), text()}, Ints: []int64{int64(integer())}, Array: [2]int32{int32(integer()), 0},
		Inner: inner(), Big: new(big.Int).SetUint64(integer()), WireEmbedded: WireEmbedded{text(), text()},
	}
	if r.IntN(2) == 0 {
		in := inner()
		w.Maybe, w.Pointer, w.Inners = &at, &in, make([]wireInner, r.IntN(20))
		w.Labels, w.Flags = map[string]string{}, map[string]bool{}
		for range r.IntN(20) {
			w.Labels[text()] = text()
			w.Flags[text()] = true
		}
	}
	return w
}

func vmihailenco(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := msgpack.NewEncoder(&buf)
	e.UseCompactInts(true)
	e.SetSortMapKeys(true)
	e.SetCustomStructTag("json")
	err := e.Encode(v)
	return buf.Bytes(), err
}

func TestMsgpackDifferential(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range 500 {
		v := randomWire(r)
		if i == 0 {
			v = wire{}
		}
		want, err := vmihailenco(&v)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got, err := serializer.Msgpack{}.Marshal(v)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !bytes.Equal(want, got) {
			t.Fatalf("seed %d: %+v\nvmihailenco %q\nwe          %q", seed, v, want, got)
		}
		var theirs, ours wire
		d := msgpack.NewDecoder(bytes.NewReader(got))
		d.SetCustomStructTag("json")
		if err := d.Decode(&theirs); err != nil {
			t.Fatalf("seed %d: vmihailenco cannot read %q: %v", seed, got, err)
		}
		if err := (serializer.Msgpack{}).Unmarshal(want, &ours); err != nil {
			t.Fatalf("seed %d: we cannot read %q: %v", seed, want, err)
		}
		// Its times are local; times compare by their instants.
		if diff := cmp.Diff(v, theirs, same[1:]...); diff != "" {
			t.Fatalf("seed %d: vmihailenco (-want +got):\n%s", seed, diff)
		}
		if diff := cmp.Diff(v, ours, same); diff != "" {
			t.Fatalf("seed %d: we (-want +got):\n%s", seed, diff)
		}
	}
}

// fixed writes all its integers alike, with vmihailenco's methods; such types are
// called also where vmihailenco itself finds them not addressable.
type fixed struct{ n int64 }

func (f *fixed) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeMulti(int64(1), f.n) }
func (f *fixed) DecodeMsgpack(d *msgpack.Decoder) error {
	var one int64
	return d.DecodeMulti(&one, &f.n)
}

type array struct{ n int64 }

func (a array) EncodeMsgpack(e *msgpack.Encoder) error {
	if err := e.EncodeArrayLen(2); err != nil {
		return err
	}
	return e.EncodeMulti(int64(1), a.n)
}

func (a *array) DecodeMsgpack(d *msgpack.Decoder) error {
	if _, err := d.DecodeArrayLen(); err != nil {
		return err
	}
	var one int64
	return d.DecodeMulti(&one, &a.n)
}

type raw struct{ data string }

func (r *raw) MarshalMsgpack() ([]byte, error)    { return msgpack.Marshal(r.data) }
func (r *raw) UnmarshalMsgpack(data []byte) error { return msgpack.Unmarshal(data, &r.data) }

type lazy struct{}

func (lazy) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeInt(1) }
func (*lazy) DecodeMsgpack(*msgpack.Decoder) error  { return nil }

func TestMsgpackMethods(t *testing.T) {
	t.Parallel()
	type event struct {
		Array   array
		Arrays  []*array
		ByName  map[string]array
		Raw     raw
		ByRaw   map[string]raw
		Message msgpack.RawMessage
	}
	want := event{array{-5}, []*array{{1 << 40}, nil}, map[string]array{"a": {7}}, raw{"é"}, map[string]raw{"a": {"b"}}, msgpack.RawMessage{0x93, 1, 2, 3}}
	data, err := serializer.Msgpack{}.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got event
	if err := (serializer.Msgpack{}).Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if data, err := (serializer.Msgpack{}).Marshal(struct{ F fixed }{}); err == nil {
		t.Errorf("a method that writes two values was taken: %q", data)
	}
	if data, err := (serializer.Msgpack{}).Marshal(struct{ M msgpack.RawMessage }{msgpack.RawMessage{}}); err == nil {
		t.Errorf("a method that writes no value was taken: %q", data)
	}
	if data, err := (serializer.Msgpack{}).Marshal(struct{ R raw }{raw{"\x00"}}); err == nil {
		t.Errorf("a method that writes U+0000 was taken: %q", data)
	}
	if err := (serializer.Msgpack{}).Unmarshal([]byte("\x81\xa1L\x01"), new(struct{ L lazy })); err == nil {
		t.Error("a method that leaves its value was taken")
	}
}
