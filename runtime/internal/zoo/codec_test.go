package zoo

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/esgen/esgen/runtime/serializer"
	"github.com/esgen/esgen/runtime/serializer/msgpackwire"
)

// generated are the functions of all events, called without the reflection that
// stands behind them.
var generated = []codec{
	of(packScalars, unpackScalars), of(packNamed, unpackNamed), of(packOptional, unpackOptional),
	of(packLists, unpackLists), of(packTree, unpackTree), of(packEmbeds, unpackEmbeds),
	of(packUncommon, unpackUncommon), of(packEmpty, unpackEmpty), of(packPlaced, unpackPlaced),
}

type codec struct {
	goType reflect.Type
	write  func(v any) ([]byte, error)
	read   func(data []byte, into any) error
}

func of[T any](pack func(*msgpackwire.Writer, []byte, T) []byte, unpack func(*msgpackwire.Reader, *T)) codec {
	return codec{
		goType: reflect.TypeFor[T](),
		write: func(v any) ([]byte, error) {
			var w msgpackwire.Writer
			data := pack(&w, nil, *v.(*T))
			return data, w.Err()
		},
		read: func(data []byte, into any) error {
			r := msgpackwire.Reader{Data: data}
			unpack(&r, into.(*T))
			if r.Err() == nil && r.At != len(data) {
				return errTrailing
			}
			return r.Err()
		},
	}
}

var errTrailing = &trailing{}

type trailing struct{}

func (*trailing) Error() string { return "bytes follow the value" }

// exact compares to the last bit, but for what big integers keep to spare.
var exact = cmp.Options{
	cmp.Exporter(func(reflect.Type) bool { return true }),
	cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }),
	// Not a number is equal to itself here.
	cmp.Comparer(func(a, b float64) bool { return a == b || a != a && b != b }),
	cmp.Comparer(func(a, b float32) bool { return a == b || a != a && b != b }),
}

func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 1))
}

// Generated functions write what reflection writes, and read it and any change of
// it as reflection does, or refuse it where reflection refuses it.
func TestGeneratedIsReflection(t *testing.T) {
	t.Parallel()
	r := random(t)
	for _, c := range generated {
		refused := 0
		for range 200 {
			v := reflect.New(c.goType)
			fill(r, v.Elem(), 0)
			want, err := serializer.Msgpack{}.Marshal(v.Interface())
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.write(v.Interface())
			if err != nil || !bytes.Equal(want, got) {
				t.Fatalf("%s %+v: %v\nreflection %q\ngenerated  %q", c.goType, v.Elem(), err, want, got)
			}
			if !c.reads(t, want) {
				t.Fatalf("%s: %q is not read", c.goType, want)
			}
			for range 20 {
				if !c.reads(t, mutate(r, want)) {
					refused++
				}
			}
		}
		if refused == 0 {
			t.Errorf("%s: no change was refused; the changes test nothing", c.goType)
		}
	}
}

// reads reports whether data decodes. It fails unless reflection has it so, too.
func (c codec) reads(t *testing.T, data []byte) bool {
	t.Helper()
	a, b := reflect.New(c.goType), reflect.New(c.goType)
	errA := serializer.Msgpack{}.Unmarshal(data, a.Interface())
	errB := c.read(data, b.Interface())
	if (errA == nil) != (errB == nil) {
		t.Fatalf("%s %q\nreflection %v\ngenerated  %v", c.goType, data, errA, errB)
	}
	if errA != nil {
		return false
	}
	if diff := cmp.Diff(a.Interface(), b.Interface(), exact); diff != "" {
		t.Fatalf("%s %q (-reflection +generated):\n%s", c.goType, data, diff)
	}
	return true
}

// mutate changes a few bytes, or repeats a part.
func mutate(r *rand.Rand, data []byte) []byte {
	data = bytes.Clone(data)
	for range 1 + r.IntN(3) {
		if len(data) == 0 {
			return data
		}
		at := r.IntN(len(data))
		switch r.IntN(5) {
		case 0:
			data[at] = byte(r.IntN(256))
		case 1: // another code
			data[at] = []byte{0xc0, 0xc1, 0xc2, 0x80, 0x90, 0xa0, 0xcc, 0xcd, 0xcf, 0xd3, 0xca, 0xdd, 0xdf, 0xd6}[r.IntN(14)]
		case 2:
			data = data[:at]
		case 3:
			end := min(at+r.IntN(12), len(data))
			data = append(data[:end:end], data[at:]...)
		case 4: // a name twice: one pair more, which is the first again
			if data[0]&0xf0 == 0x80 && data[0] < 0x8f {
				data[0]++
				data = append(data, data[1:]...)
			}
		}
	}
	return data
}

// vmihailenco is told to write as we do.
func vmihailenco(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := msgpack.NewEncoder(&buf)
	e.UseCompactInts(true)
	e.SetSortMapKeys(true)
	e.SetCustomStructTag("json")
	err := e.Encode(v)
	return buf.Bytes(), err
}

