package typeregistry

import (
	"iter"
	"maps"
	"reflect"
	"slices"
)

// Registry finds types by stored name and by Go value. It never changes, so it is
// safe for concurrent use. The zero Registry knows no type.
type Registry struct {
	types []Type
	// byName has a name's revisions, few, side by side: a name alone is hashed
	// faster than a name with a number.
	byName  map[string][]Type
	byValue map[reflect.Type]Type
}

// New returns a registry of types. Errors: [*InvalidTypeError] for a type that
// cannot be stored, [*DuplicateError] if two share a name and revision, or a Go
// type.
func New(types ...Type) (*Registry, error) {
	r := &Registry{
		types:   slices.Clone(types),
		byName:  make(map[string][]Type, len(types)),
		byValue: make(map[reflect.Type]Type, len(types)),
	}
	for _, t := range types {
		if err := t.check(); err != nil {
			return nil, err
		}
		for _, first := range r.byName[t.name] {
			if first.revision == t.revision {
				return nil, &DuplicateError{First: first, Second: t}
			}
		}
		if first, ok := r.byValue[t.goType]; ok {
			return nil, &DuplicateError{First: first, Second: t}
		}
		r.byName[t.name] = append(r.byName[t.name], t)
		r.byValue[t.goType] = t
	}
	return r, nil
}

// Must is New for generated code, whose generator has refused duplicates before.
// It panics with New's error.
func Must(types ...Type) *Registry {
	r, err := New(types...)
	if err != nil {
		panic("typeregistry: " + err.Error())
	}
	return r
}

// ByName returns the type stored under name at revision, or an
// [*UnknownTypeError]. It does not allocate when it succeeds.
func (r *Registry) ByName(name string, revision int) (Type, error) {
	for _, t := range r.byName[name] {
		if t.revision == revision {
			return t, nil
		}
	}
	return Type{}, &UnknownTypeError{Name: name, Revision: revision, Known: r.revisions(name)}
}

// ByValue returns the type of v, whose Go type must be exactly a registered one,
// or a [*ForeignTypeError]. It does not allocate when it succeeds.
func (r *Registry) ByValue(v any) (Type, error) {
	goType := reflect.TypeOf(v)
	if t, ok := r.byValue[goType]; ok {
		return t, nil
	}
	return Type{}, r.foreign(goType)
}

// Names returns the stored names, sorted, each once.
func (r *Registry) Names() []string {
	names := make(map[string]bool, len(r.types))
	for _, t := range r.types {
		names[t.name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Types yields all types in the order in which they were given to [New].
func (r *Registry) Types() iter.Seq[Type] { return slices.Values(r.types) }

// revisions returns the known revisions of name, ascending.
func (r *Registry) revisions(name string) []int {
	var known []int
	for _, t := range r.types {
		if t.name == name {
			known = append(known, t.revision)
		}
	}
	slices.Sort(known)
	return known
}

// foreign says why goType is not registered, in words for the mistakes that the
// compiler cannot see.
func (r *Registry) foreign(goType reflect.Type) error {
	name := typeName(goType)
	foreign := func(reason string) error { return &ForeignTypeError{GoType: name, Reason: reason} }
	if goType == nil {
		return foreign("there is no event; pass a value of a registered type")
	}
	if goType.Kind() == reflect.Pointer {
		if elem := goType.Elem(); r.knows(elem) {
			return foreign("events are values; pass " + typeName(elem) + ", not " + name)
		}
	}
	if goType.Kind() == reflect.Struct {
		for f := range goType.Fields() {
			if !f.Anonymous {
				continue
			}
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			if r.knows(embedded) {
				return foreign("it only embeds the event " + typeName(embedded) + "; pass that, or make " + name + " an event of its own")
			}
		}
	}
	return foreign("it is not registered; pass an event of this family, or mark it as one and generate again")
}

func (r *Registry) knows(goType reflect.Type) bool {
	_, ok := r.byValue[goType]
	return ok
}
