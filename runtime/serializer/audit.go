package serializer

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// fieldError is what is wrong with a part of a value. Its path grows while it
// travels up.
type fieldError struct {
	path   string
	reason string
	err    error
	deeper bool // the place of the fault is known
}

func refusal(reason string) *fieldError { return &fieldError{reason: reason} }

// within puts a path segment in front: "ship", "[3]", `["key"]`.
func (e *fieldError) within(segment string) *fieldError {
	if e == nil {
		return nil
	}
	if e.path != "" && e.path[0] != '[' {
		segment += "."
	}
	e.path = segment + e.path
	return e
}

func element(i int) string { return "[" + strconv.Itoa(i) + "]" }

// entry is the path segment of a map key.
func entry(key reflect.Value) string {
	text := fmt.Sprint(key.Interface())
	if len(text) > 40 {
		text = text[:40] + "…"
	}
	return "[" + strconv.Quote(text) + "]"
}

const (
	holdsNUL   = "contains U+0000, which databases cannot store"
	holdsNoUTF = "is not valid UTF-8, so it would be changed; use []byte for bytes"
	tooDeep    = "nests more than 1000 levels deep, or holds itself"
)

// badText tells why text cannot be stored, or "".
func badText(text string) string {
	switch {
	case strings.IndexByte(text, 0) >= 0:
		return holdsNUL
	case !utf8.ValidString(text):
		return holdsNoUTF
	}
	return ""
}

// auditor looks for what would not read back equal. It visits what the shape
// marks as suspect, or, when an encoder has refused the value and the field is to
// be named, everything.
type auditor struct {
	everything bool
	depth      int
	// wide allows integers in interfaces that float64 does not hold.
	wide bool
}

func (a *auditor) value(s *shape, v reflect.Value) *fieldError {
	if !s.suspect && !a.everything {
		return nil
	}
	// A pointer and a struct are a level here, of which JSON shows one.
	if a.depth++; a.depth > 4*MaxDepth {
		return refusal(tooDeep)
	}
	err := a.part(s, v)
	a.depth--
	return err
}

func (a *auditor) part(s *shape, v reflect.Value) *fieldError {
	switch s.class {
	case refusedClass:
		return refusal(s.reason)
	case floatClass:
		if f := v.Float(); a.everything && (math.IsNaN(f) || math.IsInf(f, 0)) {
			return refusal("is " + strconv.FormatFloat(f, 'g', -1, 64) + ", which JSON cannot hold")
		}
	case stringClass:
		if reason := badText(v.String()); reason != "" {
			return refusal(reason)
		}
	case timeClass:
		if a.everything {
			if reason := badYear(v); reason != "" {
				return refusal(reason)
			}
		}
		return badTime(v)
	case rawClass, numberClass, jsonClass, textClass:
		if a.everything {
			return a.method(v)
		}
	case sliceClass, arrayClass:
		for i := range v.Len() {
			if err := a.value(s.elem, v.Index(i)); err != nil {
				return err.within(element(i))
			}
		}
	case mapClass:
		return a.mapping(s, v)
	case structClass:
		return a.structure(s, v)
	case pointerClass:
		if !v.IsNil() {
			return a.value(s.elem, v.Elem())
		}
	case anyClass:
		return a.any(v.Interface(), 0)
	case ifaceClass:
		if !v.IsNil() {
			return refusal("holds a " + v.Elem().Type().String() + " in an interface, and nothing tells to read one back; use a concrete type")
		}
	default: // always reads back equal, or is of another codec
	}
	return nil
}

func (a *auditor) structure(s *shape, v reflect.Value) *fieldError {
	for i := range s.lost {
		l := &s.lost[i]
		if f, ok := in(v, l.index); ok && !f.IsZero() {
			return refusal(l.reason).within(l.path)
		}
	}
	fields := s.suspects
	if a.everything {
		fields = s.all
	}
	for _, f := range fields {
		fv, ok := in(v, f.index)
		if !ok || f.omitted(fv) {
			continue
		}
		if err := a.value(f.shape, fv); err != nil {
			return err.within(f.name)
		}
	}
	return nil
}

func (a *auditor) mapping(s *shape, v reflect.Value) *fieldError {
	texts := map[string]bool{}
	for entries := v.MapRange(); entries.Next(); {
		key := entries.Key()
		if s.key.suspect || a.everything {
			text, err := keyText(s.key, key)
			if err != nil {
				return err.within(entry(key))
			}
			if texts[text] {
				return refusal("two keys of the map have the same text, so one would be lost").within(entry(key))
			}
			texts[text] = true
		}
		if err := a.value(s.elem, entries.Value()); err != nil {
			return err.within(entry(key))
		}
	}
	return nil
}

