package serializer_test

import (
	"testing"

	"github.com/esgen/esgen/runtime/serializer"
	"github.com/esgen/esgen/runtime/serializer/serializertest"
)

// formats are all that this package has, by the name of a subtest.
var formats = map[string]serializer.Serializer{
	"json":           serializer.JSON{},
	"json standard":  serializer.JSON{Standard: true},
	"jsonb":          serializer.JSONB{},
	"jsonb standard": serializer.JSONB{Standard: true},
	"msgpack":        serializer.Msgpack{},
}

func TestContract(t *testing.T) {
	t.Parallel()
	for name, s := range formats {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serializertest.Run(t, s)
		})
	}
}
