package scan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/esgen/esgen/templates"
)

// invalid reports a field whose type is unknown, with the type checker's reason.
func (w *walker) invalid(t types.Type, path string) {
	if named, ok := t.(*types.Named); ok {
		if circle := w.circle(named.Obj()); circle != "" {
			w.refusef(path, "has type %s, which contains itself%s: use a pointer, slice or map on the way", w.short(t), circle)
			return
		}
	}
	for _, file := range w.files {
		if file.FileStart > w.inner || w.inner >= file.FileEnd {
			continue
		}
		if expr := fieldType(file, w.inner); expr != nil {
			w.refusef(path, "%s", w.unresolved(expr))
			return
		}
	}
	w.refusef(path, "has a type that does not resolve%s", w.reasonAt(w.at(w.inner)))
}

// circle says what a declared type refers to on the way back to itself, or
// nothing if the type checker knows no such way.
func (t *target) circle(object *types.TypeName) string {
	said := ""
	for _, e := range t.errors {
		rest, ok := strings.CutPrefix(e.Msg, recursive)
		if !ok || e.Pos != object.Pos() {
			continue
		}
		if said = " (" + strings.TrimPrefix(rest, ": ") + ")"; strings.HasPrefix(rest, ": ") {
			break
		}
	}
	return said
}

// fieldType finds the type of the field that is declared at pos.
func fieldType(file *ast.File, pos token.Pos) ast.Expr {
	var found ast.Expr
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && f.Pos() <= pos && pos < f.End() {
			found = f.Type
		}
		return found == nil && n != nil
	})
	return found
}

// unresolved says why a type expression has no type.
func (t *target) unresolved(expr ast.Expr) string {
	written := types.ExprString(expr)
	if strings.Contains(written, "C.") {
		return "has type " + written + ", which only cgo knows: use a Go type"
	}
	element := strings.TrimLeft(written, "[]*")
	for _, f := range t.families {
		for _, name := range []string{"Event", "Stream", "Meta", "Recorded", "Handler", "Ignore", "Applier"} {
			if element == f.prefix+name {
				return "has type " + element + ", which esgen declares in " + templates.FileName(t.name) +
					": an event is made of types of your own"
			}
		}
	}
	if reason := t.importReasonOf(expr); reason != "" {
		return "has type " + written + ", which does not resolve" + reason
	}
	return "has type " + written + ", which does not resolve" + t.reason(expr.Pos(), expr.End())
}

// noImport begins what the type checker says of an import.
const noImport = "could not import "

// importReasonOf is why a package that a type expression names cannot be imported, if
// that is so.
func (t *target) importReasonOf(expr ast.Expr) (reason string) {
	ast.Inspect(expr, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok || reason != "" {
			return reason == ""
		}
		qualifier, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		for _, e := range t.errors {
			spec := t.importAt(e.Pos)
			if spec == nil || !strings.HasPrefix(e.Msg, noImport) {
				continue
			}
			path := strings.Trim(spec.Path.Value, "\"`")
			if name := spec.Name; name != nil && name.Name == qualifier.Name || name == nil && slices.Contains(strings.Split(path, "/"), qualifier.Name) {
				reason = ": " + e.Msg
			}
		}
		return reason == ""
	})
	return reason
}

// importAt is the import of this package at a position.
func (t *target) importAt(pos token.Pos) *ast.ImportSpec {
	for _, file := range t.files {
		for _, spec := range file.Imports {
			if spec.Pos() <= pos && pos < spec.End() {
				return spec
			}
		}
	}
	return nil
}

// gather makes one problem of those that have one cause: an import that many fields
// need, and that cannot be had.
func (t *target) gather() {
	for _, e := range t.errors {
		if !strings.HasPrefix(e.Msg, noImport) || t.importAt(e.Pos) == nil {
			continue
		}
		isOne := func(p Problem) bool { return strings.HasSuffix(p.Message, ": "+oneLine(e.Msg)) }
		first := slices.IndexFunc(t.list, isOne)
		if first < 0 || !slices.ContainsFunc(t.list[first+1:], isOne) {
			continue
		}
		before, at := len(t.list), t.list[first].Position
		t.list = slices.DeleteFunc(t.list, isOne)
		t.addf(e.Pos, "%s; %d fields need it, such as that at %s:%d", e.Msg, before-len(t.list), base(at.Filename), at.Line)
	}
}

// reason is what the type checker said inside a range, else its first word about
// an import.
func (t *target) reason(from, to token.Pos) string {
	for _, e := range t.errors {
		if from <= e.Pos && e.Pos < to {
			return ": " + e.Msg
		}
	}
	return t.importReason()
}

// reasonAt is what the type checker said about a line of another package.
func (t *target) reasonAt(at token.Position) string {
	for _, e := range t.errors {
		if p := t.at(e.Pos); p.Filename == at.Filename && p.Line == at.Line {
			return fmt.Sprintf(" (%s:%d): %s", base(p.Filename), p.Line, e.Msg)
		}
	}
	return t.importReason()
}

func (t *target) importReason() string {
	for _, e := range t.errors {
		if strings.HasPrefix(e.Msg, noImport) {
			return ": " + e.Msg
		}
	}
	return ""
}
