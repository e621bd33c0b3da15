package templates

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"go/token"
	gotypes "go/types"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

//go:embed domain/*.tmpl
var domain embed.FS

// File is a file to be written.
type File struct {
	// Name is its base name.
	Name string
	// Text is what it holds.
	Text []byte
}

// spoken are names that the files of a new package give to something else.
var spoken = []string{
	// Types, and functions of the generated file.
	"applier", "closed", "decision", "event", "fold", "handler", "ignore", "meta", "on", "opened", "recorded", "renamed",
	"stream", "subscribe", "titles", "types",
	// Packages and variables, which hide a package of that name.
	contextPath, "ctx", "db", "decide", "decisions", "ended", "err", "errors", "es", "estest", "id", "memory", "open", "reason",
	"stop", "store", "story", "sub", "sync", "t", "testing", "title",
	// What the go command takes for something else.
	"internal", "main", "testdata", "vendor",
}

// DomainProblem says why [Domain] cannot make a package of a name, or nothing.
func DomainProblem(name string) string {
	switch {
	case !regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString(name):
		return "is not a lower-case word: write letters and digits only, such as order"
	case token.IsKeyword(name) || gotypes.Universe.Lookup(name) != nil:
		return "is a word of Go: write another, such as order"
	case slices.Contains(spoken, name):
		return "has another meaning in the files of the package: write another word, such as order"
	}
	return ""
}

// Domain returns the files of a new package with events, state, decisions, a
// projection and their tests, without the file that is generated from them. The
// name is that of the package, a lower-case word, and path its import path. An
// error is a defect: names that are not Go.
func Domain(name, path string) ([]File, error) {
	state := strings.ToUpper(name[:1]) + name[1:]
	receiver := name[:1]
	if receiver == "e" || receiver == "m" { // parameters have these names
		receiver = "s"
	}
	data := struct{ Package, Path, A, State, Receiver string }{
		Package: name, Path: path, A: article(name), State: state, Receiver: receiver,
	}
	parsed, err := template.ParseFS(domain, "domain/*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("read the files of a new package: %w", err)
	}
	entries, err := fs.ReadDir(domain, "domain")
	if err != nil {
		return nil, fmt.Errorf("read the files of a new package: %w", err)
	}
	files := make([]File, 0, len(entries))
	for _, entry := range entries {
		var text bytes.Buffer
		if err := parsed.ExecuteTemplate(&text, entry.Name(), data); err != nil {
			return nil, fmt.Errorf("write %s of package %s: %w", entry.Name(), name, err)
		}
		formatted, err := format.Source(text.Bytes())
		if err != nil {
			return nil, fmt.Errorf("write %s of package %s: %w", entry.Name(), name, err)
		}
		files = append(files, File{Name: strings.TrimSuffix(entry.Name(), ".tmpl"), Text: formatted})
	}
	return files, nil
}
