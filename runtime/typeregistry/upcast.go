package typeregistry

import (
	"fmt"
	"reflect"
	"runtime"
)

// upcast calls up and makes an error of a panic: the author's code must not end a
// program over a stored event.
func upcast[V, E any](up func(V) (E, error), v V) (event any, err error) {
	defer func() {
		r := recover()
		switch r := r.(type) {
		case nil:
		case runtime.Error:
			err = fmt.Errorf("it panicked: %w", r)
		default:
			err = fmt.Errorf("it panicked: %v", r)
		}
	}()
	e, err := up(v)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// bound returns t so that what its upcaster returns is held against the registry:
// an interface lets pointers to events pass.
func (r *Registry) bound(t Type) Type {
	if to := t.to(); to == nil || to.Kind() != reflect.Interface {
		return t
	}
	decode := t.decode
	t.decode = func(unmarshal func(dst any) error) (any, error) {
		e, err := decode(unmarshal)
		if err != nil || e == nil {
			return nil, err
		}
		if goType := reflect.TypeOf(e); !r.knows(goType) {
			return nil, &UpcastError{Name: t.name, Revision: t.revision, Err: r.foreign(goType)}
		}
		return e, nil
	}
	return t
}

// target returns an [*InvalidTypeError] unless what an upcaster returns is an event
// of the registry.
func (r *Registry) target(t Type) error {
	to := t.to()
	if to == nil || to.Kind() == reflect.Interface || r.knows(to) {
		return nil
	}
	return &InvalidTypeError{
		Name: t.name, Revision: t.revision, GoType: typeName(t.goType),
		Reason: "its upcaster returns " + typeName(to) + ", which is no event of this registry",
	}
}
