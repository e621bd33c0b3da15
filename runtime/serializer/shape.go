package serializer

import (
	"encoding"
	"encoding/json"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// codec decides by which tags and methods a type is encoded.
type codec uint8

const (
	jsonCodec codec = iota
	msgpackCodec
)

// class is how values of a type are written.
type class uint8

const (
	refusedClass class = iota // never: shape.reason says why
	boolClass
	intClass
	uintClass
	floatClass
	stringClass
	bytesClass
	byteArrayClass // of msgpack; JSON writes it as an array
	sliceClass
	arrayClass
	mapClass
	structClass
	pointerClass
	anyClass    // an interface without methods
	ifaceClass  // an interface with methods: nil only
	timeClass   // time.Time
	rawClass    // json.RawMessage
	numberClass // json.Number
	jsonClass   // MarshalJSON
	textClass   // MarshalText
	binaryClass // MarshalBinary, of msgpack
	packClass   // MarshalMsgpack, of msgpack
	hookClass   // EncodeMsgpack, of msgpack
)

// shape is what a codec knows of a Go type. It is built once for each type and
// never changes then.
type shape struct {
	typ    reflect.Type
	class  class
	reason string // of refusedClass

	key, elem *shape
	fields    []field
	byName    map[string]*field
	lost      []lostField
	// all points to the fields, and suspects to those whose shapes are suspect.
	all, suspects []*field
	optional      bool // some field may be left out
	plain         bool // a map of strings to strings

	// suspect tells that values of the type can be such that they would not read
	// back equal, so that each must be looked at before it is encoded.
	suspect bool
	// scanned tells that parts of the JSON text do not come from the encoder,
	// or that it may nest deeply, so that the text must be looked at.
	scanned bool
	// addressed tells that a method with a pointer receiver encodes a part of
	// the value itself, so that the value must be addressable.
	addressed bool
	// pointerMethod tells the same of this type's own method.
	pointerMethod bool

	open, recursive bool // while it is built
}

var (
	timeType       = reflect.TypeFor[time.Time]()
	rawMessageType = reflect.TypeFor[json.RawMessage]()
	plainMap       = reflect.TypeFor[*map[string]string]()
	numberType     = reflect.TypeFor[json.Number]()

	jsonMarshaler     = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler   = reflect.TypeFor[json.Unmarshaler]()
	textMarshaler     = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler   = reflect.TypeFor[encoding.TextUnmarshaler]()
	binaryMarshaler   = reflect.TypeFor[encoding.BinaryMarshaler]()
	binaryUnmarshaler = reflect.TypeFor[encoding.BinaryUnmarshaler]()
	packMarshaler     = reflect.TypeFor[msgpack.Marshaler]()
	packUnmarshaler   = reflect.TypeFor[msgpack.Unmarshaler]()
	hookEncoder       = reflect.TypeFor[msgpack.CustomEncoder]()
	hookDecoder       = reflect.TypeFor[msgpack.CustomDecoder]()
)

// shapes remembers what was built, by codec. Shapes depend on the type alone, so
// nobody can tell that they are shared.
var shapes [2]sync.Map // reflect.Type to *shape

// recent holds shapes by the address of their type, for that is found several times
// faster than in a sync.Map. A type that meets another one there replaces it.
var recent [2][64]atomic.Pointer[shape]

// shapeOf returns the shape of t.
func shapeOf(t reflect.Type, c codec) *shape {
	at := &recent[c][address(t)>>6%64]
	if s := at.Load(); s != nil && s.typ == t {
		return s
	}
	s := rememberedShape(t, c)
	at.Store(s)
	return s
}

func rememberedShape(t reflect.Type, c codec) *shape {
	if s, ok := shapes[c].Load(t); ok {
		return s.(*shape)
	}
	b := builder{codec: c, made: map[reflect.Type]*shape{}}
	s := b.shape(t)
	b.spread()
	stored, _ := shapes[c].LoadOrStore(t, s)
	return stored.(*shape)
}

type builder struct {
	codec codec
	made  map[reflect.Type]*shape
	all   []*shape
}

func (b *builder) shape(t reflect.Type) *shape {
	if s, ok := b.made[t]; ok {
		s.recursive = s.recursive || s.open
		return s
	}
	s := &shape{typ: t, open: true}
	b.made[t] = s
	b.all = append(b.all, s)
	b.fill(s)
	s.open = false
	return s
}

// spread carries the properties of parts to the wholes that hold them.
func (b *builder) spread() {
	for changed := true; changed; {
		changed = false
		set := func(have *bool, want bool) {
			if want && !*have {
				*have, changed = true, true
			}
		}
		for _, s := range b.all {
			set(&s.suspect, s.recursive)
			set(&s.scanned, s.recursive)
			set(&s.addressed, s.pointerMethod)
			for _, part := range []*shape{s.key, s.elem} {
				if part == nil {
					continue
				}
				set(&s.suspect, part.suspect)
				set(&s.scanned, part.scanned)
			}
			set(&s.addressed, s.class == arrayClass && s.elem.addressed)
			if s.class == mapClass && s.elem.addressed && b.codec == jsonCodec {
				b.refuse(s, "the values of a map are not addressable, so the pointer method that encodes "+s.elem.typ.String()+
					" would not be called; give the method a value receiver, or the map pointers")
				changed = true
			}
			for _, f := range s.fields {
				set(&s.suspect, f.shape.suspect)
				set(&s.scanned, f.shape.scanned)
				set(&s.addressed, f.shape.addressed)
			}
		}
	}
	for _, s := range b.all {
		for i := range s.fields {
			f := &s.fields[i]
			if s.all = append(s.all, f); f.shape.suspect {
				s.suspects = append(s.suspects, f)
			}
		}
	}
}

func (b *builder) refuse(s *shape, reason string) {
	*s = shape{typ: s.typ, class: refusedClass, reason: reason, suspect: true}
}

func (b *builder) fill(s *shape) {
	t := s.typ
	switch t {
	case timeType:
		s.class, s.suspect = timeClass, true
		return
	case rawMessageType:
		s.class, s.scanned = rawClass, true
		return
	case numberType:
		s.class, s.scanned = numberClass, true
		return
	}
	if k := t.Kind(); k != reflect.Pointer && k != reflect.Interface && b.fillByMethod(s) {
		return
	}
	switch t.Kind() {
	case reflect.Bool:
		s.class = boolClass
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s.class = intClass
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		s.class = uintClass
	case reflect.Float32, reflect.Float64:
		s.class = floatClass
	case reflect.String:
		s.class = stringClass
	case reflect.Slice:
		s.class = sliceClass
		if t.Elem().Kind() == reflect.Uint8 && (b.codec == msgpackCodec || !either(t.Elem(), jsonMarshaler) && !either(t.Elem(), textMarshaler)) {
			s.class = bytesClass
			return
		}
		s.elem = b.shape(t.Elem())
	case reflect.Array:
		s.class = arrayClass
		if t.Elem().Kind() == reflect.Uint8 && b.codec == msgpackCodec {
			s.class = byteArrayClass
			return
		}
		s.elem = b.shape(t.Elem())
	case reflect.Map:
		s.class = mapClass
		s.key = b.key(t.Key())
		s.elem = b.shape(t.Elem())
		s.plain = t.ConvertibleTo(plainMap.Elem())
	case reflect.Struct:
		s.class = structClass
		b.fillStruct(s)
	case reflect.Pointer:
		s.class = pointerClass
		s.elem = b.shape(t.Elem())
	case reflect.Interface:
		s.class, s.suspect, s.scanned = anyClass, true, true
		if t.NumMethod() > 0 {
			s.class = ifaceClass
		}
	default:
		b.refuse(s, "has type "+t.String()+", which cannot be stored; use a value type or tag it \"-\"")
	}
}

// method is a pair of methods by which a type encodes itself.
type method struct {
	class                class
	name                 string
	marshals, unmarshals reflect.Type
}

var methods = [2][]method{
	jsonCodec: {
		{jsonClass, "MarshalJSON", jsonMarshaler, jsonUnmarshaler},
		{textClass, "MarshalText", textMarshaler, textUnmarshaler},
	},
	// The order in which vmihailenco's encoder looks for them, then JSON.
	msgpackCodec: {
		{hookClass, "EncodeMsgpack", hookEncoder, hookDecoder},
		{packClass, "MarshalMsgpack", packMarshaler, packUnmarshaler},
		{binaryClass, "MarshalBinary", binaryMarshaler, binaryUnmarshaler},
		{textClass, "MarshalText", textMarshaler, textUnmarshaler},
		{jsonClass, "MarshalJSON", jsonMarshaler, jsonUnmarshaler},
	},
}

// fillByMethod fills s if its type encodes itself.
func (b *builder) fillByMethod(s *shape) bool {
	t := s.typ
	for _, m := range methods[b.codec] {
		if !either(t, m.marshals) {
			continue
		}
		if !either(t, m.unmarshals) {
			if b.codec == msgpackCodec {
				continue
			}
			// JSON encoders call the method whether or not it can be undone.
			if !either(t, jsonUnmarshaler) && !either(t, textUnmarshaler) {
				b.refuse(s, t.String()+" has a method "+m.name+" but none that reads back what it writes; add Un"+lowerFirst(m.name))
				return true
			}
		}
		if outer := promotedFrom(t, m); outer != "" {
			b.refuse(s, t.String()+" has its method "+m.name+" from the embedded "+outer+", so its other fields would be lost; give "+
				outer+" a field name, or "+t.String()+" methods of its own")
			return true
		}
		s.class = m.class
		s.pointerMethod = !t.Implements(m.marshals)
		s.scanned = m.class == jsonClass
		return true
	}
	return false
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// either reports whether t or *t implements i.
func either(t, i reflect.Type) bool {
	return t.Implements(i) || reflect.PointerTo(t).Implements(i)
}

// promotedFrom returns the embedded type from which struct t has method m, if t
// has other fields, which that method cannot know of.
func promotedFrom(t reflect.Type, m method) string {
	if t.Kind() != reflect.Struct || t.NumField() < 2 {
		return ""
	}
	for f := range t.Fields() {
		if !f.Anonymous || !either(f.Type, m.marshals) {
			continue
		}
		receiver := t
		if !t.Implements(m.marshals) {
			receiver = reflect.PointerTo(t)
		}
		own, _ := receiver.MethodByName(m.name)
		fn := runtime.FuncForPC(own.Func.Pointer())
		// The compiler writes promoted methods, with no file of their own; where
		// it has inlined one, the name is the embedded type's.
		file, _ := fn.FileLine(fn.Entry())
		name, _, _ := strings.Cut(t.Name(), "[") // of a generic type
		if file == "<autogenerated>" || !strings.Contains(fn.Name(), name) {
			return f.Type.String()
		}
	}
	return ""
}

// key returns the shape of the keys of a map.
func (b *builder) key(t reflect.Type) *shape {
	if b.codec == msgpackCodec {
		return b.shape(t)
	}
	s := &shape{typ: t, suspect: true}
	b.all = append(b.all, s)
	switch k := t.Kind(); {
	case k == reflect.String:
		// Encoders write the string itself, decoders prefer UnmarshalText.
		s.class, s.suspect = stringClass, either(t, textUnmarshaler)
	case t.Implements(textMarshaler) && either(t, textUnmarshaler):
		s.class = textClass
	case t.Implements(textMarshaler), either(t, textUnmarshaler):
		b.refuse(s, t.String()+" as the key of a map needs both MarshalText, with a value receiver, and UnmarshalText")
	case reflect.Int <= k && k <= reflect.Int64:
		s.class, s.suspect = intClass, false
	case reflect.Uint <= k && k <= reflect.Uintptr:
		s.class, s.suspect = uintClass, false
	default:
		b.refuse(s, "a map with keys of type "+t.String()+" cannot be stored in JSON; use strings, integers or a type with MarshalText and UnmarshalText")
	}
	return s
}
