package typeregistry

import (
	"errors"
	"reflect"
	"slices"
)

// Type ties a stored name and revision to a Go type. It is immutable and safe
// for concurrent use. Make one with [Of], [Union], [Upcast] or [Gone]; the zero
// Type describes nothing and is refused by [New].
type Type struct {
	name     string
	revision int
	// event is what [Of] was given; ready turns it into the next two.
	event  any
	goType reflect.Type
	decode func(unmarshal func(dst any) error) (any, error)
	// more is nil for most types, so that a Type is quickly copied.
	more *more
}

// allRevisions is the revision of a name that is gone.
const allRevisions = 0

// more is what few types have. It is never changed: types share it.
type more struct {
	// stored turns an event into what is encoded. Nil if that is the event.
	stored  func(event any) (any, error)
	aliases []string
	retired bool
	reason  string
	// to is what an upcaster returns. Nil for events.
	to reflect.Type
}

// with returns t with a changed copy of what few types have.
func (t Type) with(change func(*more)) Type {
	var m more
	if t.more != nil {
		m = *t.more
	}
	change(&m)
	t.more = &m
	return t
}

// to is what an upcaster returns. Nil for events.
func (t Type) to() reflect.Type {
	if t.more == nil {
		return nil
	}
	return t.more.to
}

// aliases are shared with the type.
func (t Type) aliases() []string {
	if t.more == nil {
		return nil
	}
	return t.more.aliases
}

// reason is what the author says about a retired name.
func (t Type) reason() string {
	if t.more == nil {
		return ""
	}
	return t.more.reason
}

// Of describes the Go type of event, whose value does not matter, stored under name
// at revision. Revisions begin at 1. It is the struct itself, not a pointer to it.
// [New] checks all of this.
//
// It does so little that the compiler makes no function and no call of it: a
// function per event, by a type parameter, was half of the time that a package of
// hundreds took to compile.
func Of(event any, name string, revision int) Type {
	return Type{name: name, revision: revision, event: event}
}

// ready returns t with what [Of] leaves to the registry.
func (t Type) ready() Type {
	if t.event != nil && t.goType == nil {
		t.goType = reflect.TypeOf(t.event)
		t.decode = decodeAs(t.goType)
	}
	return t
}

// Union describes event type T whose fields hold unions: interfaces, of which a
// serializer could not tell what to read. S is the same data in structs alone; store
// and load lead from one to the other. They fail on a value that is no member of
// its union. Otherwise it is as [Of].
func Union[T, S any](name string, revision int, store func(T) (S, error), load func(S) (T, error)) Type {
	return Type{
		name:     name,
		revision: revision,
		goType:   reflect.TypeFor[T](),
		more:     &more{stored: func(event any) (any, error) { return store(event.(T)) }},
		decode: func(unmarshal func(dst any) error) (any, error) {
			var s S
			if err := unmarshal(&s); err != nil {
				return nil, err
			}
			v, err := load(s)
			if err != nil {
				return nil, err
			}
			return v, nil
		},
	}
}

// Upcast describes what was stored under name at revision in the shape of V, which
// need not be an event. up leads from it to an event: to E if that is one, or to
// whichever of the events that implement the interface E. A nil event means that
// what was stored is no longer an event, and is passed over.
//
// An error or a panic of up is the [*UpcastError] of [Type.Decode].
func Upcast[V, E any](name string, revision int, up func(V) (E, error)) Type {
	return Type{
		name:     name,
		revision: revision,
		goType:   reflect.TypeFor[V](),
		more:     &more{to: reflect.TypeFor[E]()},
		decode: func(unmarshal func(dst any) error) (any, error) {
			var v V
			if err := unmarshal(&v); err != nil {
				return nil, err
			}
			e, err := upcast(up, v)
			if err != nil {
				return nil, &UpcastError{Name: name, Revision: revision, Err: err}
			}
			return e, nil
		},
	}
}

