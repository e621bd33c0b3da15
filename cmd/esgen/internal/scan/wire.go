package scan

import (
	"go/token"
	"go/types"
	"reflect"
	"strings"
	"unicode"
)

// wired is a field with the name it is stored under.
type wired struct {
	wire, path string
	pos        token.Pos
}

// fields checks the fields of s and returns what is stored for them, with the
// fields of embedded structs among them, as encoding/json has it.
func (w *walker) fields(s *types.Struct, path string, addressable bool) []wired {
	var list []wired
	for i := range s.NumFields() {
		f := s.Field(i)
		if path == "" {
			w.again() // all that is wrong with each field of the event
			if f.Pkg() == w.pkg {
				w.field = f.Pos()
			}
			if w.locked(f) {
				continue
			}
		}
		w.inner = f.Pos()
		at := join(path, f.Name())
		name, given := w.tag(at, s.Tag(i))
		if name == "-" && given || f.Name() == "_" {
			if w.what == ofState && f.Name() != "_" {
				w.refusef(at, `is tagged json:"-", so that a state of a snapshot would lack it and decide otherwise: leave the tag out, `+
					"or fold the field into another type")
			}
			continue
		}
		if name == "-," {
			name = "-"
		}
		embedded, pointer := embeddedStruct(f)
		switch {
		case embedded != nil && pointer && !f.Exported():
			w.refusef(at, "is an embedded pointer to an unexported struct, which cannot be read back: embed %s without *", f.Name())
		case embedded != nil && name == "" && !isOpaque(f.Type(), addressable || pointer):
			v := visit{f.Type(), addressable || pointer}
			if w.seen[v] {
				continue
			}
			w.seen[v] = true
			list = append(list, w.fields(embedded, at, addressable || pointer)...)
			delete(w.seen, v)
		case !f.Exported() && w.what == ofState:
			w.refusef(at, "is unexported, so a state of a snapshot would lack its value: export it")
		case !f.Exported():
			w.refusef(at, "is unexported, so its value would be lost: export it, or tag it json:\"-\" if that is meant")
		default:
			if name == "" {
				name = f.Name()
			}
			list = append(list, wired{wire: name, path: at, pos: w.field})
			w.check(f.Type(), at, addressable)
		}
	}
	return list
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// tag reads the json tag of a field: the name in it, if any, and whether there
// is one. The name of `json:"-,"` is returned as it stands.
func (w *walker) tag(path, tag string) (string, bool) {
	value, given := reflect.StructTag(tag).Lookup("json")
	if !given {
		if strings.Contains(tag, "json") {
			w.refusef(path, "has a tag that cannot be read, so its name in it has no effect: write `json:\"name\"`")
		}
		return "", false
	}
	if value == "-" || value == "-," {
		return value, true
	}
	name, _, _ := strings.Cut(value, ",")
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) {
			w.refusef(path, "is tagged %q, a name that is not accepted there and would be ignored: "+
				"write letters, digits and . _ -", name)
			return "", true
		}
	}
	return name, true
}

// embeddedStruct returns the struct that a field embeds, by value or pointer.
func embeddedStruct(f *types.Var) (s *types.Struct, pointer bool) {
	if !f.Embedded() {
		return nil, false
	}
	t := f.Type()
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t, pointer = p.Elem(), true
	}
	s, _ = t.Underlying().(*types.Struct)
	return s, pointer
}

func isOpaque(t types.Type, addressable bool) bool {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	opaque, _ := methodsOf(t).opaque(addressable)
	return opaque
}

// twice reports fields with one stored name: encoding/json would leave out all
// of them, or all but the outermost, without a word.
func (w *walker) twice(list []wired) {
	first := map[string]string{}
	for _, f := range list {
		if other, found := first[f.wire]; found {
			w.field = f.pos
			w.refusef(f.path, "is stored as %q, and so is %s: one would be lost; give one another name with `json:\"…\"`",
				f.wire, other)
			continue
		}
		first[f.wire] = f.path
	}
}
