package scan_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/esgen/esgen/cmd/esgen/internal/scan"
	"github.com/esgen/esgen/templates"
)

// FuzzPackages scans arbitrary source. It never panics, problems have positions,
// and a model without problems renders to Go. The scripts of the command are the
// seeds. Imports are left out, for each would start the go command.
func FuzzPackages(f *testing.F) {
	scripts, err := filepath.Glob(filepath.Join("..", "..", "testdata", "script", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		f.Fatalf("no scripts: %v", err)
	}
	for _, script := range scripts {
		archive, err := txtar.ParseFile(script)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, ".go") {
				f.Add(string(file.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "import") || strings.Contains(text, "id=") {
			return
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "fuzz.go")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := scan.Packages(t.Context(), []string{dir})
		if err != nil {
			t.Fatal(err)
		}
		p := found[0]
		for _, problem := range p.Problems {
			if problem.Position.Filename != path || problem.Position.Line < 1 || problem.Message == "" {
				t.Errorf("problem without a place: %+v", problem)
			}
		}
		if p.Model == nil {
			return
		}
		if len(p.Problems) > 0 {
			t.Error("a model in spite of problems")
		}
		generated, err := templates.Render(*p.Model)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "", generated, parser.SkipObjectResolution); err != nil {
			t.Error(err)
		}
	})
}

func TestPackagesRefuses(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	for want, dir := range map[string]string{
		"no such file":                        filepath.Join(empty, "absent"),
		"it holds no Go files":                empty,
		"read package in " + empty + ": it h": empty,
	} {
		if _, err := scan.Packages(t.Context(), []string{dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
