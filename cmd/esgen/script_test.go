package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/esgen/esgen/internal/pgtest"
)

var update = flag.Bool("update", false, "rewrite the expected files of the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"esgen": main})
}

// TestScript runs the stories in testdata/script. Each is a module that uses the
// runtime of this repository, so what is generated is compiled and run.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, stories(t, "script", nil))
}

// TestScriptOnPostgres runs those that need a database, $PG, and a schema that is not
// there yet.
func TestScriptOnPostgres(t *testing.T) {
	t.Parallel()
	url, schema := pgtest.URL(t), pgtest.Schema(t)
	testscript.Run(t, stories(t, "postgres", func(env *testscript.Env) {
		env.Setenv("PG", url)
		env.Setenv("SCHEMA", schema)
	}))
}

func stories(t *testing.T, dir string, setup func(*testscript.Env)) testscript.Params {
	t.Helper()
	root := repository(t)
	return testscript.Params{
		Dir: filepath.Join("testdata", dir),
		Setup: func(env *testscript.Env) error {
			if setup != nil {
				setup(env)
			}
			return module(env, root)
		},
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"replace": replace,
			"age":     age,
			"aged":    aged,
		},
	}
}

// repository is the root of this module.
func repository(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// module completes a script's directory to a module that can be built offline.
// A script that brings a go.mod of its own writes $ROOT for the repository.
func module(env *testscript.Env, root string) error {
	file := filepath.Join(env.WorkDir, "go.mod")
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		text = []byte("module example.com/m\n\ngo 1.26.0\n\n" +
			"require github.com/esgen/esgen v0.0.0\n\nreplace github.com/esgen/esgen => $ROOT\n")
	} else if err != nil {
		return err
	}
	text = []byte(strings.ReplaceAll(string(text), "$ROOT", strconv.Quote(root)))
	if err := os.WriteFile(file, text, 0o666); err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(env.WorkDir, "go.sum"), sum, 0o666); err != nil {
		return err
	}
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		return err
	}
	caches := strings.Fields(string(out))
	env.Setenv("GOCACHE", caches[0])
	env.Setenv("GOMODCACHE", caches[1])
	env.Setenv("GOFLAGS", "-mod=mod")
	env.Setenv("GOPROXY", "off")
	env.Setenv("GOWORK", "off")
	env.Setenv("GOTOOLCHAIN", "local")
	env.Setenv("ROOT", root)
	return nil
}

// replace FILE OLD NEW changes all occurrences of a text, of which there must be
// one at least.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	text = strings.ReplaceAll(text, args[1], args[2])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o666))
}

// longAgo is a modification time that nothing gets by being written.
func longAgo() time.Time { return time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC) }

// age FILE dates a file back.
func age(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: age FILE")
	}
	ts.Check(os.Chtimes(ts.MkAbs(args[0]), longAgo(), longAgo()))
}

// aged FILE holds if the file was not written since it was dated back.
func aged(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] aged FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if info.ModTime().Equal(longAgo()) == neg {
		ts.Fatalf("%s was modified at %s", args[0], info.ModTime())
	}
}
