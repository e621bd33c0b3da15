package typeregistry

import (
	"errors"
	"reflect"
)

// Type ties a stored name and revision to a Go type. It is immutable and safe
// for concurrent use. Make one with [Of]; the zero Type describes nothing and is
// refused by [New].
type Type struct {
	name     string
	revision int
	goType   reflect.Type
	decode   func(unmarshal func(dst any) error) (any, error)
}

// Of describes event type T, stored under name at revision. Revisions begin at 1.
// T is the struct itself, not a pointer to it. [New] checks all of this.
func Of[T any](name string, revision int) Type {
	return Type{
		name:     name,
		revision: revision,
		goType:   reflect.TypeFor[T](),
		decode: func(unmarshal func(dst any) error) (any, error) {
			var v T
			if err := unmarshal(&v); err != nil {
				return nil, err
			}
			return v, nil
		},
	}
}

// Name returns the stored name.
func (t Type) Name() string { return t.name }

// Revision returns the revision of the stored shape, from 1.
func (t Type) Revision() int { return t.revision }

// GoType returns the Go type of decoded values, or nil for the zero Type.
func (t Type) GoType() reflect.Type { return t.goType }

// Decode calls unmarshal with a pointer to a fresh zero value of the Go type and
// returns the value, not the pointer. If unmarshal fails, what it has written is
// discarded and its error is returned as it is.
func (t Type) Decode(unmarshal func(dst any) error) (any, error) {
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
	case t.goType == nil:
		return invalid("the zero Type; make types with typeregistry.Of")
	case t.name == "":
		return invalid("the stored name is empty; events are found by it for ever")
	case t.revision < 1:
		return invalid("revisions begin at 1")
	case t.goType.Kind() == reflect.Pointer:
		return invalid("a pointer; events are values, register " + typeName(t.goType.Elem()))
	case t.goType.Kind() == reflect.Interface:
		return invalid("an interface; register the types that implement it")
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
