package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/esgen/esgen/cmd/esgen/internal/lock"
)

// Every rule has a change that the command refuses, or warns of, and one that it lets pass.
func TestEveryRuleIsInAScript(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "script", "check_rules.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	script, _, _ := strings.Cut(string(text), "\n-- ")
	stories := map[string]string{}
	for story := range strings.SplitSeq(script, "\n\n# ") {
		id, body, _ := strings.Cut(story, "\n")
		stories[id] = body
	}
	for _, r := range lock.Rules() {
		found := `(?m)^stdout '\^account\.go:.* ` + r.ID + `:`
		if r.Warning {
			found = `(?m)^stdout '\^account\.go:.* warning ` + r.ID + `:`
		}
		story := stories[r.ID]
		if !regexp.MustCompile(found).MatchString(story) || !regexp.MustCompile(`(?m)^exec esgen check.*\n! stdout `+r.ID+`$`).MatchString(story) {
			t.Errorf("check_rules.txtar does not tell how %s is broken, and how it is not", r.ID)
		}
	}
}
