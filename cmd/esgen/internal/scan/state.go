package scan

import "go/types"

// markState takes the type that events are folded into.
func (t *target) markState(d directive) {
	spec := d.at.spec
	if t.state != nil {
		t.addf(d.pos, "second //esgen:state, the first is at %s: a family has one", t.where(t.state.pos))
		return
	}
	switch {
	case spec.TypeParams != nil:
		t.addf(spec.TypeParams.Pos(), "state %s has type parameters: declare a type without them", spec.Name.Name)
	case spec.Assign.IsValid():
		t.addf(spec.Assign, "state %s is an alias: leave the = out, so that it can have methods", spec.Name.Name)
	}
	t.state = &marked{directive: d}
}

// checkState finds what the compiler would let pass: an Apply method on a value
// satisfies the Applier and changes a copy. Missing methods are the compiler's.
func (t *target) checkState() {
	spec := t.state.at.spec
	for _, m := range t.marks {
		if m.at.spec == spec {
			t.addf(t.state.pos, "%s is both an event and the state: declare two types", spec.Name.Name)
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
	for _, m := range t.marks {
		method := "Apply" + m.at.spec.Name.Name
		found, index, _ := types.LookupFieldOrMethod(object.Type(), false, t.pkg, method)
		if f, ok := found.(*types.Func); ok && len(index) == 1 {
			t.addf(f.Pos(), "%s has a value receiver, so it changes a copy: write func (… *%s) %s", method, spec.Name.Name, method)
		}
	}
}
