package estest

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// mostFilled is how deep types that hold themselves are filled.
const mostFilled = 3

// fill gives v a value in every field, always the same for a type. A type that
// refuses it when it is written or read keeps its zero value.
func fill(v reflect.Value, depth int) {
	if writesItself(v.Type()) {
		fillOwn(v, depth)
		return
	}
	fillKind(v, depth)
}

func writesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// fillOwn fills a type with methods of its own, if they bear it.
func fillOwn(v reflect.Value, depth int) {
	switch into := v.Addr().Interface().(type) {
	case *time.Time:
		*into = time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)
		return
	case *json.RawMessage:
		*into = json.RawMessage(`{"raw":1}`)
		return
	}
	if v.Kind() == reflect.Struct {
		return // its fields are its own
	}
	filled := reflect.New(v.Type())
	fillKind(filled.Elem(), depth)
	text, err := json.Marshal(filled.Interface())
	if err == nil && json.Unmarshal(text, reflect.New(v.Type()).Interface()) == nil {
		v.Set(filled.Elem())
	}
}

func fillKind(v reflect.Value, depth int) {
	switch v.Kind() { //nolint:exhaustive // the others cannot be stored
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(42)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(42)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1.5)
	case reflect.String:
		v.SetString("text")
		if v.Type() == reflect.TypeFor[json.Number]() {
			v.SetString("42")
		}
	case reflect.Pointer:
		deepest := mostFilled
		if elem := v.Type().Elem(); elem.Kind() == reflect.Struct && isUnion(elem) {
			deepest-- // its member is one deeper, and a union without one is not stored
		}
		if depth < deepest {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		if depth < mostFilled {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), depth+1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), depth)
		}
	case reflect.Map:
		if depth < mostFilled {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, depth+1)
			fill(elem, depth+1)
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(key, elem)
		}
	case reflect.Struct:
		fillStruct(v, depth)
	}
}

func fillStruct(v reflect.Value, depth int) {
	union := isUnion(v.Type())
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() && !f.Anonymous || f.Tag.Get("json") == "-" || !v.Field(i).CanSet() {
			continue
		}
		fill(v.Field(i), depth)
		if union {
			return // a union has one of its members
		}
	}
}

// isUnion reports whether a generated struct stands for a union: it has a pointer
// for each member, and one of them is set.
func isUnion(t reflect.Type) bool {
	if !strings.HasPrefix(t.Name(), "stored") || t.NumField() == 0 {
		return false
	}
	for f := range t.Fields() {
		if f.Type.Kind() != reflect.Pointer || !strings.Contains(f.Tag.Get("json"), ",omitempty") {
			return false
		}
	}
	return true
}
