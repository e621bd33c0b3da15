package serializer

import (
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/esgen/esgen/runtime/serializer/msgpackwire"
)

// firstElements is how many elements are allocated for on a declared length
// alone; for more, the elements must come.
const firstElements = 64

// composite decodes a slice, array, map or struct of n elements.
func (u *unpacker) composite(n int, s *shape, v reflect.Value) *fieldError {
	switch s.class {
	case structClass:
		return u.structure(n, s, v)
	case mapClass:
		return u.mapping(n, s, v)
	case arrayClass:
		if n != v.Len() {
			return refusal(fmt.Sprintf("an array of %d elements does not fit into %s", n, s.typ))
		}
		for i := range n {
			if err := u.value(s.elem, v.Index(i)); err != nil {
				return err.within(element(i))
			}
		}
		return nil
	default: // a slice
	}
	v.Set(reflect.MakeSlice(s.typ, 0, min(n, firstElements)))
	for i := range n {
		if i == v.Cap() {
			v.Grow(min(n-i, i))
		}
		v.SetLen(i + 1)
		if err := u.value(s.elem, v.Index(i)); err != nil {
			return err.within(element(i))
		}
	}
	return nil
}

// structure expects fields in the order in which they are written, and finds them
// in any.
func (u *unpacker) structure(n int, s *shape, v reflect.Value) *fieldError {
	expected := 0
	for range n {
		name, err := u.next()
		if err != nil {
			return err
		}
		if name.Kind != msgpackwire.StringKind && name.Kind != msgpackwire.BinaryKind {
			return refusal(name.Kind.String() + " where the name of a field belongs")
		}
		var f *field
		if expected < len(s.fields) && s.fields[expected].name == string(name.Body) {
			f = &s.fields[expected]
			expected++
		} else if f = s.byName[string(name.Body)]; f != nil {
			expected = f.position + 1
		} else {
			if err := u.skip(); err != nil {
				return err.within(badName(name.Body))
			}
			continue
		}
		target, err := into(v, f.index)
		if err != nil {
			return err.within(f.name)
		}
		if err := u.value(f.shape, target); err != nil {
			return err.within(f.name)
		}
	}
	return nil
}

// badName is the path segment of a field that the type does not have.
func badName(name []byte) string {
	return entry(reflect.ValueOf(string(name)))
}

func (u *unpacker) mapping(n int, s *shape, v reflect.Value) *fieldError {
	if s.plain {
		return u.plainMapping(n, v.Addr().Convert(plainMap).Interface().(*map[string]string))
	}
	all := reflect.MakeMapWithSize(s.typ, min(n, firstElements))
	v.Set(all)
	key, elem := reflect.New(s.key.typ).Elem(), reflect.New(s.elem.typ).Elem()
	for range n {
		key.SetZero()
		elem.SetZero()
		if err := u.value(s.key, key); err != nil {
			return err
		}
		if !key.Comparable() {
			return refusal("a key that cannot be compared")
		}
		if err := u.value(s.elem, elem); err != nil {
			return err.within(entry(key))
		}
		all.SetMapIndex(key, elem)
	}
	return nil
}

// plainMapping is mapping for the most common kind of map.
func (u *unpacker) plainMapping(n int, m *map[string]string) *fieldError {
	all := make(map[string]string, min(n, firstElements))
	for range n {
		var pair [2]string
		for i := range pair {
			start := u.At
			t, err := u.next()
			if err == nil && t.Kind != msgpackwire.StringKind && t.Kind != msgpackwire.BinaryKind && t.Kind != msgpackwire.NilKind {
				err = refusal(t.Kind.String() + " does not fit into string")
			}
			if err == nil && !utf8.Valid(t.Body) {
				err = refusal(noUTF)
			}
			if err != nil {
				u.At = start
				if i == 1 {
					err = err.within(entry(reflect.ValueOf(pair[0])))
				}
				return err
			}
			pair[i] = string(t.Body)
		}
		all[pair[0]] = pair[1]
	}
	*m = all
	return nil
}
