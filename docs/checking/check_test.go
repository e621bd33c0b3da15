// Package checking tests the page docs/check.md: its rules are those of the command,
// its commands do what it says, and its code is run.
package checking

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/internal/pages"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

func audit(ctx context.Context, db store.Streams) error {
	report, err := es.Audit(ctx, db, bank.Types, es.AuditConfig{Categories: []string{"bank"}, Sample: 1000})
	if err != nil {
		return err
	}
	return report.Err()
}

func TestPageShowsThisCode(t *testing.T) {
	t.Parallel()
	pages.Open(t, "docs/check.md").Compiled("docs/checking/check_test.go")
	db := memory.New(memory.Config{})
	if _, err := bank.StreamOf(db, "a").Append(t.Context(), store.NoStream, bank.AccountOpened{Owner: "ada", Currency: bank.EUR}); err != nil {
		t.Fatal(err)
	}
	if err := audit(t.Context(), db); err != nil {
		t.Error(err)
	}
}

// TestPagesCommands runs the page's commands in a module that uses this one.
func TestPagesCommands(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26.0\n\nrequire github.com/esgen/esgen v0.0.0\n\ntool github.com/esgen/esgen/cmd/esgen\n\n" +
			"replace github.com/esgen/esgen => " + root + "\n",
		"bank/event.go": "package bank\n\n//esgen:event name=bank.opened\ntype Opened struct {\n\tOwner string `json:\"owner\"`\n}\n",
	}
	// The repository's own requirements, for nothing can be asked for here.
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(mod), "require (")[1:] {
		body, _, _ := strings.Cut(block, "\n)")
		files["go.mod"] += "\nrequire (" + body + "\n)\n"
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	files["go.sum"] = string(sum)
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(command string, want int) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Fatalf("%s: exit code %d, want %d\n%s", command, got, want, out)
		}
	}
	page := pages.Open(t, "docs/check.md")
	commands := page.Blocks("sh")
	run("git init -q . && go tool esgen ./...", 0)
	run(commands[0], 0)
	run(commands[1], 0)
	change := "cd bank && sed -i 's/Owner string .*/Holder *string `json:\"holder\"`/' event.go && go tool esgen && rm testdata/events/* && cd .."
	run(change, 0)
	run(commands[1], 1)
	run("cd bank && "+commands[2], 0)
	run(commands[1], 0)
}
