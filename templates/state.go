package templates

import (
	"strings"

	"github.com/dave/jennifer/jen"
)

// applyOf is the function that applies one event. The word is the family's, for
// apply alone would be taken too easily.
func applyOf(f Family) string {
	w := word(f)
	return "apply" + strings.ToUpper(w[:1]) + w[1:]
}

// applier makes a new event fail to compile until the state applies it.
func applier(f Family) jen.Code {
	methods := make([]jen.Code, len(f.Events))
	for i, e := range f.Events {
		methods[i] = jen.Id("Apply" + e.GoName).Params(jen.Id(e.GoName))
	}
	return comment("Applier has one method per event: a new event does not compile until "+f.State.GoName+
		" applies it.", 0).
		Type().Id("Applier").Interface(methods...).Line().Line().
		Var().Id("_").Id("Applier").Op("=").Parens(jen.Op("*").Id(f.State.GoName)).Parens(jen.Nil())
}

func load(f Family) jen.Code {
	s := f.State.GoName
	return comment("Load folds the stream into "+article(s)+" "+s+" and returns it with the stream's version. "+
		"A stream without events gives the zero "+s+" and version 0.", 0).
		Add(onStream("Load")).
		Params(ctx()).
		Params(jen.Id(s), jen.Qual(storePath, "Version"), jen.Error()).
		Block(jen.Return(jen.Qual(runtimePath, "Load").Call(
			jen.Id("ctx"), jen.Id("s").Dot("s"), jen.Id(applyOf(f)))))
}

func execute(f Family) jen.Code {
	s := f.State.GoName
	return comment("Execute loads the "+s+", lets decide answer with events, and appends them if the stream "+
		"has not moved on. If it has, it loads and decides again, as often as es.Retries says, and then "+
		"returns an *es.RetriesError; so decide must have no effect but its result. No events append "+
		"nothing. An error of decide is returned as it is. If the stream holds the es.Key of With "+
		"already, decide is not called and the result is a Duplicate.", 0).
		Add(onStream("Execute")).
		Params(ctx(), jen.Id("decide").Func().Params(jen.Id(s)).Params(jen.Index().Id("Event"), jen.Error())).
		Params(jen.Qual(storePath, "Appended"), jen.Error()).
		Block(jen.Return(jen.Qual(runtimePath, "Execute").Call(
			jen.Id("ctx"), jen.Id("s").Dot("s"), jen.Id(applyOf(f)), jen.Id("decide"))))
}

func fold(f Family) jen.Code {
	s := f.State.GoName
	return comment("Fold returns the "+s+" that the events lead to.", 0).
		Func().Id("Fold").
		Params(jen.Id("events").Op("...").Id("Event")).
		Id(s).
		Block(jen.Return(jen.Qual(runtimePath, "Fold").Call(jen.Id(applyOf(f)), jen.Id("events").Op("..."))))
}

func apply(f Family) jen.Code {
	cases := make([]jen.Code, len(f.Events))
	for i, e := range f.Events {
		cases[i] = jen.Case(jen.Id(e.GoName)).Block(jen.Id("a").Dot("Apply" + e.GoName).Call(jen.Id("e")))
	}
	return jen.Func().Id(applyOf(f)).
		Params(jen.Id("a").Op("*").Id(f.State.GoName), jen.Id("e").Id("Event")).
		Block(jen.Switch(jen.Id("e").Op(":=").Id("e").Assert(jen.Type())).Block(cases...))
}
