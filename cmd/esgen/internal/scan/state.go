package scan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/types"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/esgen/esgen/templates"
)

// ofState is what a walker looks at that must store all fields.
const ofState = "state"

// maxSnapshots bounds snapshots=.
const maxSnapshots = 1_000_000

// markState takes a type that events are folded into.
func (t *target) markState(d directive) {
	spec := d.at.spec
	m := marked{directive: d, revision: t.revisionOf(d), families: t.familiesOf(d)}
	for _, other := range t.states {
		for _, f := range m.families {
			if slices.Contains(other.families, f) {
				t.addf(d.pos, "second //esgen:state, the first is at %s: a family has one", t.where(other.pos))
				return
			}
		}
	}
	if a, ok := d.args["snapshots"]; ok {
		if n, err := strconv.Atoi(a.value); err != nil || n < 1 || n > maxSnapshots {
			t.addf(a.pos, "snapshots=%s: write after how many events another snapshot is stored, from 1 to %d", a.value, maxSnapshots)
		}
	} else if a, ok := d.args[keyRevision]; ok {
		t.addf(a.pos, "revision=%s of a state without snapshots has no effect: write snapshots=N, too, or leave it out", a.value)
	}
	switch {
	case spec.TypeParams != nil:
		t.addf(spec.TypeParams.Pos(), "state %s has type parameters: declare a type without them", spec.Name.Name)
	case spec.Assign.IsValid():
		t.addf(spec.Assign, "state %s is an alias: leave the = out, so that it can have methods", spec.Name.Name)
	}
	t.states = append(t.states, m)
}

// resolveState describes a state, and finds what the compiler would let pass.
func (t *target) resolveState(m *marked) {
	t.checkState(m)
	state := templates.State{
		GoName: m.at.spec.Name.Name,
		Doc:    t.doc(m.at.spec),
		At:     t.place(m.at.spec.Name.Pos()),
	}
	if object := t.pkg.Scope().Lookup(state.GoName); object != nil {
		_, state.Struct = object.Type().Underlying().(*types.Struct)
	}
	if a, ok := m.args["snapshots"]; ok {
		state.Snapshots, _ = strconv.Atoi(a.value)
		state.Revision = m.revision
		state.Fingerprint = t.checkSnapshot(m)
	}
	for _, f := range m.families {
		f.model.State = &state
	}
}

// checkState finds Apply methods on a value, which satisfy the Applier and change a
// copy. Missing methods are the compiler's.
func (t *target) checkState(m *marked) {
	spec := m.at.spec
	for _, e := range t.marks {
		if e.at.spec == spec {
			t.addf(m.pos, "%s is both an event and the state: declare two types", spec.Name.Name)
		}
	}
	object, ok := t.pkg.Scope().Lookup(spec.Name.Name).(*types.TypeName)
	if !ok || object.IsAlias() {
		return
	}
	switch object.Type().Underlying().(type) {
	case *types.Interface, *types.Pointer:
		t.addf(spec.Type.Pos(), "state %s is %s, which cannot have Apply methods: write a struct", spec.Name.Name, kindOf(object.Type()))
		return
	case *types.Map:
		return // a map is changed through its value
	}
	for _, e := range t.marks {
		method := "Apply" + e.at.spec.Name.Name
		found, index, _ := types.LookupFieldOrMethod(object.Type(), false, t.pkg, method)
		if f, ok := found.(*types.Func); ok && len(index) == 1 {
			t.addf(f.Pos(), "%s has a value receiver, so it changes a copy: write func (… *%s) %s", method, spec.Name.Name, method)
		}
	}
}

// checkSnapshot looks at what a snapshot stores, as at an event, and returns the
// fingerprint of its shape.
func (t *target) checkSnapshot(m *marked) string {
	spec := m.at.spec
	object, ok := t.pkg.Scope().Lookup(spec.Name.Name).(*types.TypeName)
	if !ok || object.IsAlias() {
		return ""
	}
	named, ok := object.Type().(*types.Named)
	if !ok || named.TypeParams().Len() > 0 {
		return "" // said already
	}
	known := len(t.list)
	w := walker{target: t, what: ofState, who: spec.Name.Name, field: spec.Name.Pos()}
	w.top(named)
	if len(t.list) > known {
		return ""
	}
	hash := sha256.New()
	f := fingerprint{target: t, seen: map[types.Type]int{}}
	f.write(hash, named)
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

// fingerprint writes what a stored value depends on: not the names of types, but
// what they are made of, and whose methods write them.
type fingerprint struct {
	*target
	seen map[types.Type]int
}

func (f fingerprint) write(to io.Writer, typ types.Type) {
	typ = types.Unalias(typ)
	if n, ok := f.seen[typ]; ok {
		fmt.Fprintf(to, "again %d;", n)
		return
	}
	if named, ok := typ.(*types.Named); ok {
		f.seen[typ] = len(f.seen)
		if u := f.unionOf(named); u != nil {
			f.union(to, u)
			return
		}
		if opaque, _ := methodsOf(named).opaque(true); opaque {
			fmt.Fprintf(to, "own %s;", types.TypeString(named, nil))
			return
		}
	}
	switch u := typ.Underlying().(type) {
	case *types.Struct:
		fmt.Fprint(to, "struct;")
		for i := range u.NumFields() {
			field, tag := u.Field(i), reflect.StructTag(u.Tag(i))
			name, options, _ := strings.Cut(tag.Get("json"), ",")
			if !field.Exported() && !field.Embedded() || tag.Get("json") == "-" {
				continue
			}
			if name == "" {
				name = field.Name()
			}
			fmt.Fprintf(to, "%q %q %q %t;", name, options, tag.Get("msgpack"), field.Embedded())
			f.write(to, field.Type())
		}
		fmt.Fprint(to, "end;")
	case *types.Pointer:
		fmt.Fprint(to, "pointer;")
		f.write(to, u.Elem())
	case *types.Slice:
		fmt.Fprint(to, "slice;")
		f.write(to, u.Elem())
	case *types.Array:
		fmt.Fprintf(to, "array %d;", u.Len())
		f.write(to, u.Elem())
	case *types.Map:
		fmt.Fprint(to, "map;")
		f.write(to, u.Key())
		f.write(to, u.Elem())
	default:
		fmt.Fprintf(to, "%s;", types.TypeString(u, nil))
	}
}

// union writes the members, by the names they are stored under.
func (f fingerprint) union(to io.Writer, u *union) {
	fmt.Fprint(to, "union;")
	members := slices.Clone(u.model.Members)
	slices.SortFunc(members, func(a, b templates.UnionMember) int { return cmp.Compare(a.Name, b.Name) })
	for _, m := range members {
		fmt.Fprintf(to, "%q;", m.Name)
		if object, ok := f.pkg.Scope().Lookup(m.GoName).(*types.TypeName); ok {
			f.write(to, object.Type())
		}
	}
	fmt.Fprint(to, "end;")
}
