package scan

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/esgen/esgen/templates"
)

func base(name string) string { return filepath.Base(name) }

// source is one directory, parsed.
type source struct {
	problems
	dir  string
	name string
	// files are the package's own: no tests, nothing that esgen wrote.
	files []*ast.File
	// apart are files with directives that are tests or belong to some builds
	// only, with the reason.
	apart map[*ast.File]string
	// ours are the base names of the files that esgen wrote.
	ours []string
	// broken: the syntax is, so types cannot be relied on.
	broken bool
}

// read parses the package in dir. If no file mentions a directive, it parses
// nothing.
func read(fset *token.FileSet, dir string) (*source, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	s := &source{problems: problems{fset: fset}, dir: dir, apart: map[*ast.File]string{}}
	context := buildContext()
	type file struct {
		path, apart string
		text        []byte
	}
	var list []file
	mentioned, inhabited := false, false
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || name[0] == '_' || name[0] == '.' {
			continue
		}
		inhabited = true
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if isOurs(text) || isEmptied(name, text) {
			s.ours = append(s.ours, name)
			continue
		}
		mentions := mentions(text)
		apart := ""
		built := constraints(context, name, text)
		switch {
		case strings.HasSuffix(name, "_test.go"):
			apart = "a test file, which programs do not contain"
		case built.never:
			continue
		case !built.everywhere || !built.here:
			apart = "a file that only some builds contain"
		}
		if apart != "" && mentions {
			mentioned = true
			list = append(list, file{path: path, text: text, apart: apart})
		}
		if !built.here || strings.HasSuffix(name, "_test.go") {
			continue
		}
		mentioned = mentioned || mentions
		list = append(list, file{path: path, text: text})
	}
	if !inhabited {
		return nil, errors.New("it holds no Go files")
	}
	if !mentioned {
		return s, nil
	}
	for _, f := range list {
		parsed, err := parser.ParseFile(fset, f.path, f.text, parser.ParseComments|parser.SkipObjectResolution)
		if f.apart != "" {
			if parsed != nil {
				s.apart[parsed] = f.apart
			}
			continue
		}
		s.syntax(err)
		if parsed == nil {
			continue
		}
		if parsed.Name.Name == "" {
			continue // its first word is wrong already
		}
		if s.name == "" {
			s.name = parsed.Name.Name
		} else if s.name != parsed.Name.Name {
			s.broken = true
			s.addf(parsed.Name.Pos(), "package %s, but %s says package %s: a directory holds one package",
				parsed.Name.Name, base(s.at(s.files[0].Pos()).Filename), s.name)
		}
		s.files = append(s.files, parsed)
	}
	return s, nil
}

// isEmptied reports whether a file has the name of a generated one and nothing in it,
// as after a crash of the machine: it is written again.
func isEmptied(name string, text []byte) bool {
	return len(bytes.TrimSpace(text)) == 0 && slices.ContainsFunc([]string{templates.Suffix, templates.CodecSuffix, templates.TestSuffix},
		func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// cgo reports whether a file imports C.
func (s *source) cgo() bool {
	for _, f := range s.files {
		for _, spec := range f.Imports {
			if spec.Path.Value == `"C"` {
				return true
			}
		}
	}
	return false
}

// syntax records what the parser said.
func (s *source) syntax(err error) {
	if err == nil {
		return
	}
	s.broken = true
	if list, ok := errors.AsType[scanner.ErrorList](err); ok {
		for _, e := range list {
			s.list = append(s.list, Problem{Position: e.Pos, Message: "syntax error: " + e.Msg})
		}
		return
	}
	s.list = append(s.list, Problem{Message: err.Error()})
}

// isOurs reports whether esgen wrote the file: its marker stands before the
// package clause.
func isOurs(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		if string(line) == templates.Marker {
			return true
		}
		if bytes.HasPrefix(line, []byte("package ")) {
			return false
		}
	}
	return false
}

// mentions reports whether text may hold a directive or what was meant as one.
// It is a coarse sieve, so that packages without directives cost next to nothing.
func mentions(text []byte) bool {
	for rest := text; ; {
		i := bytes.IndexByte(rest, ':')
		if i < 0 {
			break
		}
		before := bytes.TrimRight(rest[:i], " \t")
		if n := len(before); n >= len(tool) && strings.EqualFold(string(before[n-len(tool):]), tool) {
			return true
		}
		rest = rest[i+1:]
	}
	for rest := text; ; {
		i := bytes.Index(rest, []byte(tool))
		if i < 0 {
			return false
		}
		if rest = rest[i+len(tool):]; len(rest) > 0 && strings.IndexByte(notColon, rest[0]) >= 0 {
			return true
		}
	}
}
