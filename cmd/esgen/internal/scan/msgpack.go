package scan

import (
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/esgen/esgen/templates"
)

// msgpackDiffers reports whether the msgpack format stores a type otherwise than
// JSON does, because of methods or tags that only it heeds, or does not store
// exactly a []byte. What it says of types that write themselves does not matter:
// nobody else writes those.
func msgpackDiffers(typ types.Type, kind templates.ShapeKind) bool {
	switch kind {
	case templates.TimeShape, templates.UUIDShape, templates.RawShape, templates.NumberShape:
		return false
	default: // by what the type is made of
	}
	if _, ok := typ.(*types.Named); ok && len(methodsOf(typ).pointer) > 0 {
		return true
	}
	switch u := typ.Underlying().(type) {
	case *types.Slice:
		return kind == templates.BytesShape && !types.Identical(u.Elem(), types.Typ[types.Byte])
	case *types.Struct:
		return msgpackTagged(u, 0)
	}
	return false
}

// msgpackTagged reports whether a struct, or one that it embeds, has a tag of
// msgpack, or an embedded field that is not embedded there.
func msgpackTagged(s *types.Struct, depth int) bool {
	if depth > mostDepth {
		return true
	}
	for i := range s.NumFields() {
		tag := reflect.StructTag(s.Tag(i))
		if _, given := tag.Lookup("msgpack"); given {
			return true
		}
		if f := s.Field(i); f.Embedded() {
			embedded, _ := embeddedStruct(f)
			if embedded != nil && tag.Get("json") != "-" && (isOpaque(f.Type(), true) || msgpackTagged(embedded, depth+1)) {
				return true
			}
		}
	}
	return false
}

// msgpackName is the name under which msgpack stores a field, within the named structs,
// or empty if that is its json name. A msgpack tag takes the place of the json tag.
func msgpackName(json, own, field string, within []string, tag reflect.StructTag) string {
	name := json
	switch {
	case own != "":
		name = own
	case tag.Get("msgpack") != "": // has options only
		name = field
	}
	switch whole := strings.Join(append(slices.Clone(within), name), "."); {
	case own == ignored || slices.Contains(within, ignored):
		return ignored
	case whole == json:
		return ""
	default:
		return whole
	}
}

// ignored is the tag of a field that is not stored.
const ignored = "-"