// keyText returns a map key as JSON encoders write it.
func keyText(s *shape, key reflect.Value) (string, *fieldError) {
	var text string
	switch s.class {
	case refusedClass:
		return "", refusal(s.reason)
	case intClass:
		return strconv.FormatInt(key.Int(), 10), nil
	case uintClass:
		return strconv.FormatUint(key.Uint(), 10), nil
	case stringClass:
		text = key.String()
		if either(s.typ, textUnmarshaler) {
			back := reflect.New(s.typ)
			if err := back.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil || back.Elem().String() != text {
				return "", refusal("the key would not read back equal by UnmarshalText")
			}
		}
	default:
		if s.typ == timeType {
			if err := badTime(key); err != nil {
				return "", err
			}
		}
		b, err := key.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return "", &fieldError{reason: "MarshalText: " + err.Error(), err: err}
		}
		text = string(b)
	}
	if reason := badText(text); reason != "" {
		return "", refusal("the key " + reason)
	}
	return text, nil
}

// any looks at a value in an interface: it must be of the types that decoding
// into an interface gives.
func (a *auditor) any(v any, depth int) *fieldError {
	exact := true
	switch v.(type) {
	case []any, map[string]any:
		if depth >= MaxDepth {
			return refusal(tooDeep)
		}
	}
	switch v := v.(type) {
	case nil, bool:
	case string:
		if reason := badText(v); reason != "" {
			return refusal(reason)
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return refusal("is " + strconv.FormatFloat(v, 'g', -1, 64) + ", which JSON cannot hold")
		}
	case float32:
		f, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
		exact = err == nil && f == float64(v)
	case int, int8, int16, int32, int64:
		n := reflect.ValueOf(v).Int()
		exact = -1<<53 <= n && n <= 1<<53
	case uint, uint8, uint16, uint32, uint64:
		exact = reflect.ValueOf(v).Uint() <= 1<<53
	case []any:
		for i, e := range v {
			if err := a.any(e, depth+1); err != nil {
				return err.within(element(i))
			}
		}
	case map[string]any:
		for k, e := range v {
			err := a.any(e, depth+1)
			if reason := badText(k); reason != "" {
				err = refusal("the key " + reason)
			}
			if err != nil {
				return err.within(entry(reflect.ValueOf(k)))
			}
		}
	default:
		return refusal(fmt.Sprintf("holds a %T in an interface, which would read back as another type; give the field that type, or use json.RawMessage", v))
	}
	if !exact && !a.wide {
		return refusal(fmt.Sprintf("holds the %T %v in an interface, where JSON reads back a float64 that is not equal; give the field that type", v, v))
	}
	return nil
}

// method calls the methods by which v encodes itself to JSON, and looks at what
// they give.
func (a *auditor) method(v reflect.Value) *fieldError {
	if v.CanAddr() {
		v = v.Addr()
	}
	failed := func(name string, err error) *fieldError {
		return &fieldError{reason: name + ": " + err.Error(), err: err}
	}
	switch m := v.Interface().(type) {
	case json.Marshaler:
		text, err := m.MarshalJSON()
		if err != nil {
			return failed("MarshalJSON", err)
		}
		return badJSON(text)
	case encoding.TextMarshaler:
		text, err := m.MarshalText()
		if err != nil {
			return failed("MarshalText", err)
		}
		if reason := badText(string(text)); reason != "" {
			return refusal(reason)
		}
	case json.Number, *json.Number:
		if n := reflect.Indirect(v).String(); !isNumber(n) {
			return refusal(strconv.Quote(n) + " is not a number")
		}
	}
	return nil
}

// isNumber reports whether JSON takes n as a number. Encoders write 0 for "".
func isNumber(n string) bool {
	return n == "" || strings.IndexByte("-0123456789", n[0]) >= 0 && json.Valid([]byte(n)) && n == strings.TrimSpace(n)
}

// badYear refuses years that RFC 3339 does not have.
func badYear(v reflect.Value) string {
	if t, ok := reflect.TypeAssert[time.Time](v); ok {
		if y := t.Year(); y < 0 || y > 9999 {
			return fmt.Sprintf("is a time in year %d; years 0 to 9999 are stored", y)
		}
	}
	return ""
}

// utcField is the index of the field of time.Time whose nil means UTC, or -1.
// Looking at it saves a copy of every time that is encoded.
var utcField = func() int {
	f, ok := timeType.FieldByName("loc")
	if !ok || len(f.Index) != 1 || f.Type != reflect.TypeFor[*time.Location]() || !reflect.ValueOf(time.Unix(0, 0).UTC()).Field(f.Index[0]).IsNil() {
		return -1
	}
	return f.Index[0]
}()

// badTime refuses times that RFC 3339 rounds: before time zones, towns had
// offsets with seconds.
func badTime(v reflect.Value) *fieldError {
	if utcField >= 0 && v.Field(utcField).IsNil() {
		return nil
	}
	t, ok := reflect.TypeAssert[time.Time](v)
	if !ok {
		return nil
	}
	if name, offset := t.Zone(); offset%60 != 0 {
		return refusal(fmt.Sprintf("is a time in zone %s, whose offset has seconds, so it would be rounded; store it in UTC", name))
	}
	return nil
}
