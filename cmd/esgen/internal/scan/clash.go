package scan

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"github.com/esgen/esgen/templates"
)

// clashes finds names of the package that the generated file also declares, or
// that would change the meaning of what it says.
func (t *target) clashes(model templates.Package) {
	file, codecs := templates.FileName(model.Name), templates.CodecFileName(model.Name)
	declared := map[string]string{} // the file
	for _, name := range templates.Declared(model) {
		declared[name] = file
	}
	for _, name := range templates.DeclaredByCodecs(model) {
		declared[name] = codecs
	}
	for name, by := range declared {
		if object := t.pkg.Scope().Lookup(name); object != nil {
			t.addf(object.Pos(), "%s is declared by esgen in %s too: rename this one", name, by)
		}
	}
	for _, f := range t.files {
		for _, spec := range f.Imports {
			if spec.Name != nil && spec.Name.Name == "." {
				t.dotClashes(spec, declared)
			}
			if spec.Name == nil {
				continue
			}
			if by := declared[spec.Name.Name]; by != "" {
				t.addf(spec.Name.Pos(), "%s is declared by esgen in %s: import the package under another name", spec.Name.Name, by)
			}
		}
	}
	for _, name := range t.pkg.Scope().Names() {
		by := file
		switch types.Universe.Lookup(name).(type) {
		case *types.Builtin: // functions such as max are not used there
			if !model.GeneratedMsgpack || name != "append" && name != "len" && name != "new" {
				continue
			}
			by = codecs
		case *types.TypeName, *types.Nil:
		default:
			continue
		}
		t.addf(t.pkg.Scope().Lookup(name).Pos(), "%s hides the predeclared %s, which %s uses: rename it", name, name, by)
	}
	for _, family := range model.Families {
		seal := templates.Seal(family)
		for _, e := range family.Events {
			named := t.pkg.Scope().Lookup(e.GoName)
			if object, index, _ := types.LookupFieldOrMethod(named.Type(), true, t.pkg, seal); object != nil && len(index) == 1 {
				t.addf(object.Pos(), "%s.%s is declared by esgen in %s too: rename this one", e.GoName, seal, file)
			}
		}
	}
}

// dotClashes finds names that the generated file declares and that a dot import
// brings into a file: Go does not let one hide the other.
func (t *target) dotClashes(spec *ast.ImportSpec, declared map[string]string) {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return
	}
	pkg, err := t.from.Import(path)
	if err != nil {
		return // the type checker has said so
	}
	for _, name := range pkg.Scope().Names() {
		if by := declared[name]; by != "" && token.IsExported(name) {
			t.addf(spec.Pos(), "this import brings in %s, which esgen declares in %s: import the package under a name", name, by)
		}
	}
}
