package subscribe

import (
	"reflect"
	"testing"

	"github.com/esgen/esgen/runtime/store"
)

func TestWhatIsReadIsKnownFromTheSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{
		{},
		{Stream: "bank-a 17"},
		{Stream: "bank-\"; 4 lanes by \n"},
		{Categories: []string{"bank"}},
		{Categories: []string{"a, b", "types; x", "ä"}},
	} {
		r, err := parseScope(c.settings())
		want := store.Query{Stream: c.Stream, Categories: c.Categories}
		if err != nil || !reflect.DeepEqual(r.selects, want) {
			t.Errorf("%s is read as %+v, %v", c.settings(), r, err)
		}
	}
}

func TestSettingsAreRead(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]scope{
		`$all; 4 lanes by stream`: {words: "$all"},
		`$all; types "a", "b\x3b c"; 1 lane by metadata "tenant"`: {
			words: `$all; types "a", "b\x3b c"`, selects: store.Query{Types: []string{"a", "b; c"}},
		},
		`categories "a", "b"; 2 lanes by function "x"`: {words: `categories "a", "b"`, selects: store.Query{Categories: []string{"a", "b"}}},
	} {
		if got, err := parseScope(settings); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v, %v", settings, got, err)
		}
	}
}

func TestSettingsOfAnotherReleaseAreNotGuessed(t *testing.T) {
	t.Parallel()
	for _, settings := range []string{
		"", "everything", "$allx", "$all ", "$all; ", "$all; since 2026", "stream", "stream x", `stream "a", "b"`, `stream "a`, `stream ""`,
		`categories "a",`, `categories "a"; types`, `categories "a"; types "x" "y"`, `categories "a"; 2 lanes by stream; since 2026`,
	} {
		if got, err := parseScope(settings); err == nil {
			t.Errorf("%q is read as %+v", settings, got)
		}
	}
}
