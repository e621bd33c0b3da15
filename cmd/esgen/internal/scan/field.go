package scan

import (
	"go/token"
	"go/types"
	"reflect"
	"strings"
)

// walker looks at everything that would be stored for one event.
type walker struct {
	*target
	// what is looked at, "event", and its name, for messages.
	what, who string
	// field is the event's own field under way; problems are reported there.
	field token.Pos
	// inner is the field under way at any depth.
	inner token.Pos
	seen  map[visit]bool
	// self is the event's type.
	self types.Type
}

// again forgets what was seen, except the event itself.
func (w *walker) again() { w.seen = map[visit]bool{{w.self, false}: true} }

// visit is a type as it was reached. A type that was reached so before is not
// looked at again, which ends recursion through pointers, slices and maps.
type visit struct {
	t           types.Type
	addressable bool
}

// refusef reports a field by its path.
func (w *walker) refusef(path, format string, args ...any) {
	if path == "" {
		w.addf(w.field, w.what+" %s "+format, append([]any{w.who}, args...)...)
		return
	}
	w.addf(w.field, "field %s of %s "+format, append([]any{path, w.who}, args...)...)
}

// top checks the event itself, which is reported at w.field.
func (w *walker) top(t *types.Named) {
	w.self = t
	w.seen = map[visit]bool{}
	w.whole(t, "", false)
}

// check looks at a type that is stored at path.
func (w *walker) check(t types.Type, path string, addressable bool) {
	switch u := types.Unalias(t).(type) {
	case *types.Named:
		if len(w.seen) > mostTypes {
			w.refusef(path, "has type %s, and so no end of others: a generic type must not hold itself with other arguments", w.short(t))
			return
		}
		w.whole(u, path, addressable)
	case *types.Struct:
		w.whole(u, path, addressable)
	default:
		w.underlying(u, u, path, addressable)
	}
}

// mostTypes is more than any event is made of. Type parameters can make more
// without end.
const mostTypes = 1000

// whole looks at what a type is made of, unless it has methods that serializers
// leave it to.
func (w *walker) whole(t types.Type, path string, addressable bool) {
	v := visit{t, addressable}
	if w.seen[v] || w.seen[visit{t, false}] {
		return // seen so, or under the stricter condition
	}
	w.seen[v] = true
	m := methodsOf(t)
	if s, ok := t.Underlying().(*types.Struct); ok && s.NumFields() > 1 {
		for _, method := range marshaling() {
			embedded, promoted := m.promoted[method]
			if promoted && (strings.HasPrefix(method, "Marshal") || strings.HasPrefix(method, "Encode")) {
				w.refusef(path, "embeds %s, whose %s would be called for the whole struct and lose its other fields: "+
					"give the field a name", embedded, method)
				return
			}
		}
	}
	opaque, reason := m.opaque(addressable)
	switch {
	case reason != "" && path == "":
		w.refusef(path, "%s", reason)
	case reason != "":
		w.refusef(path, "has type %s: it %s", w.short(t), reason)
	case !opaque:
		w.underlying(t, t.Underlying(), path, addressable)
	}
}

// underlying looks at what a type is made of.
func (w *walker) underlying(t, under types.Type, path string, addressable bool) {
	cannot := func(instead string) {
		w.refusef(path, "has type %s, which cannot be stored: %s", w.short(t), instead)
	}
	switch u := under.(type) {
	case *types.Basic:
		switch {
		case u.Kind() == types.Invalid:
			w.invalid(t, path)
		case u.Info()&types.IsComplex != 0:
			cannot("use two float64 fields")
		case u.Kind() == types.Uintptr || u.Kind() == types.UnsafePointer:
			cannot("an address means nothing later; store what it leads to")
		}
	case *types.Pointer:
		w.check(u.Elem(), path, true)
	case *types.Slice:
		w.check(u.Elem(), path+"[]", true)
	case *types.Array:
		w.check(u.Elem(), path+"[]", addressable)
	case *types.Map:
		w.key(u.Key(), path)
		w.check(u.Elem(), path+"[]", false)
	case *types.Struct:
		w.structure(t, u, path, addressable)
	case *types.Interface:
		w.union(t, u, path)
	case *types.Chan, *types.Signature:
		if _, named := t.(*types.Named); named {
			cannot(`store the data it stands for, or tag the field json:"-"`)
		} else { // which the generated file cannot repeat, tagged or not
			cannot("store the data it stands for")
		}
	default:
		cannot("use a concrete type")
	}
}

// key looks at the key of a map.
func (w *walker) key(t types.Type, path string) {
	if u, ok := types.Unalias(t).(*types.Named); ok {
		m := methodsOf(u)
		writes, reads := m.value[marshalText], m.pointer[unmarshalText]
		if writes && reads {
			return
		}
		if writes || reads {
			w.refusef(path, "has map keys of type %s, which has only one of MarshalText on the value and UnmarshalText "+
				"on the pointer: declare both", w.short(t))
			return
		}
	}
	if basic, ok := t.Underlying().(*types.Basic); ok {
		if basic.Kind() == types.Invalid {
			w.invalid(t, path)
			return
		}
		if info := basic.Info(); info&types.IsString != 0 || info&types.IsInteger != 0 && basic.Kind() != types.Uintptr {
			return
		}
	}
	w.refusef(path, "has map keys of type %s, which have no text form: use a string or integer kind, or declare "+
		"MarshalText on the value and UnmarshalText on the pointer", w.short(t))
}

// structure looks at the fields of a struct, embedded ones included.
func (w *walker) structure(t types.Type, s *types.Struct, path string, addressable bool) {
	before := len(w.list)
	stored := w.fields(s, path, addressable)
	if s.NumFields() > 0 && len(stored) == 0 && path != "" && onlyUnexported(s) {
		// One sentence instead of one for each of the fields.
		w.list = w.list[:before]
		w.refusef(path, "has type %s, which has no exported fields and would be stored as {}: "+
			"give it MarshalJSON and UnmarshalJSON, or use another type", w.short(t))
		return
	}
	w.twice(stored)
}

func onlyUnexported(s *types.Struct) bool {
	for f := range s.Fields() {
		if f.Exported() || f.Embedded() || reflect.StructTag(tagOf(s, f)).Get("json") == "-" {
			return false
		}
	}
	return true
}

func tagOf(s *types.Struct, f *types.Var) string {
	for i := range s.NumFields() {
		if s.Field(i) == f {
			return s.Tag(i)
		}
	}
	return ""
}
