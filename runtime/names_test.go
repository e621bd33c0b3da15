package runtime_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The generator names what it emits by string, for it must build without these
// packages: jen's Qual(runtimePath, "NewFamily"). Each name must be there.
func TestTheNamesThatAreEmittedExist(t *testing.T) {
	t.Parallel()
	templates := parseFolder(t, "../templates")
	paths := make(map[string]string) // constant to import path
	for _, file := range templates {
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == len(spec.Names) {
				for i, name := range spec.Names {
					if value, ok := text(spec.Values[i], paths); ok && strings.HasPrefix(value, module+"/") {
						paths[name.Name] = value
					}
				}
			}
			return true
		})
	}

	declared := make(map[string]map[string]bool) // import path to names
	emitted := 0
	for _, file := range templates {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 || !isQual(call.Fun) {
				return true
			}
			path, isPath := text(call.Args[0], paths)
			name, isName := text(call.Args[1], nil)
			if !isPath || !isName || !strings.HasPrefix(path, module+"/") {
				return true
			}
			emitted++
			if declared[path] == nil {
				declared[path] = declaredIn(t, filepath.Join("..", strings.TrimPrefix(path, module)))
			}
			if !declared[path][name] {
				t.Errorf("the generator emits %s of %s, which is not there", name, path)
			}
			return true
		})
	}
	if !declared[module+"/runtime"]["SupportsGen1"] || len(declared) != 7 || emitted < 20 {
		t.Errorf("found only %d emitted names, in %d packages: the test no longer understands the templates", emitted, len(declared))
	}
}

func isQual(f ast.Expr) bool {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name == "Qual"
	case *ast.SelectorExpr:
		return f.Sel.Name == "Qual"
	default:
		return false
	}
}

// text returns the value of a string literal, a constant, or their sum.
func text(e ast.Expr, constants map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		value, err := strconv.Unquote(e.Value)
		return value, e.Kind == token.STRING && err == nil
	case *ast.Ident:
		value, ok := constants[e.Name]
		return value, ok
	case *ast.BinaryExpr:
		left, leftOK := text(e.X, constants)
		right, rightOK := text(e.Y, constants)
		return left + right, leftOK && rightOK && e.Op == token.ADD
	default:
		return "", false
	}
}

// declaredIn returns the names that the package in a folder declares.
func declaredIn(t *testing.T, folder string) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	for _, file := range parseFolder(t, folder) {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[d.Name.Name] = names[d.Name.Name] || d.Recv == nil
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						names[spec.Name.Name] = true
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							names[name.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}

// parseFolder parses the files of a folder that are no tests.
func parseFolder(t *testing.T, folder string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no Go files in %s: %v", folder, err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}
