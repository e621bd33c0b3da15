package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"
)

// applyOf is the function that applies one event. The word is the family's, for
// apply alone would be taken too easily.
func applyOf(f Family) string {
	return "apply" + Exported(f.Name)
}

// applier makes a new event fail to compile until the state applies it.
func applier(f Family) jen.Code {
	methods := make([]jen.Code, len(f.Events))
	for i, e := range f.Events {
		methods[i] = jen.Id("Apply" + e.GoName).Params(jen.Id(e.GoName))
	}
	return comment(named(f, "Applier")+" has one method per event: a new event does not compile until "+f.State.GoName+
		" applies it.", 0).
		Type().Id(named(f, "Applier")).Interface(methods...).Line().Line().
		Var().Id("_").Id(named(f, "Applier")).Op("=").Parens(jen.Op("*").Id(f.State.GoName)).Parens(jen.Nil())
}

func load(f Family) jen.Code {
	s := f.State.GoName
	return comment("Load folds the stream into "+article(s)+" "+s+" and returns it with the stream's version. "+
		"A stream without events gives the zero "+s+" and version 0."+snapshots(f), 0).
		Add(onStream(f, "Load")).
		Params(ctx()).
		Params(jen.Id(s), jen.Qual(storePath, "Version"), jen.Error()).
		Block(jen.Return(jen.Qual(runtimePath, "Load").Call(
			jen.Id("ctx"), jen.Id("s").Dot("s"), jen.Id(applyOf(f)))))
}

// snapshots says that not all events need be read.
func snapshots(f Family) string {
	if f.State.Snapshots == 0 {
		return ""
	}
	return fmt.Sprintf(" It begins with the stored snapshot if that fits, and stores another one after %d events; "+
		"es.SnapshotEvery changes that.", f.State.Snapshots)
}

func execute(f Family) jen.Code {
	s := f.State.GoName
	return comment("Execute loads the "+s+", lets decide answer with events, and appends them if the stream "+
		"has not moved on. If it has, it loads and decides again, as often as es.Retries says, and then "+
		"returns an *es.RetriesError; so decide must have no effect but its result. No events append "+
		"nothing. An error of decide is returned as it is. If the stream holds the es.Key of With "+
		"already, decide is not called and the result is a Duplicate.", 0).
		Add(onStream(f, "Execute")).
		Params(ctx(), jen.Id("decide").Func().Params(jen.Id(s)).Params(jen.Index().Id(named(f, "Event")), jen.Error())).
		Params(jen.Qual(storePath, "Appended"), jen.Error()).
		Block(jen.Return(jen.Qual(runtimePath, "Execute").Call(
			jen.Id("ctx"), jen.Id("s").Dot("s"), jen.Id(applyOf(f)), jen.Id("decide"))))
}

func fold(f Family) jen.Code {
	s := f.State.GoName
	return comment(named(f, "Fold")+" returns the "+s+" that the events lead to.", 0).
		Func().Id(named(f, "Fold")).
		Params(jen.Id("events").Op("...").Id(named(f, "Event"))).
		Id(s).
		Block(jen.Return(jen.Qual(runtimePath, "Fold").Call(jen.Id(applyOf(f)), jen.Id("events").Op("..."))))
}

func apply(f Family) jen.Code {
	cases := make([]jen.Code, len(f.Events))
	for i, e := range f.Events {
		cases[i] = jen.Case(jen.Id(e.GoName)).Block(jen.Id("a").Dot("Apply" + e.GoName).Call(jen.Id("e")))
	}
	return jen.Func().Id(applyOf(f)).
		Params(jen.Id("a").Op("*").Id(f.State.GoName), jen.Id("e").Id(named(f, "Event"))).
		Block(jen.Switch(jen.Id("e").Op(":=").Id("e").Assert(jen.Type())).Block(cases...))
}
