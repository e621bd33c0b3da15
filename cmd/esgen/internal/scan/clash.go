package scan

import (
	"go/types"

	"github.com/esgen/esgen/templates"
)

// clashes finds names of the package that the generated file also declares, or
// that would change the meaning of what it says.
func (t *target) clashes(model templates.Package) {
	file := templates.FileName(model.Name)
	declared := map[string]bool{}
	for _, name := range templates.Declared(model) {
		declared[name] = true
		if object := t.pkg.Scope().Lookup(name); object != nil {
			t.addf(object.Pos(), "%s is declared by esgen in %s too: rename this one", name, file)
		}
	}
	for _, f := range t.files {
		for _, spec := range f.Imports {
			if spec.Name != nil && declared[spec.Name.Name] {
				t.addf(spec.Name.Pos(), "%s is declared by esgen in %s: import the package under another name", spec.Name.Name, file)
			}
		}
	}
	for _, name := range t.pkg.Scope().Names() {
		switch types.Universe.Lookup(name).(type) {
		case *types.TypeName, *types.Nil: // functions such as max are not used there
			t.addf(t.pkg.Scope().Lookup(name).Pos(), "%s hides the predeclared %s, which %s uses: rename it", name, name, file)
		}
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
