package esotel_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestPageShowsThisCode holds that the Go blocks of docs/telemetry.md stand in the
// examples, which run, and that the page and the package's comment know the same
// metrics.
func TestPageShowsThisCode(t *testing.T) {
	t.Parallel()
	page := read(t, "../../docs/telemetry.md")
	flat := func(text string) string { return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(text, "") }
	examples := flat(read(t, "example_test.go"))
	blocks := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(page, -1)
	if len(blocks) == 0 {
		t.Error("docs/telemetry.md shows no code")
	}
	for _, block := range blocks {
		if !strings.Contains(examples, flat(block[1])) {
			t.Errorf("no example holds\n%s", block[1])
		}
	}
	comment := read(t, "doc.go")
	made := regexp.MustCompile(`"(esgen\.[a-z_.]+)"`).FindAllStringSubmatch(read(t, "metrics.go")+read(t, "span.go")+
		read(t, "consumption.go")+read(t, "handling.go")+read(t, "lag.go"), -1)
	if len(made) < 20 {
		t.Fatalf("found %d names in the code", len(made))
	}
	for _, name := range made {
		if !strings.Contains(comment, name[1]) {
			t.Errorf("the package's comment does not name %s", name[1])
		}
	}
	for _, name := range regexp.MustCompile("`(esgen\\.[a-z_.]+)`").FindAllStringSubmatch(page, -1) {
		if !strings.Contains(comment, name[1]) {
			t.Errorf("docs/telemetry.md names %s, which the package's comment does not", name[1])
		}
	}
	for _, name := range regexp.MustCompile(`(?m)^//\t(esgen\.[a-z_.]+) `).FindAllStringSubmatch(comment, -1) {
		if !strings.Contains(page, "`"+name[1]+"`") {
			t.Errorf("docs/telemetry.md does not tell of %s", name[1])
		}
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
