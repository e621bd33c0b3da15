package main

import (
	"bytes"
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
	"strconv"
	"strings"

	"github.com/esgen/esgen/cmd/esgen/internal/catalog"
	"github.com/esgen/esgen/cmd/esgen/internal/scan"
)

// describe is the verb docs.
func describe(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	g := generation{stdout: stdout, stderr: stderr}
	flags := flag.NewFlagSet("esgen docs", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	out := flags.String("o", filepath.Join("docs", "events"), "")
	title := flags.String("title", "", "")
	flags.BoolVar(&g.diff, "diff", false, "")
	flags.BoolVar(&g.verbose, "v", false, "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, manual())
		return exitOK
	} else if err != nil {
		return usage(stderr, "docs: "+err.Error())
	}
	var err error
	if g.here, err = os.Getwd(); err != nil {
		return g.fail(err)
	}
	dirs, err := directories(ctx, g.here, flags.Args())
	if err != nil {
		return g.fail(err)
	}
	packages, err := scan.Packages(ctx, dirs)
	if err != nil {
		return g.fail(err)
	}
	if err := g.describe(ctx, packages, *title, *out); err != nil {
		return g.fail(fmt.Errorf("docs: %w", err))
	}
	return g.code
}

// describe brings the catalogue in the directory out up to date.
func (g *generation) describe(ctx context.Context, packages []scan.Package, title, out string) error {
	var list []catalog.Package
	places := map[string]string{}
	for _, p := range packages {
		for _, problem := range p.Problems {
			g.problem(problem)
		}
		if p.Model == nil {
			continue
		}
		importPath, err := scan.ImportPath(p.Dir)
		if err != nil {
			return err
		}
		list = append(list, catalog.Package{Path: importPath, Model: p.Model})
		places[importPath] = p.Dir
	}
	if g.code != exitOK {
		return nil
	}
	if len(list) == 0 {
		return errors.New("no package with events: name packages with directives such as //esgen:event name=…, or ./... for all")
	}
	if title == "" {
		title = list[0].Path
		for _, p := range list[1:] {
			title = common(title, p.Path)
		}
	}
	uses, err := scan.Uses(ctx, packages)
	if err != nil {
		return err
	}
	files, err := catalog.Files(title, list, uses, func(p catalog.Package, name string, revision int) []byte {
		return sample(places[p.Path], name, revision)
	})
	if err != nil {
		return err
	}
	if !filepath.IsAbs(out) {
		out = filepath.Join(g.here, out)
	}
	var wanted []string
	for _, f := range files {
		file := filepath.Join(out, filepath.FromSlash(f.Name))
		wanted = append(wanted, file)
		if !g.diff {
			if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
				return err
			}
		}
		if err := g.update(file, f.Text, isCatalog(file)); err != nil {
			return err
		}
	}
	return g.sweep(out, wanted)
}

// common is the longest path that leads to both.
func common(a, b string) string {
	for a != b && a != "." {
		if len(a) > len(b) {
			a = path.Dir(a)
		} else {
			b = path.Dir(b)
		}
	}
	return a
}

// sampleName writes a stored name as those who keep samples do.
var sampleName = strings.NewReplacer("%", "%25", "/", "%2F", ":", "%3A", "@", "%40")

// sample is the event that is kept beside the package as an example, if any.
func sample(dir, name string, revision int) []byte {
	text, err := os.ReadFile(filepath.Join(dir, "testdata", "events", sampleName.Replace(name)+"@"+strconv.Itoa(revision)+".json"))
	if err != nil {
		return nil
	}
	return text
}

// isCatalog reports whether esgen wrote the file as part of a catalogue.
func isCatalog(file string) bool {
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	return bytes.Contains(text[:min(len(text), 400)], []byte(catalog.Marker))
}

// sweep removes what an earlier run wrote and this one did not: the page of a
// family or the schema of a revision that is no more.
func (g *generation) sweep(out string, wanted []string) error {
	for _, dir := range []string{out, filepath.Join(out, "schema")} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, entry := range entries {
			file := filepath.Join(dir, entry.Name())
			if entry.IsDir() || slices.Contains(wanted, file) || !isCatalog(file) {
				continue
			}
			if err := g.remove(file); err != nil {
				return err
			}
		}
	}
	return nil
}
