package typeregistry

import (
	"reflect"
	"unsafe"
)

// boxed is how the compiler lays out an any: its type, and what it holds or, if that
// is a pointer already, the pointer. Package reflect relies on the same.
type boxed struct{ goType, data unsafe.Pointer }

// decodeAs returns what decodes into a fresh zero value of goType and returns it as
// goType, not as a pointer to it. It does so without the copy that reflect makes of a
// value that something points to: nothing points to it any more.
func decodeAs(goType reflect.Type) func(unmarshal func(dst any) error) (any, error) {
	zero := reflect.Zero(goType).Interface()
	if (*boxed)(unsafe.Pointer(&zero)).data == nil {
		return decodeCopy(goType) // an interface, or nothing but a pointer: the any would hold that
	}
	return func(unmarshal func(dst any) error) (any, error) {
		v := reflect.New(goType)
		if err := unmarshal(v.Interface()); err != nil {
			return nil, err
		}
		event := zero
		(*boxed)(unsafe.Pointer(&event)).data = v.UnsafePointer()
		return event, nil
	}
}

func decodeCopy(goType reflect.Type) func(unmarshal func(dst any) error) (any, error) {
	return func(unmarshal func(dst any) error) (any, error) {
		v := reflect.New(goType)
		if err := unmarshal(v.Interface()); err != nil {
			return nil, err
		}
		return v.Elem().Interface(), nil
	}
}
