package scan

import (
	"cmp"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/esgen/esgen/templates"
)

// ImportPath returns the import path of the package in dir, by the nearest go.mod
// upwards, or its base name if there is none.
func ImportPath(dir string) (string, error) {
	root := moduleOf(dir)
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if os.IsNotExist(err) {
		return filepath.Base(dir), nil
	}
	if err != nil {
		return "", err
	}
	below, err := filepath.Rel(root, dir)
	if err != nil {
		return "", err
	}
	return path.Join(modfile.ModulePath(text), filepath.ToSlash(below)), nil
}

// Uses finds what the modules of packages do with their events: where events are
// made, handled and subscribed to. It reads the syntax of all files but tests and
// what esgen wrote, and passes over files that cannot be parsed. The result is
// sorted by file and line.
func Uses(ctx context.Context, packages []Package) ([]templates.Use, error) {
	u := users{fset: token.NewFileSet(), models: map[string]*templates.Package{}}
	var roots []string
	for _, p := range packages {
		if p.Model == nil {
			continue
		}
		importPath, err := ImportPath(p.Dir)
		if err != nil {
			return nil, err
		}
		u.models[importPath] = p.Model
		roots = append(roots, moduleOf(p.Dir))
	}
	slices.Sort(roots)
	for _, root := range slices.Compact(roots) {
		dirs, err := Match(ctx, root, []string{"./..."})
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs {
			if err := u.dir(root, dir); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(u.list, func(a, b templates.Use) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Event, b.Event), cmp.Compare(a.Family, b.Family))
	})
	return slices.Compact(u.list), nil
}

// users finds uses.
type users struct {
	fset   *token.FileSet
	models map[string]*templates.Package
	list   []templates.Use
}

func (u *users) dir(root, dir string) error {
	own, err := ImportPath(dir)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name[0] == '_' || name[0] == '.' {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(u.fset, filepath.Join(dir, name), text, parser.SkipObjectResolution)
		if err != nil || isOurs(text) {
			continue
		}
		short, err := filepath.Rel(root, filepath.Join(dir, name))
		if err != nil {
			return err
		}
		user{users: u, file: file, own: own, path: filepath.ToSlash(short)}.look()
	}
	return nil
}

// user is one file under scan.
type user struct {
	*users
	file *ast.File
	own  string
	path string
	// in is the function under way.
	in *ast.FuncDecl
}

// look finds what stands in functions and methods.
func (u user) look() {
	for _, decl := range u.file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		name := f.Name.Name
		if f.Recv != nil && len(f.Recv.List) == 1 {
			receiver := strings.TrimPrefix(types.ExprString(f.Recv.List[0].Type), "*")
			u.handles(f, receiver)
			name = receiver + "." + name
		}
		if f.Body == nil {
			continue
		}
		u.in = f
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if model, importPath, event := u.resolve(n.Type); model != nil && isEvent(model, event) {
					u.add(n, templates.Use{Kind: templates.Makes, Path: importPath, Event: event, Name: u.named(name)})
				}
			case *ast.CallExpr:
				u.call(n)
			}
			return true
		})
	}
}

// handles takes a method of a handler.
func (u user) handles(f *ast.FuncDecl, receiver string) {
	event, ok := strings.CutPrefix(f.Name.Name, "On")
	if !ok || f.Type.Params.NumFields() != 3 {
		return
	}
	last := f.Type.Params.List[len(f.Type.Params.List)-1]
	model, importPath, name := u.resolve(last.Type)
	if model != nil && name == event && isEvent(model, event) {
		u.add(f, templates.Use{Kind: templates.Handles, Path: importPath, Event: event, Name: u.named(receiver)})
	}
}

// subscribing are the functions that subscribe, of a family and of the runtime.
func subscribing() []string { return []string{"Subscribe", "SubscribeBatch", "SubscribeTx"} }

