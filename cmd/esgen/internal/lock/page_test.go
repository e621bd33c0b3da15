package lock

import (
	"fmt"
	"strings"
	"testing"

	"github.com/esgen/esgen/internal/pages"
)

func TestPageListsTheRules(t *testing.T) {
	t.Parallel()
	var rows strings.Builder
	for _, r := range Rules() {
		warning := ""
		if r.Warning {
			warning = " (a warning)"
		}
		fmt.Fprintf(&rows, "| `%s` | %s%s |\n", r.ID, r.Purpose, warning)
	}
	if !strings.Contains(pages.Open(t, "docs/check.md").Text(), rows.String()) {
		t.Errorf("docs/check.md does not hold\n%s", rows.String())
	}
}
