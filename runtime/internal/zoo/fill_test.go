package zoo

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"
)

// fill gives v a random value that can be stored, and often one that is empty.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	if r.IntN(6) == 0 && v.Type() != reflect.TypeFor[json.RawMessage]() {
		return
	}
	integer := func() uint64 { return r.Uint64() >> r.IntN(64) }
	if !v.CanInterface() { // an embedded struct, which is unexported
		fillFields(r, v, depth)
		return
	}
	switch into := v.Addr().Interface().(type) {
	case *time.Time:
		*into = time.Unix(r.Int64N(1<<(3+r.IntN(34))), r.Int64N(2)*r.Int64N(1e9)).UTC()
		return
	case *uuid.UUID:
		*into = uuid.UUID{byte(integer()), 15: byte(integer())}
		return
	case *json.RawMessage:
		*into = json.RawMessage(`{"a":[1,null]}`)
		return
	case *json.Number:
		*into = "12.50"
		return
	case *netip.Addr:
		*into = netip.AddrFrom4([4]byte{1, 2, 3, byte(integer())})
		return
	case *big.Int:
		into.SetUint64(integer())
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(integer() * uint64(1-2*r.IntN(2))))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(integer())
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(float32(r.NormFloat64() * math.Pow(10, float64(r.IntN(20))))))
	case reflect.String:
		v.SetString(strings.Repeat([]string{"a", "é", "€€"}[r.IntN(3)], r.IntN(20)*r.IntN(20)))
	case reflect.Pointer:
		if depth < 5 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth+1)
		}
	case reflect.Slice:
		n := r.IntN(4) * r.IntN(7)
		if depth > 3 {
			n = 0
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(4) * r.IntN(7) * (1 - min(depth/4, 1)) {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key, depth+1)
			fill(r, elem, depth+1)
			v.SetMapIndex(key, elem)
		}
	case reflect.Struct:
		fillFields(r, v, depth)
	default:
		panic("no values of " + v.Type().String())
	}
}

func fillFields(r *rand.Rand, v reflect.Value, depth int) {
	for f, field := range v.Fields() {
		if f.Tag.Get("json") != "-" && (f.IsExported() || f.Anonymous) {
			fill(r, field, depth+1)
		}
	}
}
