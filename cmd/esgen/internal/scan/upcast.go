package scan

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/esgen/esgen/templates"
)

// upcast is a function from a stored shape to the next, under scan.
type upcast struct {
	marked
	// from and to are its parameter and result, to nil for the sealed interface.
	from, to types.Type
	// sealed names the interface that it returns, which is yet to be generated.
	sealed string
	fails  bool
	// step is false if the function cannot be used.
	usable bool
}

// signature is what an upcaster looks like.
const signature = "write func(V) T or func(V) (T, error), V being a struct with the fields that are stored, and T the event " +
	"or the parameter of the next upcaster"

// markUpcast takes a function that leads on from an older revision.
func (t *target) markUpcast(d directive) {
	if d.at.fn == nil {
		t.addf(d.pos, "//esgen:upcast stands on %s: put it directly above a function, without an empty line", d.at.words)
		return
	}
	u := &upcast{marked: marked{directive: d}}
	known := len(t.list)
	for _, key := range []string{keyName, keyRevision} {
		if _, ok := d.args[key]; !ok {
			t.addf(d.pos, "//esgen:upcast without %s=: write what %s reads, as in name=%s.opened revision=1",
				key, d.at.fn.Name.Name, t.name)
		}
	}
	u.revision, u.name = t.revisionOf(d), t.storedName(d)
	if len(t.list) > known {
		u.name = "" // what it reads is not known
	}
	u.families = t.familiesOf(d)
	t.upcasts = append(t.upcasts, u)
}

// resolveUpcasts type-checks the upcasters and composes them to chains that end in
// events.
func (t *target) resolveUpcasts() {
	for _, u := range t.upcasts {
		u.usable = len(u.families) > 0 && t.signatureOf(u)
	}
	said := map[*upcast]bool{}
	for _, u := range t.upcasts {
		if !u.usable || u.name == "" {
			continue
		}
		from, reason := t.write(u.from)
		if reason != "" {
			t.addf(u.at.fn.Type.Params.Pos(), "the parameter of the upcaster %s %s", u.at.fn.Name.Name, reason)
			continue
		}
		for _, f := range u.families {
			chain, ok := t.chain(u, f, said)
			if !ok {
				continue
			}
			f.model.Upcasts = append(f.model.Upcasts, templates.Upcast{
				Name: u.name, Revision: u.revision, Func: u.at.fn.Name.Name,
				From: from, FromShape: t.shapeOf(u.from), To: chain[0].To, Fails: u.fails, Chain: chain,
				Doc: docOf(u.at.fn), At: t.place(u.pos),
			})
		}
	}
}

func docOf(fn *ast.FuncDecl) string { return fn.Doc.Text() }

// signatureOf checks the function of u, and keeps what it takes and returns.
func (t *target) signatureOf(u *upcast) bool {
	fn := u.at.fn
	refuse := func(what string) bool {
		t.addf(fn.Name.Pos(), "the upcaster %s %s: %s", fn.Name.Name, what, signature)
		return false
	}
	switch results := fn.Type.Results; {
	case fn.Recv != nil:
		return refuse("is a method, and there is no value to call it on")
	case fn.Type.TypeParams != nil:
		return refuse("has type parameters")
	case fn.Type.Params.NumFields() != 1:
		return refuse("does not take one parameter")
	case results.NumFields() < 1 || results.NumFields() > 2:
		return refuse("does not return an event, or an event and an error")
	}
	object, ok := t.pkg.Scope().Lookup(fn.Name.Name).(*types.Func)
	if !ok || object.Pos() != fn.Name.Pos() {
		return refuse("has a name that is declared twice, or is no function's")
	}
	s := object.Signature()
	if s.Variadic() {
		return refuse("does not take one parameter")
	}
	if s.Results().Len() == 2 {
		if u.fails = types.Identical(s.Results().At(1).Type(), types.Universe.Lookup("error").Type()); !u.fails {
			return refuse("returns " + t.short(s.Results().At(1).Type()) + " in second place, which is no error")
		}
	}
	u.from, u.to = types.Unalias(s.Params().At(0).Type()), types.Unalias(s.Results().At(0).Type())
	if !isValid(u.from) {
		t.addf(fn.Type.Params.List[0].Type.Pos(), "the parameter of the upcaster %s %s", fn.Name.Name,
			t.unresolved(fn.Type.Params.List[0].Type))
		return false
	}
	if _, isStruct := u.from.Underlying().(*types.Struct); !isStruct {
		return refuse("takes " + kindOf(u.from))
	}
	if named, ok := u.from.(*types.Named); !ok || named.TypeArgs().Len() > 0 {
		return refuse("takes a type without a name of its own")
	}
	known := len(t.list)
	w := walker{target: t, what: "parameter", who: t.short(u.from), field: fn.Type.Params.List[0].Type.Pos()}
	w.top(u.from.(*types.Named))
	if len(t.list) > known {
		return false
	}
	return t.resultOf(u)
}

