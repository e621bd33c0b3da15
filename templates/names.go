package templates

import "github.com/dave/jennifer/jen"

// nameOf is the constant that holds an event's stored name.
func nameOf(e Event) string { return e.GoName + "Name" }

// names declares the stored names.
func names(f Family) jen.Code {
	constants := make([]jen.Code, len(f.Events))
	for i, e := range f.Events {
		constants[i] = jen.Id(nameOf(e)).Op("=").Lit(e.Name)
	}
	return comment("Names under which events are stored. They outlive the Go names.", 0).
		Const().Add(lines("", constants...))
}
