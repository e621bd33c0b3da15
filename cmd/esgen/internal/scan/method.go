package scan

import "go/types"

// methods are the marshaling methods of a type.
type methods struct {
	// value holds those that a value has, pointer those that a pointer has.
	value, pointer map[string]bool
	// promoted holds those that come from an embedded field, by its name.
	promoted map[string]string
}

// The methods that serializers of JSON call.
const (
	marshalJSON   = "MarshalJSON"
	unmarshalJSON = "UnmarshalJSON"
	marshalText   = "MarshalText"
	unmarshalText = "UnmarshalText"
)

// marshaling lists the methods that serializers call instead of looking at fields.
func marshaling() []string {
	return []string{
		marshalJSON, unmarshalJSON, marshalText, unmarshalText, "MarshalBinary",
		"EncodeMsgpack", "DecodeMsgpack", "MarshalMsgpack", "UnmarshalMsgpack",
	}
}

func methodsOf(t types.Type) methods {
	m := methods{value: map[string]bool{}, pointer: map[string]bool{}, promoted: map[string]string{}}
	for _, name := range marshaling() {
		object, index, _ := types.LookupFieldOrMethod(t, true, nil, name)
		method, ok := object.(*types.Func)
		if !ok || !hasForm(name, method.Type().(*types.Signature)) {
			continue
		}
		m.pointer[name] = true
		if onValue, _, _ := types.LookupFieldOrMethod(t, false, nil, name); onValue != nil {
			m.value[name] = true
		}
		if len(index) > 1 {
			if s, ok := t.Underlying().(*types.Struct); ok {
				m.promoted[name] = s.Field(index[0]).Name()
			}
		}
	}
	return m
}

// hasForm reports whether a method is the one that serializers look for, by its
// number of parameters and results.
func hasForm(name string, s *types.Signature) bool {
	switch name {
	case marshalJSON, marshalText, "MarshalBinary", "MarshalMsgpack":
		return s.Params().Len() == 0 && s.Results().Len() == 2
	default:
		return s.Params().Len() == 1 && s.Results().Len() == 1
	}
}

// opaque reports whether serializers leave the type to its own methods, or why
// they could not both write and read it. addressable says whether a pointer to
// the value can be had: events are stored from values.
func (m methods) opaque(addressable bool) (bool, string) {
	for _, pair := range [][2]string{{marshalJSON, unmarshalJSON}, {marshalText, unmarshalText}} {
		write, read := pair[0], pair[1]
		switch {
		case m.pointer[write] && !m.pointer[read]:
			return false, "has " + write + " but no " + read + ", so it could not be read back: add it on the pointer"
		case !m.pointer[write]:
			continue
		case !m.value[write] && !addressable:
			return false, "has " + write + " on the pointer only, and is stored by value: declare it on the value, or use a pointer"
		}
		return true, ""
	}
	return false, ""
}
