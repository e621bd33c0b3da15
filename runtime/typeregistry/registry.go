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
	// faster than a name with a number. Aliases lead to the same.
	byName  map[string][]Type
	byValue map[reflect.Type]*Type
}

// New returns a registry of types. Errors: [*InvalidTypeError] for a type that
// cannot be stored or an upcaster that leads to no event of the registry,
// [*DuplicateError] if two share a name and revision, or a Go type.
func New(types ...Type) (*Registry, error) {
	r := &Registry{
		types:   slices.Clone(types),
		byName:  make(map[string][]Type, len(types)),
		byValue: make(map[reflect.Type]*Type, len(types)),
	}
	for i, t := range r.types {
		t = t.ready()
		r.types[i] = t
		if err := t.check(); err != nil {
			return nil, err
		}
		for _, first := range r.byName[t.name] {
			if first.revision == t.revision || first.IsGone() || t.IsGone() {
				return nil, &DuplicateError{First: first, Second: t}
			}
		}
		t = r.bound(t)
		r.byName[t.name] = append(r.byName[t.name], t)
		if t.IsUpcast() || t.IsGone() {
			continue // shapes may be shared, by events too
		}
		if first, ok := r.byValue[t.goType]; ok {
			return nil, &DuplicateError{First: *first, Second: t}
		}
		r.byValue[t.goType] = &t
	}
	for _, t := range r.types {
		if err := r.target(t); err != nil {
			return nil, err
		}
	}
	if err := r.alias(); err != nil {
		return nil, err
	}
	return r, nil
}

// alias makes what is stored under a name found under its aliases.
func (r *Registry) alias() error {
	owners := make(map[string]string)
	for _, t := range r.types {
		for _, alias := range t.aliases() {
			if owners[alias] == t.name {
				continue // of another revision
			}
			if first := r.byName[alias]; len(first) > 0 {
				return &DuplicateError{First: first[0], Second: t, Alias: alias}
			}
			owners[alias] = t.name
			r.byName[alias] = r.byName[t.name]
		}
	}
	return nil
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

// ByName returns what is stored under name, or an alias of it, at revision, or an
// [*UnknownTypeError]. It does not allocate when it succeeds.
func (r *Registry) ByName(name string, revision int) (Type, error) {
	types := r.byName[name]
	for i := range types {
		if t := &types[i]; t.revision == revision || t.revision == allRevisions {
			return *t, nil
		}
	}
	return Type{}, &UnknownTypeError{Name: name, Revision: revision, Known: r.revisions(name)}
}

// ByValue returns the type to store v as. Its Go type must be exactly a registered
// event's, or the error is a [*ForeignTypeError], and one that is not retired, or
// it is a [*RetiredTypeError]. It does not allocate when it succeeds.
func (r *Registry) ByValue(v any) (Type, error) {
	goType := reflect.TypeOf(v)
	t, ok := r.byValue[goType]
	if !ok {
		return Type{}, r.foreign(goType)
	}
	if t.more != nil && t.more.retired {
		return Type{}, &RetiredTypeError{GoType: typeName(goType), Name: t.name, Reason: t.reason()}
	}
	return *t, nil
}

// Names returns the stored names, sorted, each once, without aliases.
func (r *Registry) Names() []string {
	names := make(map[string]bool, len(r.types))
	for _, t := range r.types {
		names[t.name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Types yields all types in the order in which they were given to [New]: events,
// upcasters and names that are gone.
func (r *Registry) Types() iter.Seq[Type] { return slices.Values(r.types) }

// Stored returns the names under which events are stored that read as events of
// names: these names, their aliases, and whatever upcasts into them, sorted, each
// once. An upcaster that chooses among the events may lead to any of them. A filter
// by type has to name them all, for a store knows nothing of upcasters. A name that
// the registry does not know is kept.
func (r *Registry) Stored(names ...string) []string {
	all := make(map[string]bool, len(names))
	for _, name := range names {
		all[name] = true
	}
	given := maps.Clone(all)
	for _, t := range r.types {
		to := t.to()
		if to != nil && (to.Kind() == reflect.Interface || r.named(*r.byValue[to], given)) || r.named(t, given) {
			all[t.name] = true
			for _, other := range r.byName[t.name] {
				for _, alias := range other.aliases() {
					all[alias] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// named reports whether names hold the name of t or an alias of it.
func (r *Registry) named(t Type, names map[string]bool) bool {
	return names[t.name] || slices.ContainsFunc(t.aliases(), func(alias string) bool { return names[alias] })
}

// revisions returns the known revisions of name, ascending.
func (r *Registry) revisions(name string) []int {
	types := r.byName[name]
	if len(types) == 0 {
		return nil
	}
	known := make([]int, len(types))
	for i := range types {
		known[i] = types[i].revision
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
