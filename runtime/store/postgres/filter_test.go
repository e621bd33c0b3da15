package postgres_test

import (
	"testing"

	"github.com/esgen/esgen/runtime/store"
)

// TestAMetadataKeyIsNeverSQL filters by a key that is the mark at which filters are
// put in: the next filter must not land inside its literal.
func TestAMetadataKeyIsNeverSQL(t *testing.T) {
	t.Parallel()
	s := open(t)
	const key = "/* filter */"
	e := event("x", `{}`)
	e.Metadata = []byte(`{"/* filter */": "v"}`)
	mustAppend(t, s, batch("a-1", 0, e, event("x", `{}`)))
	for _, q := range []store.Query{{Metadata: map[string]string{key: "v"}}, {Stream: "a-1", Metadata: map[string]string{key: "v"}}} {
		if all, err := collect(s.Read(t.Context(), q)); err != nil || len(all) != 1 {
			t.Errorf("%v: %d events, %v", q, len(all), err)
		}
	}
	// What follows the mark in a key runs as SQL: here it makes every event match.
	inject := map[string]string{"/* filter */' || '": "v", "z": "v"}
	if all, err := collect(s.Read(t.Context(), store.Query{Metadata: inject})); err != nil || len(all) != 0 {
		t.Errorf("%d events, %v", len(all), err)
	}
}