// Gone describes a name, at all revisions, whose events are passed over. Reason is
// what the author says about it, or empty. The name is never given to another event.
func Gone(name, reason string) Type {
	return Type{
		name: name, revision: allRevisions, more: &more{retired: true, reason: reason},
		decode: func(func(dst any) error) (any, error) { return nil, nil }, //nolint:nilnil // no event, and that is right
	}
}

// Alias returns the type with further names under which it was stored, at any
// revision. They are read only.
func (t Type) Alias(names ...string) Type {
	return t.with(func(m *more) { m.aliases = slices.Concat(m.aliases, names) })
}

// Retire returns the type as one that is read and not appended any more. Reason is
// what the author says about it, or empty.
func (t Type) Retire(reason string) Type {
	return t.with(func(m *more) { m.retired, m.reason = true, reason })
}

// Name returns the stored name.
func (t Type) Name() string { return t.name }

// Revision returns the revision of the stored shape, from 1, or 0 of a [Gone] name,
// which stands for all.
func (t Type) Revision() int { return t.revision }

// GoType returns the Go type that is decoded: the event's, or the shape that an
// upcaster begins with. Nil for the zero Type and for a [Gone] name.
func (t Type) GoType() reflect.Type { return t.ready().goType }

// Aliases returns the further names under which it was stored.
func (t Type) Aliases() []string { return slices.Clone(t.aliases()) }

// IsRetired reports whether events of the type are no longer appended.
func (t Type) IsRetired() bool { return t.more != nil && t.more.retired }

// IsUpcast reports whether the type leads to an event and is none itself.
func (t Type) IsUpcast() bool { return t.to() != nil }

// IsGone reports whether events of the name are passed over.
func (t Type) IsGone() bool { return t.goType == nil && t.event == nil && t.IsRetired() }

// Stored returns what is to be encoded for event, which is of the Go type: the event
// itself, unless it holds a union. It fails on a value that is no member of its
// union.
func (t Type) Stored(event any) (any, error) {
	if t.more == nil || t.more.stored == nil {
		return event, nil
	}
	return t.more.stored(event)
}

// Decode calls unmarshal with a pointer to a zero value of what is stored, which is
// used again later and must not be kept, and returns the event, not a pointer to it: for an upcaster the one that it leads to.
// Nil means that what is stored is no longer an event. If unmarshal fails, what it
// has written is discarded and its error is returned as it is; what an upcaster
// says is an [*UpcastError].
func (t Type) Decode(unmarshal func(dst any) error) (any, error) {
	t = t.ready()
	if t.decode == nil && t.name != "" {
		return nil, &InvalidTypeError{Name: t.name, Revision: t.revision, Reason: "there is no event; pass a value of its type"}
	}
	if t.decode == nil {
		return nil, errors.New("decode an event: the zero Type describes no Go type; take types from a Registry")
	}
	return t.decode(unmarshal)
}

// check returns an [*InvalidTypeError] unless t can be registered.
func (t Type) check() error {
	invalid := func(reason string) error {
		return &InvalidTypeError{Name: t.name, Revision: t.revision, GoType: typeName(t.goType), Reason: reason}
	}
	switch {
	case t.decode == nil && t.name == "" && t.revision == 0:
		return invalid("the zero Type; make types with typeregistry.Of")
	case t.decode == nil:
		return invalid("there is no event; pass a value of its type")
	case t.name == "":
		return invalid("the stored name is empty; events are found by it for ever")
	case t.IsGone():
		return nil
	case t.revision < 1:
		return invalid("revisions begin at 1")
	case t.goType.Kind() == reflect.Pointer:
		return invalid("a pointer; events are values, register " + typeName(t.goType.Elem()))
	case t.goType.Kind() == reflect.Interface:
		return invalid("an interface; register the types that implement it")
	case slices.Contains(t.aliases(), ""):
		return invalid("an alias is empty; write the name that is stored")
	}
	return nil
}

// typeName is how errors name a Go type: "bank.AccountOpened".
func typeName(t reflect.Type) string {
	if t == nil {
		return "nil"
	}
	return t.String()
}
