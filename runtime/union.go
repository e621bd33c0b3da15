package runtime

import (
	"errors"
	"fmt"
	"strings"
)

// UnionError tells that a union does not hold one of the members that it was
// declared with: the interface has an implementation that is no member, or what is
// stored holds none that this binary knows, or several.
type UnionError struct {
	// Field leads to the union: "Order.Payment". Empty if it is the value itself.
	Field string
	// Union is the name of the interface, and Members are what is stored for its
	// implementations.
	Union   string
	Members []string
	// GoType is the value's type, or empty for what is stored.
	GoType string
}

func (e *UnionError) Error() string {
	field := ""
	if e.Field != "" {
		field = "field " + e.Field + ": "
	}
	members := strings.Join(e.Members, ", ")
	if e.GoType == "" {
		return fmt.Sprintf("%s%s: what is stored does not hold exactly one of %s; deploy a binary that knows what it holds",
			field, e.Union, members)
	}
	return fmt.Sprintf("%s%s: %s is no member of it; pass one of %s, or mark the type with //esgen:member name=… and generate again",
		field, e.Union, e.GoType, members)
}

// NoMember returns the [*UnionError] of a value, or of what is stored if v is nil,
// for generated code.
func NoMember(union string, v any, members ...string) error {
	goType := ""
	if v != nil {
		goType = fmt.Sprintf("%T", v)
	}
	return &UnionError{Union: union, Members: members, GoType: goType}
}

// InField returns err with the field that it is about, for generated code.
func InField(name string, err error) error {
	e, ok := errors.AsType[*UnionError](err)
	if !ok {
		return err
	}
	inner := *e
	if inner.Field != "" && inner.Field[0] != '[' {
		name += "."
	}
	inner.Field = name + inner.Field
	return &inner
}

// Several reports whether more than one of set is true, for generated code.
func Several(set ...bool) bool {
	n := 0
	for _, is := range set {
		if is {
			n++
		}
	}
	return n > 1
}

// ConvertPointer converts what v points to, for generated code. Nil stays nil.
func ConvertPointer[V, W any](v *V, convert func(V) (W, error)) (*W, error) {
	if v == nil {
		return nil, nil //nolint:nilnil // a nil pointer is a value
	}
	w, err := convert(*v)
	return &w, err
}

// ConvertSlice converts the elements of v, for generated code. Nil stays nil.
func ConvertSlice[V, W any](v []V, convert func(V) (W, error)) ([]W, error) {
	if v == nil {
		return nil, nil
	}
	list := make([]W, len(v))
	for i := range v {
		w, err := convert(v[i])
		if err != nil {
			return nil, InField(fmt.Sprintf("[%d]", i), err)
		}
		list[i] = w
	}
	return list, nil
}

// ConvertMap converts the values of v, for generated code. Nil stays nil.
func ConvertMap[K comparable, V, W any](v map[K]V, convert func(V) (W, error)) (map[K]W, error) {
	if v == nil {
		return nil, nil
	}
	all := make(map[K]W, len(v))
	for key, value := range v {
		w, err := convert(value)
		if err != nil {
			return nil, InField(fmt.Sprintf("[%v]", key), err)
		}
		all[key] = w
	}
	return all, nil
}
