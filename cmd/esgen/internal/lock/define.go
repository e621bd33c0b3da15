package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/esgen/esgen/templates"
)

// definer writes shapes as types and definitions.
type definer struct {
	// known are the names of what is defined; under way, names without a hash.
	known map[*templates.Shape]string
	made  map[string]Definition
}

// fields are those of an object.
func (d *definer) fields(owner string, s *templates.Shape) []Field {
	fields := []Field{}
	if s == nil {
		return fields
	}
	for _, p := range s.Properties {
		f := Field{
			Name: p.Name, Msgpack: p.Msgpack, Type: d.typeOf(owner+"."+p.Name, p.Shape), Quoted: p.AsString,
			Go: strings.Join(p.Path, "."), at: p.At,
		}
		switch {
		case p.OmitZero:
			f.Omit = "zero"
		case p.OmitEmpty:
			f.Omit = "empty"
		}
		fields = append(fields, f)
	}
	return fields
}

func values(s *templates.Shape) []Value {
	list := make([]Value, len(s.Constants))
	for i, text := range s.Constants {
		list[i] = Value{Value: text}
		if i < len(s.ConstantNames) {
			list[i].Go = strings.Join(s.ConstantNames[i], ",")
		}
	}
	return list
}

// typeOf writes a shape. Owner names one that has no name of its own.
func (d *definer) typeOf(owner string, s *templates.Shape) string {
	words := map[templates.ShapeKind]string{
		templates.AnyShape: "any", templates.BoolShape: "bool", templates.StringShape: wordString, templates.BytesShape: "bytes",
		templates.TimeShape: "time", templates.DurationShape: "duration", templates.UUIDShape: "uuid", templates.RawShape: "raw",
		templates.NumberShape: "number",
	}
	number := map[templates.ShapeKind]string{templates.IntShape: wordInt, templates.UintShape: wordUint, templates.FloatShape: "float"}
	word := words[s.Kind]
	if base, ok := number[s.Kind]; ok {
		word = base + strconv.Itoa(s.Bits)
	}
	switch {
	case len(s.Constants) > 0:
		return d.define(owner, s, func(string) Definition { return Definition{Type: word, Values: values(s)} })
	case word != "":
		return word
	}
	switch s.Kind {
	case templates.TextShape:
		return "text<" + goName(s.Go) + ">"
	case templates.CustomShape:
		return "custom<" + goName(s.Go) + ">"
	case templates.OptionalShape:
		return "optional<" + d.typeOf(owner, s.Elem) + ">"
	case templates.ArrayShape:
		if s.Len >= 0 {
			return "array" + strconv.FormatInt(s.Len, 10) + "<" + d.typeOf(owner, s.Elem) + ">"
		}
		return "array<" + d.typeOf(owner, s.Elem) + ">"
	case templates.MapShape:
		return "map<" + d.typeOf(owner, s.Key) + "," + d.typeOf(owner, s.Elem) + ">"
	case templates.UnionShape:
		return d.define(owner, s, func(name string) Definition {
			members := make([]Field, 0, len(s.Members))
			for _, m := range s.Members {
				members = append(members, Field{Name: m.Name, Type: d.typeOf(name+"."+m.Name, m.Shape)})
			}
			return Definition{Members: members}
		})
	default:
		return d.define(owner, s, func(name string) Definition { return Definition{Fields: d.fields(name, s)} })
	}
}

// define makes a definition, whose name ends in the hash of its content. A type that
// holds itself is named without hash there.
func (d *definer) define(owner string, s *templates.Shape, content func(name string) Definition) string {
	if name, ok := d.known[s]; ok {
		return name
	}
	name := "#" + owner
	if s.Go.Kind == templates.Named && s.Go.Name != "" {
		name = "#" + goName(s.Go)
	}
	d.known[s] = name
	definition := content(name[1:])
	text, err := json.Marshal(definition)
	if err != nil { // a struct of texts
		text = []byte(err.Error())
	}
	hash := sha256.Sum256(text)
	definition.Name = name + "@" + hex.EncodeToString(hash[:4])
	d.known[s] = definition.Name
	d.made[definition.Name] = definition
	return definition.Name
}

// goName names a Go type, for people.
func goName(t templates.Type) string {
	switch t.Kind {
	case templates.Pointer:
		return "*" + goName(*t.Elem)
	case templates.Slice:
		return "[]" + goName(*t.Elem)
	case templates.Array:
		return "[" + strconv.FormatInt(t.Len, 10) + "]" + goName(*t.Elem)
	case templates.Map:
		return "map[" + goName(*t.Key) + "]" + goName(*t.Elem)
	case templates.Struct:
		return "struct"
	case templates.Named:
	}
	name := t.Name
	if t.Path != "" {
		name = t.Path + "." + name
	}
	if len(t.Args) > 0 {
		args := make([]string, len(t.Args))
		for i, a := range t.Args {
			args[i] = goName(a)
		}
		name += "[" + strings.Join(args, ",") + "]"
	}
	return name
}
