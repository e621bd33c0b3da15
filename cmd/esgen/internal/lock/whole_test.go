package lock

import (
	"strings"
	"testing"
)

// TestALockThatWasCutIsRefused: what is not there could not be compared, and a change
// of it would pass.
func TestALockThatWasCutIsRefused(t *testing.T) {
	t.Parallel()
	const (
		head       = `{"format": 1, "package": "bank", "families": [], "events": [{"name": "bank.opened", "revision": 1, "family": "bank", "go": "Opened", "fields": [{"name": "in", "go": "In", "type": `
		tail       = `}]}]`
		definition = `, "definitions": [{"name": "#Money@1a2b3c4d", "fields": [{"name": "cents", "go": "Cents", "type": "int64"}]}]`
	)
	for _, c := range []struct{ name, data, want string }{
		{"whole", head + `"array<#Money@1a2b3c4d>"` + tail + definition + "}", ""},
		{"a type", head + `"array"` + tail + definition + "}", `the type "array" of bank.opened@1/in is none`},
		{"a definition", head + `"array<#Money@1a2b3c4d>"` + tail + "}", `the definition of "array<#Money@1a2b3c4d>" of bank.opened@1/in is gone`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(c.data))
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
