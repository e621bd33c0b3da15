package scan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
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
	return "has type " + written + ", which does not resolve" + t.reason(expr.Pos(), expr.End())
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
		if strings.HasPrefix(e.Msg, "could not import ") {
			return ": " + e.Msg
		}
	}
	return ""
}
