package ownstore_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPageShowsThisCode holds docs/own-store.md against the files beside this
// one: its Go blocks are store.go, cut at empty lines, and at last store_test.go.
func TestPageShowsThisCode(t *testing.T) {
	t.Parallel()
	found := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(read(t, "../own-store.md"), -1)
	blocks := make([]string, len(found))
	for i, block := range found {
		blocks[i] = block[1]
	}
	if len(blocks) < 2 {
		t.Fatalf("docs/own-store.md has %d Go blocks", len(blocks))
	}
	last := len(blocks) - 1
	if diff := cmp.Diff(read(t, "store.go"), strings.Join(blocks[:last], "\n")); diff != "" {
		t.Errorf("docs/own-store.md shows another store.go (-file +page):\n%s", diff)
	}
	if diff := cmp.Diff(read(t, "store_test.go"), blocks[last]); diff != "" {
		t.Errorf("docs/own-store.md shows another store_test.go (-file +page):\n%s", diff)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
