package ownstore_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPageShowsThisCode holds docs/own-store.md against the files beside this
// one: every Go block of the page is a whole file, named in the line before it.
func TestPageShowsThisCode(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../own-store.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^`ownstore/([a-z_]+\\.go)`:\n\n```go\n(.*?)^```$").FindAllSubmatch(page, -1)
	shown := map[string]bool{}
	for _, block := range blocks {
		name := string(block[1])
		shown[name] = true
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(file), string(block[2])); diff != "" {
			t.Errorf("docs/own-store.md shows another %s (-file +page):\n%s", name, diff)
		}
	}
	if all := regexp.MustCompile("(?m)^```go$").FindAll(page, -1); len(all) != len(blocks) {
		t.Errorf("docs/own-store.md has %d Go blocks, of which only %d are named files", len(all), len(blocks))
	}
	for _, name := range []string{"store.go", "append.go", "read.go", "checkpoint.go", "store_test.go"} {
		if !shown[name] {
			t.Errorf("docs/own-store.md does not show %s", name)
		}
	}
}
