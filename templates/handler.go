package templates

import (
	"strings"

	"github.com/dave/jennifer/jen"
)

// handler makes a new event fail to compile until every handler has decided.
func handler(f Family) jen.Code {
	methods := make([]jen.Code, len(f.Events))
	for i, e := range f.Events {
		methods[i] = comment(handles(e), 1).Add(onEvent(f, e))
	}
	return comment(named(f, "Handler")+" has one method per event: a new event does not compile until every "+named(f, "Handler")+" "+
		"has decided what to do with it. Embed "+named(f, "Ignore")+" to ignore the rest on purpose.", 0).
		Type().Id(named(f, "Handler")).Interface(methods...)
}

// handles carries the user's words to where handlers are written.
func handles(e Event) string {
	doc := strings.Trim(e.Doc, "\n")
	if doc == "" {
		return "On" + e.GoName + " handles " + e.GoName + "."
	}
	if first, _, _ := strings.Cut(doc, "\n\n"); !isProse(first) {
		return "On" + e.GoName + " handles " + e.GoName + ":\n\n" + doc
	}
	return "On" + e.GoName + " handles: " + doc
}

func onEvent(f Family, e Event) *jen.Statement {
	return jen.Id("On"+e.GoName).
		Params(jen.Qual(contextPath, "Context"), jen.Id(named(f, "Meta")), jen.Id(e.GoName)).
		Error()
}

func ignore(f Family) jen.Code {
	code := comment(named(f, "Ignore")+" is "+article(named(f, "Handler"))+" "+named(f, "Handler")+" that does nothing. Embed it to handle only some events.", 0).
		Type().Id(named(f, "Ignore")).Add(oneLine("struct{", "}")).Line().Line()
	for _, e := range f.Events {
		code.Func().Params(jen.Id(named(f, "Ignore"))).Add(onEvent(f, e)).Add(oneLine("{ ", " }", jen.Return(jen.Nil()))).Line()
	}
	return code
}
