package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/esgen/esgen/cmd/esgen/internal/scan"
)

// generation is one run of the verb gen.
type generation struct {
	diff, verbose  bool
	stdout, stderr io.Writer
	// here is the working directory, which printed names are relative to.
	here string
	// alone: one package was asked for, so nobody means to pass it over.
	alone bool

	code int
}

// generate is the verb gen.
func generate(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	g := generation{stdout: stdout, stderr: stderr}
	flags := flag.NewFlagSet("esgen", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&g.diff, "diff", false, "")
	flags.BoolVar(&g.verbose, "v", false, "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, manual())
		return exitOK
	} else if err != nil {
		return usage(stderr, err.Error())
	}
	var err error
	if g.here, err = os.Getwd(); err != nil {
		return g.fail(err)
	}
	dirs, err := directories(ctx, g.here, flags.Args())
	if err != nil {
		g.fail(err)
		if slices.ContainsFunc(flags.Args(), isWord) {
			fmt.Fprintln(stderr, hint)
		}
		return g.code
	}
	g.alone = len(dirs) == 1
	if err := g.all(ctx, dirs); err != nil {
		g.fail(err)
	}
	return g.code
}

// all brings the packages up to date, and passes over those that have not changed
// since a run found them so.
func (g *generation) all(ctx context.Context, dirs []string) error {
	type recalled struct {
		memory
		digest string
	}
	m := &memories{}
	if !g.verbose { // which has more to say than is remembered
		m = remember()
	}
	before := map[string]recalled{}
	var changed []string
	for _, dir := range dirs {
		kept, digest, unchanged := m.recall(dir)
		if unchanged {
			continue
		}
		before[dir] = recalled{kept, digest}
		changed = append(changed, dir)
	}
	packages, err := scan.Packages(ctx, changed)
	if err != nil {
		return err
	}
	m.forget()
	for _, p := range packages {
		outputs, err := g.one(p)
		if err != nil {
			g.fail(err)
		} else if p.Inputs != nil && len(outputs) > 0 {
			was := before[p.Dir]
			m.keep(p.Dir, was.memory, was.digest, p.Inputs, outputs)
		}
	}
	return nil
}

// directories turns arguments into directories. Plain directories are not worth
// asking the go command for.
func directories(ctx context.Context, here string, args []string) ([]string, error) {
	if len(args) == 0 {
		return []string{here}, nil
	}
	var dirs, patterns []string
	for _, arg := range args {
		path := arg
		if !filepath.IsAbs(path) {
			path = filepath.Join(here, arg)
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() && isPath(arg) {
			dirs = append(dirs, path)
		} else {
			patterns = append(patterns, arg)
		}
	}
	if len(patterns) > 0 {
		matched, err := scan.Match(ctx, here, patterns)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, matched...)
	}
	seen := map[string]bool{}
	unique := dirs[:0]
	for _, dir := range dirs {
		if !seen[dir] {
			seen[dir] = true
			unique = append(unique, dir)
		}
	}
	return unique, nil
}

// isPath reports whether the go command too would take arg for a directory.
func isPath(arg string) bool {
	return filepath.IsAbs(arg) || arg == "." || arg == ".." || len(arg) > 1 && arg[:2] == "./" || len(arg) > 2 && arg[:3] == "../"
}

// isWord reports whether arg may be meant for a verb that esgen does not have,
// and was taken for a package of the standard library.
func isWord(arg string) bool { return !strings.ContainsAny(arg, "./\\") }

// fail reports that a tool or file could not be used.
func (g *generation) fail(err error) int {
	fmt.Fprintf(g.stderr, "esgen: %s\n", err)
	g.code = exitTool
	return exitTool
}

// problem prints what the author has to change.
func (g *generation) problem(p scan.Problem) {
	at := p.Position
	if at.Filename != "" {
		at.Filename = g.relative(at.Filename)
	}
	fmt.Fprintf(g.stderr, "%s: %s\n", at, p.Message)
	g.code = max(g.code, exitProblems)
}

// relative shortens a path below the working directory.
func (g *generation) relative(path string) string {
	short, err := filepath.Rel(g.here, path)
	if err != nil || !filepath.IsLocal(short) && len(short) > len(path) {
		return path
	}
	return short
}
