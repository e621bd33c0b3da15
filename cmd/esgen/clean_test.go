package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/esgen/esgen/templates"
)

// clean are the scripts whose packages are generated and looked at by the tools that
// reviewers use, and new packages besides.
var clean = []string{
	"drift_nested", "families", "good_fields", "ids", "retired", "serializers", "snapshots", "unions", "upcasts",
}

// TestOutputIsClean holds that go vet, staticcheck and gofumpt find nothing in what is
// written, as if people had written it: without the mark, by which they would pass
// over most.
func TestOutputIsClean(t *testing.T) {
	t.Parallel()
	root, dir := repository(t), t.TempDir()
	do := func(in, name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = in
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOFLAGS=-mod=mod")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	keep := func(name string, text []byte) {
		t.Helper()
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	keep("go.mod", []byte("module example.com/m\n\ngo 1.26.0\n\nrequire github.com/esgen/esgen v0.0.0\n\n"+
		"replace github.com/esgen/esgen => \""+root+"\"\n"))
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	keep("go.sum", sum)
	for _, script := range clean {
		archive, err := txtar.ParseFile(filepath.Join("testdata", "script", script+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if strings.HasSuffix(f.Name, ".go") && !strings.HasPrefix(f.Name, "want/") && !strings.HasPrefix(f.Name, "bad/") &&
				!strings.HasSuffix(f.Name, "_test.go") {
				text := strings.ReplaceAll(string(f.Data), `"example.com/m/`, `"example.com/m/`+script+"/")
				keep(script+"/"+f.Name, []byte(strings.ReplaceAll(text, "=example.com/m/", "=example.com/m/"+script+"/")))
			}
		}
	}
	esgen := filepath.Join(dir, "esgen")
	do(root, "go", "build", "-o", esgen, "./cmd/esgen")
	do(dir, esgen, "./...")
	do(dir, esgen, "new", "order")

	looked := 0
	if err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(text, []byte(templates.Marker)) {
			return err
		}
		looked++
		return os.WriteFile(path, bytes.Replace(text, []byte(templates.Marker), []byte("// Written by esgen."), 1), 0o666)
	}); err != nil {
		t.Fatal(err)
	}
	if looked < len(clean) {
		t.Errorf("only %d files were generated", looked)
	}
	do(dir, "go", "vet", "./...")
	for line := range strings.Lines(do(root, do(root, "go", "tool", "-n", "gofumpt"), "-l", "-extra", dir)) {
		if file := strings.TrimSpace(line); strings.Contains(file, ".es") || strings.HasPrefix(file, filepath.Join(dir, "order")) {
			t.Errorf("gofumpt would change %s", file)
		}
	}
	cmd := exec.CommandContext(t.Context(), do(root, "go", "tool", "-n", "staticcheck"), "-checks", "all,-ST1000", "./...")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOFLAGS=-mod=mod")
	said, err := cmd.CombinedOutput()
	if !bytes.Contains(said, []byte("ids/keys/v2/keys.go:5:6: type key is unused (U1000)")) {
		t.Errorf("staticcheck does not say what it has to say of a script: %v\n%s", err, said)
	}
	for line := range strings.Lines(string(said)) {
		file, _, _ := strings.Cut(line, ":")
		written := strings.Contains(file, ".es") || strings.HasPrefix(file, "order/") || !strings.HasSuffix(file, ".go")
		if written && !strings.Contains(line, "SA5008") { // a tag, repeated as it is
			t.Error(line)
		}
	}
}
