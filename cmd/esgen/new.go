package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/esgen/esgen/cmd/esgen/internal/scan"
	"github.com/esgen/esgen/templates"
)

// toolPath is what the tool line of a module names.
const toolPath = "github.com/esgen/esgen/cmd/esgen"

// create is the verb new.
func create(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("esgen new", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, manual())
		return exitOK
	} else if err != nil {
		return usage(stderr, "new: "+err.Error())
	}
	if flags.NArg() != 1 {
		return usage(stderr, "new: write the directory of one package, such as esgen new order")
	}
	g := generation{stdout: stdout, stderr: stderr}
	var err error
	if g.here, err = os.Getwd(); err != nil {
		return g.fail(err)
	}
	dir := flags.Arg(0)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(g.here, dir)
	}
	name := filepath.Base(dir)
	if reason := templates.DomainProblem(name); reason != "" {
		return usage(stderr, fmt.Sprintf("new: %q %s", name, reason))
	}
	if err := g.domain(ctx, dir, name); err != nil {
		return g.fail(fmt.Errorf("new %s: %w", g.relative(dir), err))
	}
	return g.code
}

// domain writes a package with all that a domain has.
func (g *generation) domain(ctx context.Context, dir, name string) error {
	root, module, err := moduleOf(dir)
	if err != nil {
		return err
	}
	below, err := filepath.Rel(root, dir)
	if err != nil {
		return err
	}
	for step := range strings.SplitSeq(filepath.ToSlash(below), "/") {
		if unmatched(step) && step != "." {
			return fmt.Errorf("the go command passes over %s in patterns such as ./...: choose another directory", step)
		}
	}
	files, err := templates.Domain(name, path.Join(module.Module.Mod.Path, filepath.ToSlash(below)))
	if err != nil {
		return err
	}
	if err := g.free(dir, files); err != nil {
		return err
	}
	written, err := lay(dir, files)
	if err != nil {
		return errors.Join(err, undo(written))
	}
	packages, err := scan.Packages(ctx, []string{dir})
	for i := 0; err == nil && i < len(packages); i++ {
		_, err = g.one(packages[i])
	}
	if err != nil {
		return errors.Join(err, undo(written))
	}
	for _, file := range append(files, templates.File{Name: templates.FileName(name)}) {
		fmt.Fprintln(g.stdout, g.relative(filepath.Join(dir, file.Name)))
	}
	g.next(dir, module)
	return nil
}

// moduleOf finds the module that dir, which need not exist, is in.
func moduleOf(dir string) (string, *modfile.File, error) {
	for at := dir; ; {
		file := filepath.Join(at, "go.mod")
		text, err := os.ReadFile(file)
		if err == nil {
			module, err := modfile.Parse(file, text, nil)
			if err == nil && module.Module == nil {
				err = errors.New(file + " names no module: run go mod init in its directory")
			}
			return at, module, err
		}
		if !errors.Is(err, fs.ErrNotExist) && at != dir {
			return "", nil, err
		}
		parent := filepath.Dir(at)
		if parent == at {
			return "", nil, errors.New("no go.mod above it: a package is in a module; run go mod init first")
		}
		at = parent
	}
}

// free fails if anything is in the way: a directory of Go files is a package
// already.
func (g *generation) free(dir string, files []templates.File) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var there []string
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".go") || slices.ContainsFunc(files, func(f templates.File) bool { return f.Name == entry.Name() }) {
			there = append(there, entry.Name())
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("it holds %s already, and nothing is overwritten: choose another name, or remove what is there",
			strings.Join(there, ", "))
	}
	return nil
}

// lay writes files that are not there, and returns what it made, in order.
func lay(dir string, files []templates.File) (made []string, err error) {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil {
			break
		}
		made = append(made, at)
	}
	slices.Reverse(made)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return made, err
	}
	for _, f := range files {
		name := filepath.Join(dir, f.Name)
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return made, err
		}
		made = append(made, name)
		_, err = file.Write(f.Text)
		if err = errors.Join(err, file.Close()); err != nil {
			return made, err
		}
	}
	return made, nil
}

// undo removes what was made: half a package would be in the way of the next try.
func undo(made []string) error {
	var failed error
	for _, name := range slices.Backward(made) {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// next says what to do now.
func (g *generation) next(dir string, module *modfile.File) {
	tool := slices.ContainsFunc(module.Tool, func(t *modfile.Tool) bool { return t.Path == toolPath })
	pkg := "./" + filepath.ToSlash(g.relative(dir))
	if filepath.IsAbs(g.relative(dir)) {
		pkg = g.relative(dir)
	}
	fmt.Fprintln(g.stderr, "\nnext:")
	if !tool && module.Module.Mod.Path != strings.TrimSuffix(toolPath, "/cmd/esgen") {
		fmt.Fprintln(g.stderr, "\tgo get -tool "+toolPath)
	}
	fmt.Fprintln(g.stderr, "\tgo mod tidy")
	fmt.Fprintf(g.stderr, "\tgo test %s\n", pkg)
}
