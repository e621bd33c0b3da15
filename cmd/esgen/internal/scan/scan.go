package scan

import (
	"context"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"slices"

	"github.com/esgen/esgen/templates"
)

// Package is what one directory holds.
type Package struct {
	// Dir is the directory as it was given.
	Dir string

	// Model is what to generate. Nil if the package has no directives or has
	// problems.
	Model *templates.Package

	// Written are the base names of the files that esgen wrote earlier.
	Written []string

	// Problems stop the generation. They are sorted by position.
	Problems []Problem

	// Inputs are the directories of the Go files from which Model follows, Dir
	// first. Nil if that cannot be said.
	Inputs []string

	// Others are type errors that do not: most of them vanish with the
	// generated file.
	Others []Problem
}

// Packages scans the packages in dirs. The go command is called once for each
// module whose packages have directives and imports, and not at all if there are
// none. An error means that a directory could not be read or the go command not
// run; whatever is wrong in the source is a [Problem].
func Packages(ctx context.Context, dirs []string) ([]Package, error) {
	fset := token.NewFileSet()
	scanned := make([]*target, len(dirs))
	for i, dir := range dirs {
		s, err := read(fset, dir)
		if err != nil {
			return nil, fmt.Errorf("read package in %s: %w", dir, err)
		}
		scanned[i] = &target{source: s}
		scanned[i].interpret(s.directives())
	}
	loaded := map[string]*imports{}
	for _, root := range modules(scanned) {
		var paths []string
		for _, t := range scanned {
			if t.needsTypes() && moduleOf(t.dir) == root {
				paths = append(append(paths, importsOf(t.files)...), t.idImports()...)
			}
		}
		slices.Sort(paths)
		found, err := load(ctx, fset, root, slices.Compact(paths))
		if err != nil {
			return nil, err
		}
		loaded[root] = found
	}
	result := make([]Package, len(dirs))
	said := map[Problem]bool{} // about imports, which several packages share
	for i, t := range scanned {
		var model *templates.Package
		var others []Problem
		var inputs []string
		if t.needsTypes() {
			from := loaded[moduleOf(t.dir)]
			model = t.resolve(from)
			others = t.others(said)
			if from.known && !t.cgo() {
				inputs = append([]string{t.dir}, from.dirs...)
			}
		}
		if len(t.list) > 0 {
			model = nil
		}
		result[i] = Package{Dir: t.dir, Model: model, Written: t.ours, Inputs: inputs, Problems: ordered(t.list), Others: ordered(others)}
	}
	return result, nil
}

// modules lists the directories in which the go command has to be asked.
func modules(targets []*target) []string {
	var roots []string
	for _, t := range targets {
		if t.needsTypes() {
			roots = append(roots, moduleOf(t.dir))
		}
	}
	slices.Sort(roots)
	return slices.Compact(roots)
}

// moduleOf returns the nearest directory upwards with a go.mod, or dir itself.
func moduleOf(dir string) string {
	for at := dir; ; {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		parent := filepath.Dir(at)
		if parent == at {
			return dir
		}
		at = parent
	}
}
