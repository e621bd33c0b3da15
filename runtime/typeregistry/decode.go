package typeregistry

import (
	"reflect"
	"sync"
)

// place is where values of a type are decoded.
type place struct {
	value reflect.Value
	// pointer points to value.
	pointer any
}

type decoder = func(unmarshal func(dst any) error) (any, error)

// decoders are those of [decodeAs], by type: a Type that is in no registry would
// else get one for each event.
var decoders sync.Map

// decodeAs returns what decodes into a zero value of goType and returns a copy of it.
// The places are used again, so that decoding takes one allocation beside what the
// value points to.
func decodeAs(goType reflect.Type) decoder {
	known, ok := decoders.Load(goType)
	if !ok {
		known, _ = decoders.LoadOrStore(goType, newDecoder(goType))
	}
	return known.(decoder)
}

func newDecoder(goType reflect.Type) decoder {
	places := sync.Pool{New: func() any {
		pointer := reflect.New(goType)
		return &place{pointer.Elem(), pointer.Interface()}
	}}
	return func(unmarshal func(dst any) error) (any, error) {
		p := places.Get().(*place)
		if err := unmarshal(p.pointer); err != nil {
			return nil, err // what it has written goes with the place
		}
		event := p.value.Interface()
		p.value.SetZero()
		places.Put(p)
		return event, nil
	}
}
