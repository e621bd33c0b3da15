package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/esgen/esgen/cmd/esgen/internal/scan"
	"github.com/esgen/esgen/templates"
)

// one brings the generated files of a package up to date. It returns their digests
// by their names, or none unless the files are all as they should be.
func (g *generation) one(p scan.Package) (map[string]string, error) {
	if g.verbose {
		for _, o := range p.Others {
			o.Position.Filename = g.relative(o.Position.Filename)
			fmt.Fprintf(g.stderr, "%s: %s (outside of events)\n", o.Position, o.Message)
		}
	}
	for _, problem := range p.Problems {
		g.problem(problem)
	}
	if len(p.Problems) > 0 {
		return nil, nil
	}
	before := g.code
	g.code = exitOK // to see what this package does to it
	defer func() { g.code = max(g.code, before) }()
	wanted := map[string]string{}
	if p.Model == nil {
		if g.verbose || g.alone && len(p.Written) == 0 {
			fmt.Fprintf(g.stderr, "%s: no directives, such as //esgen:event name=…\n", g.relative(p.Dir))
		}
	} else {
		files, err := render(*p.Model)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			wanted[f.name] = of(f.text)
			if err := g.update(filepath.Join(p.Dir, f.name), f.text, slices.Contains(p.Written, f.name)); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range p.Written {
		if wanted[name] != "" || !slices.ContainsFunc(suffixes(), func(s string) bool { return strings.HasSuffix(name, s) }) {
			continue
		}
		if err := g.remove(filepath.Join(p.Dir, name)); err != nil {
			return nil, err
		}
	}
	if g.code != exitOK {
		return nil, nil
	}
	return wanted, nil
}

// file is one generated file.
type file struct {
	name string
	text []byte
}

// render writes the files of a package, in the order in which they are written to
// disk: without the codecs, the streams would not compile.
func render(p templates.Package) ([]file, error) {
	codecs, err := templates.RenderCodecs(p)
	if err != nil {
		return nil, err
	}
	streams, err := templates.Render(p)
	if err != nil {
		return nil, err
	}
	files := []file{{templates.FileName(p.Name), streams}}
	if codecs != nil {
		files = append([]file{{templates.CodecFileName(p.Name), codecs}}, files...)
	}
	if p.DriftTest {
		test, err := templates.RenderTest(p)
		if err != nil {
			return nil, err
		}
		files = append(files, file{templates.TestFileName(p.Name), test})
	}
	return files, nil
}

// suffixes end the names of files that are removed when nothing asks for them.
func suffixes() []string {
	return []string{templates.Suffix, templates.CodecSuffix, templates.TestSuffix}
}

// update makes the file hold text. It leaves one alone that esgen did not write.
func (g *generation) update(path string, text []byte, ours bool) error {
	old, err := os.ReadFile(path)
	switch {
	case err == nil && !ours:
		g.problem(scan.Problem{
			Position: token.Position{Filename: path, Line: 1, Column: 1},
			Message:  "esgen did not write this file, and will not replace it: rename it, or remove it to have it generated",
		})
		return nil
	case err == nil && bytes.Equal(old, text):
		g.say("unchanged", path)
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read %s: %w", g.relative(path), err)
	}
	if g.diff {
		return g.differs(path, old, text)
	}
	if err := write(path, text); err != nil {
		return fmt.Errorf("write %s, which is as it was: %w", g.relative(path), err)
	}
	g.say("written", path)
	return nil
}

// remove takes away a file that esgen wrote and that nothing asks for any more:
// with it, the package would go on using events that are none.
func (g *generation) remove(path string) error {
	if g.diff {
		old, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read %s: %w", g.relative(path), err)
		}
		return g.differs(path, old, nil)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove %s: %w", g.relative(path), err)
	}
	fmt.Fprintf(g.stderr, "%s: removed, for no directive asks for it any more\n", g.relative(path))
	return nil
}

// absent is the name of no file, on every system.
const absent = "/dev/null"

// differs prints what would change. An absent file is named as patch has it.
func (g *generation) differs(path string, old, text []byte) error {
	from, to := filepath.ToSlash(g.relative(path)), filepath.ToSlash(g.relative(path))
	if old == nil {
		from = absent
	}
	if text == nil {
		to = absent
	}
	g.code = max(g.code, exitProblems)
	_, err := g.stdout.Write(diff.Diff(from, old, to, text))
	return err
}

// say prints what became of a file, with -v.
func (g *generation) say(what, path string) {
	if g.verbose {
		fmt.Fprintf(g.stderr, "%s: %s\n", g.relative(path), what)
	}
}
