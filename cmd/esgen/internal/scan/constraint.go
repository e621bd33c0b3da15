package scan

import (
	"bytes"
	"go/build"
	"go/build/constraint"
	"io"
	"os"
	"strings"
)

// builds says on which systems a file is part of its package.
type builds struct {
	// here: it is part of it under the present settings.
	here bool
	// everywhere: it is part of it under all settings.
	everywhere bool
	// never: it is a script or the like, marked //go:build ignore.
	never bool
}

// buildContext is the go command's, cgo included: whether C is at hand must not
// change what is generated.
func buildContext() build.Context {
	c := build.Default
	c.CgoEnabled = true
	c.BuildTags = tags(os.Getenv("GOFLAGS"))
	return c
}

// tags reads -tags of GOFLAGS.
func tags(flags string) []string {
	var list []string
	for flag := range strings.FieldsSeq(flags) {
		flag = strings.TrimPrefix(flag, "-")
		if value, ok := strings.CutPrefix(strings.TrimPrefix(flag, "-"), "tags="); ok {
			list = strings.Split(value, ",")
		}
	}
	return list
}

// constraints evaluates a file's name and //go:build line.
func constraints(c build.Context, name string, text []byte) builds {
	c.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	here, err := c.MatchFile("", name)
	b := builds{here: here && err == nil, everywhere: true}

	// Under a system that does not exist, only the name can exclude this text.
	c.GOOS, c.GOARCH = "none", "none"
	c.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("package p\n")), nil }
	if byName, err := c.MatchFile("", name); err == nil && !byName {
		b.everywhere = false
	}
	expr := buildLine(text)
	if expr == nil {
		return b
	}
	release := func(tag string) bool { return strings.HasPrefix(tag, "go1.") }
	if !expr.Eval(release) {
		b.everywhere = false
		b.never = !expr.Eval(func(tag string) bool { return tag != "ignore" })
		return b
	}
	// True without any tag; still constrained if some tag can turn it off.
	for _, tag := range tagsOf(expr) {
		if !release(tag) && tag != "ignore" {
			b.everywhere = false
		}
	}
	return b
}

// buildLine finds the //go:build line, which precedes the package clause.
func buildLine(text []byte) constraint.Expr {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if bytes.HasPrefix(line, []byte("package ")) {
			return nil
		}
		if constraint.IsGoBuild(string(line)) {
			expr, err := constraint.Parse(string(line))
			if err != nil {
				return nil
			}
			return expr
		}
	}
	return nil
}

func tagsOf(expr constraint.Expr) []string {
	switch x := expr.(type) {
	case *constraint.TagExpr:
		return []string{x.Tag}
	case *constraint.NotExpr:
		return tagsOf(x.X)
	case *constraint.AndExpr:
		return append(tagsOf(x.X), tagsOf(x.Y)...)
	case *constraint.OrExpr:
		return append(tagsOf(x.X), tagsOf(x.Y)...)
	}
	return nil
}
