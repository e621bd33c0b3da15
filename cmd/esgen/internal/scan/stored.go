package scan

import (
	"cmp"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/esgen/esgen/templates"
)

// shaper says what is stored for types that the walker has found in order.
type shaper struct {
	*target
	made typeutil.Map
	docs map[token.Pos]string
}

// shapeOf says what is stored for a type. Types that are the same have one Shape.
func (t *target) shapeOf(typ types.Type) *templates.Shape {
	if t.shapes == nil {
		t.shapes = &shaper{target: t}
	}
	return t.shapes.of(typ)
}

func (s *shaper) of(typ types.Type) *templates.Shape {
	typ = types.Unalias(typ)
	if made, ok := s.made.At(typ).(*templates.Shape); ok {
		return made
	}
	shape := &templates.Shape{Len: -1}
	s.made.Set(typ, shape) // before what it is made of, which may hold it
	shape.Go, _ = s.write(typ)
	defer func() { shape.MsgpackDiffers = msgpackDiffers(typ, shape.Kind) }()
	if named, ok := typ.(*types.Named); ok && s.named(shape, named) {
		return shape
	}
	switch u := typ.Underlying().(type) {
	case *types.Basic:
		s.basic(shape, u)
		shape.Constants, shape.ConstantNames = s.constants(typ)
	case *types.Pointer:
		shape.Kind, shape.Elem = templates.OptionalShape, s.of(u.Elem())
	case *types.Slice:
		if isBytes(u) {
			shape.Kind = templates.BytesShape
			break
		}
		shape.Kind, shape.Elem = templates.ArrayShape, s.of(u.Elem())
	case *types.Array:
		shape.Kind, shape.Elem, shape.Len = templates.ArrayShape, s.of(u.Elem()), u.Len()
	case *types.Map:
		shape.Kind, shape.Key, shape.Elem = templates.MapShape, s.of(u.Key()), s.of(u.Elem())
	case *types.Struct:
		shape.Kind, shape.Properties = templates.ObjectShape, s.properties(u, steps{})
	}
	return shape
}

// isBytes reports whether a slice is stored as one text: of bytes without methods
// of their own.
func isBytes(s *types.Slice) bool {
	basic, ok := s.Elem().Underlying().(*types.Basic)
	if !ok || basic.Kind() != types.Uint8 {
		return false
	}
	opaque, _ := methodsOf(s.Elem()).opaque(true)
	return !opaque
}

// named describes a type whose name decides, and reports whether it does.
func (s *shaper) named(shape *templates.Shape, named *types.Named) bool {
	if pkg := named.Obj().Pkg(); pkg != nil {
		switch pkg.Path() + "." + named.Obj().Name() {
		case "time.Time":
			shape.Kind = templates.TimeShape
			return true
		case "time.Duration":
			shape.Kind = templates.DurationShape
			return true
		case "github.com/google/uuid.UUID":
			shape.Kind = templates.UUIDShape
			return true
		case "encoding/json.RawMessage", "github.com/goccy/go-json.RawMessage":
			shape.Kind = templates.RawShape
			return true
		case "encoding/json.Number", "github.com/goccy/go-json.Number":
			shape.Kind = templates.NumberShape
			return true
		}
	}
	if u := s.unionOf(named); u != nil {
		shape.Kind = templates.UnionShape
		for _, m := range u.model.Members {
			object, ok := s.pkg.Scope().Lookup(m.GoName).(*types.TypeName)
			if ok {
				shape.Members = append(shape.Members, templates.Member{Name: m.Name, Shape: s.of(object.Type())})
			}
		}
		return true
	}
	m := methodsOf(named)
	opaque, _ := m.opaque(true)
	switch {
	case opaque && m.pointer[marshalJSON]:
		shape.Kind = templates.CustomShape
	case opaque:
		shape.Kind = templates.TextShape
	}
	return opaque
}

func (s *shaper) basic(shape *templates.Shape, b *types.Basic) {
	switch info := b.Info(); {
	case info&types.IsBoolean != 0:
		shape.Kind = templates.BoolShape
	case info&types.IsString != 0:
		shape.Kind = templates.StringShape
	case info&types.IsUnsigned != 0:
		shape.Kind = templates.UintShape
	case info&types.IsInteger != 0:
		shape.Kind = templates.IntShape
	case info&types.IsFloat != 0:
		shape.Kind = templates.FloatShape
	}
	switch b.Kind() { //nolint:exhaustive // the others have no bits
	case types.Int8, types.Uint8:
		shape.Bits = 8
	case types.Int16, types.Uint16:
		shape.Bits = 16
	case types.Int32, types.Uint32, types.Float32:
		shape.Bits = 32
	case types.Int, types.Uint, types.Int64, types.Uint64, types.Float64:
		shape.Bits = 64
	}
}

