package main

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unsaid are texts of package scan that are no diagnostics, or that no source can
// bring about, with the reason.
var unsaid = map[string]string{
	"the go command does not know package %s": "a package is asked for only if a file imports it",
	"read export data of %s: %w":              "the cache of the go command is broken",
	"run go list in %s: %w":                   "the go command is missing or broken",
	"read the output of go list in %s: %w":    "the go command is broken",
	"is not valid UTF-8":                      "the parser refuses such a file first",
}

// TestEveryDiagnosticHasAStory holds that all that package scan says is said in a
// script, as it is printed.
func TestEveryDiagnosticHasAStory(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var stories strings.Builder
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		stories.Write(text)
	}
	told := unescaped.ReplaceAllString(stories.String(), "$1")
	said := sentences(t, filepath.Join("internal", "scan"))
	if len(said) < 100 {
		t.Fatalf("found only %d sentences", len(said))
	}
	for text, at := range said {
		if _, ok := unsaid[text]; ok {
			continue
		}
		if !pattern(text).MatchString(told) {
			t.Errorf("%s: no script says %q", at, text)
		}
	}
	for text := range unsaid {
		if _, ok := said[text]; !ok {
			t.Errorf("nothing says %q any more: take it off the list", text)
		}
	}
}

// unescaped are the patterns of scripts, which escape what is special.
var unescaped = regexp.MustCompile(`\\([.\[\]{}()*+?|^$])`)

var formatted = regexp.MustCompile(`%[-+#]*[0-9]*[a-zA-Z]`)

// pattern matches a sentence with its verbs filled in.
func pattern(text string) *regexp.Regexp {
	parts := formatted.Split(text, -1)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(strings.Join(parts, ".*"))
}

// sentences are the string constants of a package of more than two words, by where
// they stand.
func sentences(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, filepath.Join(dir, entry.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			if _, tag := n.(*ast.BasicLit); !tag {
				if b, sum := n.(*ast.BinaryExpr); !sum || b.Op != token.ADD {
					return true
				}
			}
			text, whole := constantText(e)
			if !whole {
				return true
			}
			if words := strings.Fields(formatted.ReplaceAllString(text, "")); len(words) > 3 {
				found[text] = fset.Position(n.Pos()).String()
			}
			return false
		})
	}
	return found
}

// constantText adds up the literals of an expression, if it is made of them alone.
func constantText(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		return constant.StringVal(constant.MakeFromLiteral(e.Value, e.Kind, 0)), true
	case *ast.BinaryExpr:
		left, ok := constantText(e.X)
		right, also := constantText(e.Y)
		return left + right, ok && also && e.Op == token.ADD
	}
	return "", false
}