// Of what vmihailenco's reflection gets right, the bytes are the same, both ways.
func TestGeneratedIsVmihailenco(t *testing.T) {
	t.Parallel()
	r := random(t)
	for range 300 {
		for _, v := range []any{new(Placed), new(Line)} {
			fill(r, reflect.ValueOf(v).Elem(), 0)
			want, err := vmihailenco(v)
			if err != nil {
				t.Fatal(err)
			}
			var w msgpackwire.Writer
			var got []byte
			switch v := v.(type) {
			case *Placed:
				got = packPlaced(&w, nil, *v)
			case *Line:
				got = packLine(&w, nil, *v)
			}
			if w.Err() != nil || !bytes.Equal(want, got) {
				t.Fatalf("%+v: %v\nvmihailenco %q\nwe          %q", v, w.Err(), want, got)
			}
			theirs := reflect.New(reflect.TypeOf(v).Elem())
			d := msgpack.NewDecoder(bytes.NewReader(got))
			d.SetCustomStructTag("json")
			if err := d.Decode(theirs.Interface()); err != nil {
				t.Fatalf("vmihailenco cannot read %q: %v", got, err)
			}
			if diff := cmp.Diff(v, theirs.Interface(), exact[1:]...); diff != "" { // its times are local
				t.Fatalf("(-want +vmihailenco):\n%s", diff)
			}
		}
	}
}

// What is refused is refused in the words of reflection, which name the field.
func TestGeneratedNamesTheField(t *testing.T) {
	t.Parallel()
	deep := Tree{}
	for range 1100 {
		deep = Tree{Left: &deep}
	}
	circle := Tree{}
	circle.Left = &circle
	for _, c := range []struct {
		value any
		text  string
	}{
		{Placed{Ship: Address{City: "a\x00"}}, "encode zoo.Placed as msgpack: field ship.city: contains U+0000"},
		{Lists{Structs: map[string]Line{"x": {SKU: "\xff"}}}, `encode zoo.Lists as msgpack: field Structs["x"].sku: is not valid UTF-8`},
		{Scalars{At: Placed{}.At.AddDate(20_000, 0, 0)}, "encode zoo.Scalars as msgpack: field at: is a time in year 20001"},
		{deep, "nests more than 1000 levels deep"},
		{circle, "nests more than 1000 levels deep"},
	} {
		_, err := msgpackFormat.Marshal(c.value)
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%T: got %v, want %s", c.value, err, c.text)
		}
	}
	for _, c := range []struct{ data, text string }{
		{"\x81\xa4int8\xcd\x01\x2c", "decode msgpack into zoo.Scalars: field int8: the number 300 is out of the range of int8 (at byte 6)"},
		{"\x81\xa6uint16\xff", "field uint16: the number -1 is out of the range of uint16"},
		{"\x81\xa6string\xa1\xff", "field string: a string is not valid UTF-8"},
		{"\x81\xa5bytes\xc6\x7f\xff\xff\xff", "field bytes: binary declares 2147483647 elements or bytes where only 0 can follow"},
		{"\x81\xa2id\xc4\x01a", "field id: "},
		{"\x80\xc0", "1 bytes follow the value"},
		{"\x81\xa1?" + strings.Repeat("\x91", 10_001) + "\xc0", "nests more than 10000 levels deep"},
		{"", "the data ends within a value"},
	} {
		into := Scalars{Int: 7} // is discarded with the first attempt
		err := msgpackFormat.Unmarshal([]byte(c.data), &into)
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%q: got %v, want %s", c.data, err, c.text)
		}
	}
}

// A few bytes that declare much allocate little. Not parallel: all of the process
// is counted.
func TestGeneratedAllocatesWhatItReads(t *testing.T) {
	for _, data := range []string{
		"\x81\xa5Named\xdd\x7f\xff\xff\xff",
		"\x81\xa7Structs\xdf\x7f\xff\xff\xff",
		"\x81\xa5Nested\x93\xdd\x00\x00\x00\x02\xdd\x7f\xff\xff\xff",
		"\x81\xa6Hashes\xdc\x04\x00" + strings.Repeat("\xc0", 1024),
	} {
		const runs = 100
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			r := msgpackwire.Reader{Data: []byte(data)}
			unpackLists(&r, new(Lists))
		}
		runtime.ReadMemStats(&after)
		if got, most := (after.TotalAlloc-before.TotalAlloc)/runs, uint64(4096+128*len(data)); got > most {
			t.Errorf("%d bytes of %.20q allocate %d bytes, which is more than %d", len(data), data, got, most)
		}
	}
}

func FuzzGenerated(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, c := range generated {
		for range 3 {
			v := reflect.New(c.goType)
			fill(r, v.Elem(), 0)
			data, err := c.write(v.Interface())
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte("\x81\xa5lines\xdd\x7f\xff\xff\xff"))
	f.Add(bytes.Repeat([]byte{0x91}, 10_001))
	f.Add([]byte("\x82\xa4Left\x81\xa5Value\x01\xa4Left\xc0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, c := range generated {
			c.reads(t, data)
		}
	})
}