// constants are the values that the package of a type declares of it, and the names
// of each.
func (s *shaper) constants(typ types.Type) (values []string, names [][]string) {
	named, ok := typ.(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return nil, nil
	}
	var found []*types.Const
	scope := named.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		c, ok := scope.Lookup(name).(*types.Const)
		if ok && types.Identical(c.Type(), typ) && (c.Exported() || c.Pkg() == s.pkg) && c.Val().Kind() != constant.Unknown {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(one, other *types.Const) int { // names are sorted
		a, b := one.Val(), other.Val()
		switch {
		case a.Kind() == constant.String && b.Kind() == constant.String:
			return cmp.Compare(constant.StringVal(a), constant.StringVal(b))
		case constant.Compare(a, token.LSS, b):
			return -1
		case constant.Compare(a, token.EQL, b):
			return 0
		default:
			return 1
		}
	})
	for _, c := range found {
		text := c.Val().ExactString()
		if c.Val().Kind() == constant.String {
			text = constant.StringVal(c.Val())
		}
		if last := len(values) - 1; last >= 0 && values[last] == text {
			names[last] = append(names[last], c.Name())
			continue
		}
		values, names = append(values, text), append(names, []string{c.Name()})
	}
	return values, names
}

// steps lead to a field through embedded structs.
type steps struct {
	path    []string
	through []bool
	// msgpack are the names of the structs that msgpack does not embed, for their
	// msgpack tags name them.
	msgpack []string
}

// properties are the stored fields of a struct, with those of the structs that it
// embeds in their places. The walker has refused names that are given twice.
func (s *shaper) properties(u *types.Struct, to steps) []templates.Property {
	var list []templates.Property
	for i := range u.NumFields() {
		f := u.Field(i)
		tag, given := reflect.StructTag(u.Tag(i)).Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Name() == "_" || given && tag == "-" {
			continue
		}
		embedded, pointer := embeddedStruct(f)
		at := steps{append(slices.Clone(to.path), f.Name()), append(slices.Clone(to.through), pointer), slices.Clone(to.msgpack)}
		own, _, _ := strings.Cut(reflect.StructTag(u.Tag(i)).Get("msgpack"), ",")
		if embedded != nil && name == "" && !isOpaque(f.Type(), true) {
			if own != "" {
				at.msgpack = append(at.msgpack, own)
			}
			if len(to.path) < mostDepth {
				list = append(list, s.properties(embedded, at)...)
			}
			continue
		}
		if !f.Exported() {
			continue
		}
		if name == "" {
			name = f.Name()
		}
		has := func(option string) bool { return slices.Contains(strings.Split(options, ","), option) }
		list = append(list, templates.Property{
			Name: name, Msgpack: msgpackName(name, own, f.Name(), at.msgpack, reflect.StructTag(u.Tag(i))),
			Path: at.path, Through: at.through, Shape: s.of(f.Type()),
			OmitEmpty: has("omitempty"), OmitZero: has("omitzero"), AsString: has("string"),
			Doc: s.docOf(f.Pos()), At: s.fieldAt(f),
		})
	}
	return list
}

func (s *shaper) fieldAt(f *types.Var) templates.Position {
	if f.Pkg() != s.pkg {
		return templates.Position{}
	}
	return s.place(f.Pos())
}

// mostDepth ends a struct that embeds a pointer to itself; nobody embeds as deep.
const mostDepth = 16

// docOf is the comment of a field of this package.
func (s *shaper) docOf(pos token.Pos) string {
	if s.docs == nil {
		s.docs = map[token.Pos]string{}
		for _, file := range s.files {
			ast.Inspect(file, func(n ast.Node) bool {
				if f, ok := n.(*ast.Field); ok {
					text := f.Doc.Text()
					if text == "" {
						text = f.Comment.Text()
					}
					for _, name := range f.Names {
						s.docs[name.Pos()] = text
					}
				}
				return true
			})
		}
	}
	return s.docs[pos]
}
