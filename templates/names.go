package templates

import "github.com/dave/jennifer/jen"

// nameOf is the constant that holds an event's stored name.
func nameOf(e Event) string { return e.GoName + "Name" }

// names declares the stored names.
func names(events []Event) jen.Code {
	constants := make([]jen.Code, len(events))
	for i, e := range events {
		constants[i] = jen.Id(nameOf(e)).Op("=").Lit(e.Name)
	}
	return comment("Names under which events are stored. They outlive the Go names.", 0).
		Const().Add(lines("", constants...))
}
