package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/esgen/esgen/internal/pages"
)

// What the page about new packages and the catalogue tells to type is what scripts
// run.
func TestCataloguePage(t *testing.T) {
	t.Parallel()
	page := pages.Open(t, "docs/catalogue.md")
	page.Compiled("cmd/esgen/testdata/script/drift_nested.txtar")
	var scripts strings.Builder
	for _, name := range []string{"docs", "new"} {
		text, err := os.ReadFile(filepath.Join("testdata", "script", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		scripts.Write(text)
	}
	for _, block := range page.Blocks("sh") {
		for line := range strings.Lines(block) {
			if run := "exec " + strings.TrimPrefix(strings.TrimSpace(line), "go tool ") + "\n"; !strings.Contains(scripts.String(), run) {
				t.Errorf("no script runs %q", run)
			}
		}
	}
}
