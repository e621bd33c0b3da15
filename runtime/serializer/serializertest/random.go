package serializertest

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// fill sets v to random content that every format must give back equal.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	if filler, ok := reflect.TypeAssert[interface{ fill(r *rand.Rand) }](v.Addr()); ok {
		filler.fill(r)
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = moment(r)
		return
	case *uuid.NullUUID:
		if r.IntN(2) == 0 {
			*p = uuid.NullUUID{UUID: uuid.UUID(random16(r)), Valid: true}
		}
		return
	case *uuid.UUID:
		*p = uuid.UUID(random16(r))
		return
	case *netip.Addr:
		*p = netip.AddrFrom16(random16(r))
		return
	case *netip.Prefix:
		*p = netip.PrefixFrom(netip.AddrFrom16(random16(r)), r.IntN(129))
		return
	case *big.Int:
		p.Lsh(big.NewInt(int64(r.Uint64())), uint(r.IntN(200)))
		return
	case *json.RawMessage:
		*p = json.RawMessage(rawTexts[r.IntN(len(rawTexts))])
		return
	case *json.Number:
		*p = json.Number(numbers[r.IntN(len(numbers))])
		return
	case *any:
		*p = anything(r, 3)
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		bits := v.Type().Bits()
		v.SetInt(int64(integer(r)<<(64-bits)) >> (64 - bits))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		bits := v.Type().Bits()
		v.SetUint(integer(r) << (64 - bits) >> (64 - bits))
	case reflect.Float32:
		v.SetFloat(float64(float32(float(r, 32))))
	case reflect.Float64:
		v.SetFloat(float(r, 64))
	case reflect.String:
		v.SetString(text(r))
	case reflect.Slice:
		if r.IntN(4) == 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), length(r, depth), 5))
		for i := range v.Len() {
			fill(r, v.Index(i), depth-1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth-1)
		}
	case reflect.Map:
		if r.IntN(4) == 0 {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for range length(r, depth) {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key, depth-1)
			fill(r, elem, depth-1)
			v.SetMapIndex(key, elem)
		}
	case reflect.Pointer:
		if v.Type().Elem().Kind() != reflect.Pointer && (depth <= 0 || r.IntN(3) == 0) {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem(), depth-1)
		if e := v.Elem(); e.Kind() == reflect.Pointer && e.IsNil() {
			v.SetZero() // a pointer to nil reads back as nil
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() && !f.Anonymous {
				continue
			}
			if !f.IsExported() {
				for _, e := range v.Field(i).Fields() {
					fill(r, e, depth-1)
				}
				continue
			}
			fill(r, v.Field(i), depth-1)
			if e := v.Field(i); strings.Contains(f.Tag.Get("json"), ",omitempty") && (e.Kind() == reflect.Slice || e.Kind() == reflect.Map) && e.Len() == 0 {
				e.SetZero() // the option makes empty ones nil
			}
		}
	default: // no struct of the zoo has one
	}
}

func length(r *rand.Rand, depth int) int {
	if depth <= 0 {
		return 0
	}
	return r.IntN(5)
}

func random16(r *rand.Rand) (b [16]byte) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// integer prefers the borders between widths.
func integer(r *rand.Rand) uint64 {
	n := uint64(1)<<r.IntN(64) + uint64(r.IntN(3)) - 1
	if r.IntN(2) == 0 {
		n = -n
	}
	if r.IntN(3) == 0 {
		n = r.Uint64()
	}
	return n
}

func float(r *rand.Rand, bits int) float64 {
	special := []float64{0, math.Copysign(0, -1), 1, -1, 0.1, 1e21, 1e-7, 5e-324, math.MaxFloat64, -math.MaxFloat64, 1 << 53}
	if bits == 32 {
		special = []float64{0, 1, -1, float64(float32(0.1)), math.MaxFloat32, math.SmallestNonzeroFloat32, 1e21, 1e-7}
	}
	if r.IntN(2) == 0 {
		return special[r.IntN(len(special))]
	}
	f := math.Float64frombits(r.Uint64())
	if bits == 32 {
		f = float64(math.Float32frombits(r.Uint32()))
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0.5
	}
	return f
}

var words = []string{"", "a", "é", "\u65e5\u672c", "😀", "\u2028", "\ufffd", "<b>&\"'\\/", "\t\r\n\b\f\x01\x1f\x7f", "\ufeff", "-1", "null", strings.Repeat("x", 31), strings.Repeat("y", 32), strings.Repeat("z", 300)}

func text(r *rand.Rand) string {
	var s strings.Builder
	s.WriteString(words[r.IntN(len(words))])
	for range r.IntN(3) {
		s.WriteString(words[r.IntN(8)] + strconv.Itoa(r.IntN(1000)))
	}
	return s.String()
}

var rawTexts = []string{`{}`, `[]`, `1`, `"x"`, `true`, `{"b":[1,2,{"c":null}],"a":"é\n\u00e9"}`, `12345678901234567890.5`, `-1.5e-7`, `null`}

var numbers = []string{"1", "-1", "0.5", "1e10", "12345678901234567890123"}

func moment(r *rand.Rand) time.Time {
	seconds := []int64{0, -62135596800, 253402214400, 1 << 31, 1 << 34, 1<<34 - 1, -1, r.Int64N(4e9)}[r.IntN(8)]
	nanos := []int64{0, 1, 999999999, r.Int64N(1e9)}[r.IntN(4)]
	t := time.Unix(seconds, nanos)
	switch r.IntN(3) {
	case 0:
		return t.UTC()
	case 1:
		return time.Unix(r.Int64N(4e9), nanos).In(time.FixedZone("somewhere", 60*(r.IntN(1400)-700)))
	}
	return time.Unix(r.Int64N(4e9), nanos)
}

// anything returns what every format gives back equal through an interface.
func anything(r *rand.Rand, depth int) any {
	switch r.IntN(5 + min(depth, 1)*2) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return text(r)
	case 3, 4:
		return float(r, 64)
	case 5:
		all := make([]any, r.IntN(3))
		for i := range all {
			all[i] = anything(r, depth-1)
		}
		return all
	}
	all := map[string]any{}
	for range r.IntN(3) {
		all[text(r)] = anything(r, depth-1)
	}
	return all
}
