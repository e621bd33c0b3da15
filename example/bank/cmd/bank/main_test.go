package main

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// TestMain lets the stories run this test binary as the program bank.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"bank": func() { os.Exit(start()) }})
}

type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestStories runs what a user types, and compares what the user sees.
func TestStories(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE") != "",
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"untimed": untimed},
	})
}

var elapsed = regexp.MustCompile(` in [0-9.]+m?s, [0-9 ]+ a second`)

// untimed writes the standard output of the last command to a file, without how
// long it took.
func untimed(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: untimed FILE")
	}
	text := elapsed.ReplaceAllString(ts.ReadFile("stdout"), " in a moment")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
