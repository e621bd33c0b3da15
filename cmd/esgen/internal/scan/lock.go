package scan

import "go/types"

// locked reports a lock in a field: events are passed by value, and go vet would
// find every generated method at fault. A field that is not stored is no better.
func (w *walker) locked(f *types.Var) bool {
	lock := lockIn(f.Type(), map[types.Type]bool{})
	if lock == nil {
		return false
	}
	w.refusef(f.Name(), "holds the lock %s, and events are copied: leave it out, or use a pointer tagged json:\"-\"", w.short(lock))
	return true
}

// lockIn finds a type with Lock and Unlock on the pointer inside t, as far as
// copying t copies it.
func lockIn(t types.Type, seen map[types.Type]bool) types.Type {
	if seen[t] {
		return nil
	}
	seen[t] = true
	if isLock(t) {
		return t
	}
	switch u := t.Underlying().(type) {
	case *types.Array:
		return lockIn(u.Elem(), seen)
	case *types.Struct:
		for f := range u.Fields() {
			if lock := lockIn(f.Type(), seen); lock != nil {
				return lock
			}
		}
	}
	return nil
}

func isLock(t types.Type) bool {
	if _, ok := t.Underlying().(*types.Interface); ok {
		return false
	}
	for _, name := range []string{"Lock", "Unlock"} {
		object, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
		method, ok := object.(*types.Func)
		if !ok || method.Signature().Params().Len()+method.Signature().Results().Len() > 0 {
			return false
		}
		if object, _, _ := types.LookupFieldOrMethod(t, false, nil, name); object != nil {
			return false // a pointer or the like, of which copies are the same lock
		}
	}
	return true
}
