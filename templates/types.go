package templates

import "github.com/dave/jennifer/jen"

// types declares the registry.
func types(f Family) jen.Code {
	list := make([]jen.Code, len(f.Events))
	for i, e := range f.Events {
		list[i] = jen.Qual(registryPath, "Of").Types(jen.Id(e.GoName)).Call(jen.Id(nameOf(e)), jen.Lit(e.Revision))
	}
	return comment("Types maps stored names and revisions to Go types.", 0).
		Var().Id("Types").Op("=").Qual(registryPath, "Must").Add(lines(",", list...))
}