// resultOf takes the result of u. The sealed interface is not known to the type
// checker, for it is generated.
func (t *target) resultOf(u *upcast) bool {
	expr := u.at.fn.Type.Results.List[0].Type
	for _, f := range u.families {
		if written := types.ExprString(expr); written == f.prefix+"Event" && !isValid(u.to) {
			u.sealed, u.to = written, nil
		}
	}
	if u.sealed != "" && len(u.families) > 1 {
		t.addf(expr.Pos(), "the upcaster %s returns %s, which is of one family, and is of %d: write one for each",
			u.at.fn.Name.Name, u.sealed, len(u.families))
		return false
	}
	if u.to != nil && !isValid(u.to) {
		t.addf(expr.Pos(), "the result of the upcaster %s %s", u.at.fn.Name.Name, t.unresolved(expr))
		return false
	}
	if _, pointer := u.to.(*types.Pointer); pointer {
		t.addf(expr.Pos(), "the upcaster %s returns a pointer: events are values; write %s, or the interface %s to say with nil "+
			"that it is no longer an event", u.at.fn.Name.Name, strings.TrimPrefix(types.ExprString(expr), "*"),
			u.families[0].prefix+"Event")
		return false
	}
	return true
}

func isValid(t types.Type) bool {
	return t != types.Typ[types.Invalid] && t.Underlying() != types.Typ[types.Invalid]
}

// chain composes the functions that lead from u to an event of f.
func (t *target) chain(u *upcast, f *family, said map[*upcast]bool) ([]templates.Step, bool) {
	var steps []templates.Step
	passed := []*upcast{}
	for at := u; ; {
		if slices.Contains(passed, at) {
			if !said[at] {
				names := make([]string, len(passed))
				for i, p := range passed {
					said[p] = true
					names[i] = p.at.fn.Name.Name + " (" + t.where(p.at.fn.Name.Pos()) + ")"
				}
				t.addf(at.pos, "the upcasters %s lead in a circle and never to an event: let one of them return an event",
					enumerated(names))
			}
			return nil, false
		}
		passed = append(passed, at)
		step := templates.Step{Func: at.at.fn.Name.Name, Fails: at.fails}
		if at.to == nil {
			step.To = templates.Type{Name: at.sealed}
			return append(steps, step), true
		}
		step.To, _ = t.write(at.to)
		steps = append(steps, step)
		if event, family := t.eventOf(at.to); event != nil {
			if !slices.Contains(family, f) {
				t.addf(at.pos, "the upcaster %s leads to %s, which is no event of family %s: write family=%s in the directive of "+
					"the one or the other", at.at.fn.Name.Name, event.Name.Name, f.name, f.name)
				return nil, false
			}
			return steps, true
		}
		next := t.next(at, f)
		if next == nil {
			if !said[at] {
				said[at] = true
				t.addf(at.pos, "the upcaster %s returns %s, which is neither an event nor the parameter of another upcaster: "+
					"return the event that it is today, or write func(%s) … with //esgen:upcast name=%s revision=%d",
					at.at.fn.Name.Name, t.short(at.to), t.short(at.to), at.name, at.revision+1)
			}
			return nil, false
		}
		if !next.usable {
			return nil, false // said already
		}
		at = next
	}
}

// eventOf finds the event that is declared as typ, and its families.
func (t *target) eventOf(typ types.Type) (*ast.TypeSpec, []*family) {
	named, ok := typ.(*types.Named)
	if !ok || named.Obj().Pkg() != t.pkg {
		return nil, nil
	}
	for _, m := range t.marks {
		if m.at.spec.Name.Name == named.Obj().Name() {
			return m.at.spec, m.families
		}
	}
	return nil, nil
}

// next is the upcaster that goes on with what u returns: of the same name and the
// next revision if there is one, else the one that takes the type.
func (t *target) next(u *upcast, f *family) *upcast {
	var found *upcast
	for _, other := range t.upcasts {
		if other.from == nil || !types.Identical(other.from, u.to) || !slices.Contains(other.families, f) {
			continue
		}
		if other.name == u.name && other.revision == u.revision+1 {
			return other
		}
		if found == nil || other.name == u.name && found.name != u.name {
			found = other
		}
	}
	return found
}
