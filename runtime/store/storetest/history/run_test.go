package history_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/storetest/history"
)

func TestRunSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	sound := history.Config{Store: memory.New(memory.Config{}), Dir: t.TempDir(), Name: "p1", Ops: 1}
	if err := history.Run(t.Context(), sound); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*history.Config){
		"needs Store":    func(c *history.Config) { c.Store = nil },
		"needs Store, D": func(c *history.Config) { c.Dir = "" },
		"and Name":       func(c *history.Config) { c.Name = "" },
		// A process that takes another one's name would mix up two histories.
		"file exists": func(*history.Config) {},
		"no such":     func(c *history.Config) { c.Dir = filepath.Join(c.Dir, "missing") },
	} {
		c := sound
		change(&c)
		if err := history.Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := history.Check(sound.Dir, history.Options{}); err == nil || !strings.Contains(err.Error(), "call Finish first") {
		t.Errorf("check without a final read: %v", err)
	}
}
