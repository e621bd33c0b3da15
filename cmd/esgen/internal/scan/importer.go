package scan

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/gcexportdata"
)

// recursive begins what the type checker says of a type that contains itself.
const recursive = "invalid recursive type"

// unsafePath is the package that has no export data.
const unsafePath = "unsafe"

// imports are the packages that the targets of one module import.
type imports struct {
	fset   *token.FileSet
	listed map[string]listed
	// loaded also holds packages that are only half known, because export data
	// of another one mentions them.
	loaded map[string]*types.Package
	// pending guards against import cycles among packages read from source.
	pending map[string]bool
	// errors are what was wrong with packages read from source.
	errors []types.Error
	// dirs are those of the packages that may change, if known: what they hold
	// decides alone about the types.
	dirs  []string
	known bool
}

// importsOf lists the paths that files import, sorted.
func importsOf(files []*ast.File) []string {
	var paths []string
	for _, f := range files {
		for _, spec := range f.Imports {
			if path, err := strconv.Unquote(spec.Path.Value); err == nil && path != "C" && path != unsafePath && path != "" {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// load gets the export data of paths in one call of the go command.
func load(ctx context.Context, fset *token.FileSet, dir string, paths []string) (*imports, error) {
	i := &imports{
		fset:    fset,
		listed:  map[string]listed{},
		loaded:  map[string]*types.Package{},
		pending: map[string]bool{},
	}
	if len(paths) == 0 {
		i.known = true
		return i, nil
	}
	found, err := list(ctx, dir, paths)
	if err != nil {
		return nil, err
	}
	i.known = true
	for _, p := range found {
		i.listed[p.ImportPath] = p
		switch {
		case p.fixed() || p.ImportPath == unsafePath:
		case p.Error != nil || p.Export == "" || len(p.CgoFiles) > 0 || p.Dir == "":
			i.known = false
		default:
			i.dirs = append(i.dirs, p.Dir)
		}
	}
	return i, nil
}

// Import implements [types.Importer].
func (i *imports) Import(path string) (*types.Package, error) {
	if path == unsafePath {
		return types.Unsafe, nil
	}
	if p := i.loaded[path]; p != nil && p.Complete() {
		return p, nil
	}
	p, known := i.listed[path]
	switch {
	case known && p.Export != "":
		return i.exported(p)
	case known && len(p.GoFiles)+len(p.CgoFiles) > 0:
		return i.source(p)
	case known && p.Error != nil:
		return nil, errors.New(strings.TrimSpace(p.Error.Err))
	}
	return nil, fmt.Errorf("the go command does not know package %s", path)
}

// exported reads a package that compiles.
func (i *imports) exported(p listed) (*types.Package, error) {
	file, err := os.Open(p.Export)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // read only
	//nolint:staticcheck // the go command gives archives until Go 1.28; Read alone takes the later form only
	data, err := gcexportdata.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("read export data of %s: %w", p.ImportPath, err)
	}
	return gcexportdata.Read(data, i.fset, i.loaded, p.ImportPath)
}

// source type-checks a package that does not compile, mostly because what it
// needs is yet to be generated. Its types are known nevertheless.
func (i *imports) source(p listed) (*types.Package, error) {
	if i.pending[p.ImportPath] {
		return nil, fmt.Errorf("import cycle through %s", p.ImportPath)
	}
	i.pending[p.ImportPath] = true
	defer delete(i.pending, p.ImportPath)
	var files []*ast.File
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
		file, err := parser.ParseFile(i.fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if file == nil {
			return nil, err
		}
		files = append(files, file)
	}
	checked := check(i.fset, p.ImportPath, files, mapped{i, p.ImportMap}, &i.errors)
	i.loaded[p.ImportPath] = checked
	return checked, nil
}

// mapped imports for a package that the go command gives other paths, as it
// does for what the standard library vendors.
type mapped struct {
	imports *imports
	paths   map[string]string
}

func (m mapped) Import(path string) (*types.Package, error) {
	if real, ok := m.paths[path]; ok {
		path = real
	}
	return m.imports.Import(path)
}

// check type-checks declarations, not function bodies. Errors are collected:
// whoever needs a type finds it invalid.
func check(fset *token.FileSet, path string, files []*ast.File, from types.Importer, collect *[]types.Error) *types.Package {
	config := types.Config{
		Importer:                 from,
		IgnoreFuncBodies:         true,
		FakeImportC:              true,
		DisableUnusedImportCheck: true,
		// One size everywhere, so that no output depends on the machine.
		Sizes: types.SizesFor("gc", "amd64"),
		Error: func(err error) {
			e, ok := errors.AsType[types.Error](err)
			if !ok {
				return
			}
			// A tab begins what only continues the error before. Of those, the types
			// on a circle are told one by one.
			if rest, continued := strings.CutPrefix(e.Msg, "\t"); continued {
				if !strings.Contains(rest, " refers to ") {
					return
				}
				e.Msg = recursive + ": " + rest
			}
			*collect = append(*collect, e)
		},
	}
	checked, _ := config.Check(path, fset, files, nil) // each error went to Error
	return checked
}
