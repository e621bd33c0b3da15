package serializer

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/esgen/esgen/runtime/serializer/msgpackwire"
)

// field is a struct field that is stored.
type field struct {
	name      string
	header    []byte // the name as a msgpack string
	index     []int
	position  int // among the stored fields
	shape     *shape
	omitEmpty bool
	omitZero  bool
	zeroer    bool // has a method IsZero
	tagged    bool
	quoted    bool // has the tag option string, which only JSON heeds
}

// lostField is a struct field that cannot be stored: it must be zero.
type lostField struct {
	index  []int
	path   string
	reason string
}

// in returns the field of struct v, or false if it is behind a nil pointer.
func in(v reflect.Value, index []int) (reflect.Value, bool) {
	if len(index) == 1 {
		return v.Field(index[0]), true
	}
	for i, x := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, true
}

// into is in for decoding: it allocates the embedded pointers on the way.
func into(v reflect.Value, index []int) (reflect.Value, *fieldError) {
	if len(index) == 1 {
		return v.Field(index[0]), nil
	}
	for i, x := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !v.CanSet() {
					return v, refusal("is behind an embedded pointer to the unexported struct " + v.Type().Elem().String() + ", which cannot be set")
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, nil
}

// omitted reports whether a tag leaves out this value of f.
func (f *field) omitted(v reflect.Value) bool {
	return f.omitEmpty && empty(v) || f.omitZero && f.zero(v)
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64, reflect.Interface, reflect.Pointer:
		return v.IsZero()
	default:
		return false
	}
}

func (f *field) zero(v reflect.Value) bool {
	if !f.zeroer {
		return v.IsZero()
	}
	if k := v.Kind(); (k == reflect.Pointer || k == reflect.Interface) && v.IsNil() {
		return true
	}
	if z, ok := reflect.TypeAssert[interface{ IsZero() bool }](v); ok {
		return z.IsZero()
	}
	if !v.CanAddr() {
		return v.IsZero()
	}
	return v.Addr().Interface().(interface{ IsZero() bool }).IsZero()
}

// embeddedStruct is a struct whose fields are stored as those of the struct that
// embeds it.
type embeddedStruct struct {
	typ   reflect.Type
	index []int
	path  string
}

// fillStruct finds the fields of a struct as encoding/json does: breadth first,
// the shallowest of a name wins, then the tagged one, and if that does not decide,
// none. Fields that lose must be zero.
func (b *builder) fillStruct(s *shape) {
	type candidate struct {
		field
		typ  reflect.Type
		path string
	}
	named := map[string][]candidate{}
	var order []string
	next := []embeddedStruct{{typ: s.typ}}
	visited := map[reflect.Type]bool{}
	for len(next) > 0 {
		level := next
		next = nil
		seen := map[reflect.Type]bool{}
		for _, e := range level {
			if visited[e.typ] {
				// The same struct from a deeper or second place: its fields are hidden.
				s.lost = append(s.lost, lostField{e.index, e.path, "is embedded twice, so it would not be stored; give it a field name"})
				continue
			}
			seen[e.typ] = true
			for i := range e.typ.NumField() {
				f := e.typ.Field(i)
				index := append(slices.Clip(e.index), i)
				path := e.path + f.Name
				name, options, ignored := b.tag(f)
				if ignored {
					continue
				}
				if reason := badOption(options, b.codec); reason != "" {
					b.refuse(s, "field "+path+" of "+s.typ.String()+" "+reason)
					return
				}
				target := f.Type
				if f.Anonymous && target.Kind() == reflect.Pointer && target.Name() == "" {
					target = target.Elem()
				}
				switch {
				case f.Anonymous && !f.IsExported() && target.Kind() != reflect.Struct,
					!f.Anonymous && !f.IsExported():
					s.lost = append(s.lost, lostField{index, path, "is unexported, so it would not be stored; export it, or tag it \"-\" if it need not be"})
					continue
				case f.Anonymous && !f.IsExported() && f.Type.Kind() == reflect.Pointer:
					s.lost = append(s.lost, lostField{index, path, "is an embedded pointer to an unexported struct, which cannot be read back; embed the struct itself"})
				}
				if name == "" && f.Anonymous && target.Kind() == reflect.Struct {
					next = append(next, embeddedStruct{target, index, path + "."})
					continue
				}
				c := candidate{typ: f.Type, path: path}
				c.tagged = name != ""
				if name == "" {
					name = f.Name
				}
				c.name, c.index = name, index
				c.omitEmpty = slices.Contains(options, "omitempty")
				c.quoted = slices.Contains(options, "string")
				c.omitZero = slices.Contains(options, "omitzero")
				c.zeroer = either(f.Type, reflect.TypeFor[interface{ IsZero() bool }]())
				if named[name] == nil {
					order = append(order, name)
				}
				named[name] = append(named[name], c)
			}
		}
		for t := range seen {
			visited[t] = true
		}
	}
	for _, name := range order {
		all := named[name]
		slices.SortStableFunc(all, func(a, b candidate) int {
			if c := cmp.Compare(len(a.index), len(b.index)); c != 0 {
				return c
			}
			return -compareBool(a.tagged, b.tagged)
		})
		winners := 1
		if len(all) > 1 && len(all[0].index) == len(all[1].index) && all[0].tagged == all[1].tagged {
			winners = 0
		}
		for _, c := range all[winners:] {
			s.lost = append(s.lost, lostField{c.index, c.path, "shares the stored name " + name + " with another field, so it would not be stored; give one of them another name"})
		}
		if winners == 1 {
			f := all[0].field
			f.shape = b.shape(all[0].typ)
			f.header = msgpackwire.AppendString(nil, name)
			s.fields = append(s.fields, f)
			s.optional = s.optional || f.omitEmpty || f.omitZero || len(f.index) > 1
		}
	}
	slices.SortFunc(s.fields, func(a, b field) int { return slices.Compare(a.index, b.index) })
	s.byName = make(map[string]*field, len(s.fields))
	for i := range s.fields {
		s.fields[i].position = i
		s.byName[s.fields[i].name] = &s.fields[i]
	}
	s.suspect = s.suspect || len(s.lost) > 0
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// tag returns the stored name that the tag of f gives, "" if none, and the options.
func (b *builder) tag(f reflect.StructField) (name string, options []string, ignored bool) {
	text := f.Tag.Get("json")
	if b.codec == msgpackCodec {
		if own := f.Tag.Get("msgpack"); own != "" {
			text = own
		}
	}
	if text == "-" {
		return "", nil, true
	}
	name, rest, _ := strings.Cut(text, ",")
	if rest != "" {
		options = strings.Split(rest, ",")
	}
	if !validName(name) {
		name = ""
	}
	return name, options, false
}

// validName reports whether encoding/json takes a tag's name; it ignores others.
func validName(s string) bool {
	for _, c := range s {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return false
		}
	}
	return true
}

// badOption tells what is wrong with the options of a msgpack tag: those that
// change the wire format in ways that other readers do not know.
func badOption(options []string, c codec) string {
	if c != msgpackCodec {
		return ""
	}
	for _, o := range options {
		switch name, _, _ := strings.Cut(o, ":"); name {
		case "as_array", "asArray", "inline", "noinline", "intern", "alias":
			return "has the msgpack tag option " + name + ", which is not supported; remove it"
		}
	}
	return ""
}