// call takes Subscribe of a family, and that of the runtime with the routes of
// several; and so for batches and in transactions.
func (u user) call(c *ast.CallExpr) {
	model, importPath, name := u.resolve(c.Fun)
	if model != nil && len(c.Args) == 4 {
		for _, f := range model.Families {
			if rest, ok := strings.CutPrefix(name, f.Prefix); ok && slices.Contains(subscribing(), rest) {
				u.add(c, templates.Use{Kind: templates.Subscribes, Path: importPath, Family: f.Name, Name: u.text(c.Args[1]), Handler: u.handler(c.Args[2])})
			}
		}
		return
	}
	if s, ok := c.Fun.(*ast.SelectorExpr); !ok || !slices.Contains(subscribing(), s.Sel.Name) || len(c.Args) < 4 {
		return
	}
	for _, arg := range c.Args[3:] {
		route, ok := arg.(*ast.CallExpr)
		if !ok || len(route.Args) != 1 {
			continue
		}
		model, importPath, name := u.resolve(route.Fun)
		if model == nil {
			continue
		}
		for _, f := range model.Families {
			if name == f.Prefix+"On" || name == f.Prefix+"OnBatch" {
				u.add(c, templates.Use{Kind: templates.Subscribes, Path: importPath, Family: f.Name, Name: u.text(c.Args[1]), Handler: u.handler(route.Args[0])})
			}
		}
	}
}

func (u user) add(n ast.Node, use templates.Use) {
	use.File, use.Line = u.path, u.fset.PositionFor(n.Pos(), false).Line
	u.list = append(u.list, use)
}

// handler names the type of a handler, as far as the function tells it, or else
// the expression.
func (u user) handler(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			return u.handler(e.X)
		}
	case *ast.CompositeLit:
		return types.ExprString(e.Type)
	case *ast.FuncLit:
		return "func"
	case *ast.Ident:
		if typ := u.typeOf(e.Name); typ != nil {
			return strings.TrimPrefix(types.ExprString(typ), "*")
		}
	}
	return types.ExprString(e)
}

// typeOf finds the type that the function under way declares a name with.
func (u user) typeOf(name string) (typ ast.Expr) {
	ast.Inspect(u.in, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if slices.ContainsFunc(n.Names, func(i *ast.Ident) bool { return i.Name == name }) {
				typ = n.Type
			}
		case *ast.ValueSpec:
			if slices.ContainsFunc(n.Names, func(i *ast.Ident) bool { return i.Name == name }) && n.Type != nil {
				typ = n.Type
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE && len(n.Lhs) == 1 && types.ExprString(n.Lhs[0]) == name {
				value := n.Rhs[0]
				if address, ok := value.(*ast.UnaryExpr); ok && address.Op == token.AND {
					value = address.X
				}
				if literal, ok := value.(*ast.CompositeLit); ok {
					typ = literal.Type
				}
			}
		}
		return true
	})
	return typ
}

// named is a name as other packages would write it.
func (u user) named(name string) string { return u.file.Name.Name + "." + name }

// text is a name in the source: of a literal its value.
func (u user) text(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok {
		if text, err := strconv.Unquote(lit.Value); err == nil {
			return text
		}
	}
	return types.ExprString(e)
}

// resolve finds the package with events that declares what e names.
func (u user) resolve(e ast.Expr) (model *templates.Package, importPath, name string) {
	switch e := e.(type) {
	case *ast.Ident:
		return u.models[u.own], u.own, e.Name
	case *ast.SelectorExpr:
		qualifier, ok := e.X.(*ast.Ident)
		if !ok {
			return nil, "", ""
		}
		for _, spec := range u.file.Imports {
			importPath, err := strconv.Unquote(spec.Path.Value)
			model := u.models[importPath]
			if err != nil || model == nil {
				continue
			}
			as := model.Name
			if spec.Name != nil {
				as = spec.Name.Name
			}
			if as == qualifier.Name {
				return model, importPath, e.Sel.Name
			}
		}
	}
	return nil, "", ""
}

func isEvent(p *templates.Package, name string) bool {
	for _, f := range p.Families {
		for _, e := range f.Events {
			if e.GoName == name {
				return true
			}
		}
	}
	return false
}
