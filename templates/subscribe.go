package templates

import "github.com/dave/jennifer/jen"

// on routes events to the methods of a handler.
func on(f Family) jen.Code {
	cases := make([]jen.Code, 0, len(f.Events)+1)
	for _, e := range f.Events {
		cases = append(cases, jen.Case(jen.Id(e.GoName)).Block(
			jen.Return(jen.Id("h").Dot("On"+e.GoName).Call(jen.Id("ctx"), jen.Id("m"), jen.Id("e")))))
	}
	cases = append(cases, jen.Default().Block(jen.Return(jen.Qual(runtimePath, "Unhandled").Call(jen.Id("e")))))
	return comment(named(f, "On")+" routes the events of "+f.Name+" streams to h, for es.Subscribe.", 0).
		Func().Id(named(f, "On")).Params(jen.Id("h").Id(named(f, "Handler"))).Qual(runtimePath, "Route").
		Block(
			jen.If(jen.Id("h").Op("==").Nil()).Block( // the runtime cannot look into the function below
				jen.Return(jen.Id(familyOf(f)).Dot("On").Call(jen.Nil()))),
			jen.Return(jen.Id(familyOf(f)).Dot("On").Call(
				jen.Func().Params(ctx(), jen.Id("m").Id(named(f, "Meta")), jen.Id("e").Id(named(f, "Event"))).Error().
					Block(jen.Switch(jen.Id("e").Op(":=").Id("e").Assert(jen.Type())).Block(cases...)))))
}

func subscribe(f Family) jen.Code {
	return comment(named(f, "Subscribe")+" returns a subscription of h to all "+f.Name+" streams. Its checkpoint is stored "+
		"under name, so it resumes where the last run with that name ended. It connects to nothing: "+
		"Run does, and blocks. h gets every event at least once and in order.", 0).
		Func().Id(named(f, "Subscribe")).
		Params(
			jen.Id("s").Qual(storePath, "Store"),
			jen.Id("name").String(),
			jen.Id("h").Id(named(f, "Handler")),
			jen.Id("c").Qual(subscribePath, "Config"),
		).
		Params(jen.Op("*").Qual(subscribePath, "Subscription"), jen.Error()).
		Block(jen.Return(jen.Qual(runtimePath, "Subscribe").Call(
			jen.Id("s"), jen.Id("name"), jen.Id("c"), jen.Id(named(f, "On")).Call(jen.Id("h")))))
}

func onBatch(f Family) jen.Code {
	return comment(named(f, "OnBatch")+" routes the events of "+f.Name+" streams to h, several at once, for es.SubscribeBatch and "+
		"es.SubscribeTx.", 0).
		Func().Id(named(f, "OnBatch")).Params(jen.Id("h").Add(batchHandler(f))).Qual(runtimePath, "Route").
		Block(jen.Return(jen.Id(familyOf(f)).Dot("OnBatch").Call(jen.Id("h"))))
}

func batchHandler(f Family) *jen.Statement {
	return jen.Func().Params(jen.Qual(contextPath, "Context"), jen.Index().Id(named(f, "Recorded"))).Error()
}

func subscribeBatch(f Family) jen.Code {
	return comment(named(f, "SubscribeBatch")+" is "+named(f, "Subscribe")+" with several events at once, as c.Batch says. If h fails, it gets them again.", 0).
		Func().Id(named(f, "SubscribeBatch")).
		Params(
			jen.Id("s").Qual(storePath, "Store"),
			jen.Id("name").String(),
			jen.Id("h").Add(batchHandler(f)),
			jen.Id("c").Qual(subscribePath, "Config"),
		).
		Params(jen.Op("*").Qual(subscribePath, "Subscription"), jen.Error()).
		Block(jen.Return(jen.Qual(runtimePath, "SubscribeBatch").Call(
			jen.Id("s"), jen.Id("name"), jen.Id("c"), jen.Id(named(f, "OnBatch")).Call(jen.Id("h")))))
}

func subscribeTx(f Family) jen.Code {
	return comment(named(f, "SubscribeTx")+" is "+named(f, "Subscribe")+" with h in the transactions that move the checkpoint: what h does by the "+
		"transaction in its context is there exactly once. s must have transactions for handlers, as SQLite and "+
		"PostgreSQL do.", 0).
		Func().Id(named(f, "SubscribeTx")).
		Params(
			jen.Id("s").Qual(storePath, "Store"),
			jen.Id("name").String(),
			jen.Id("h").Id(named(f, "Handler")),
			jen.Id("c").Qual(subscribePath, "Config"),
		).
		Params(jen.Op("*").Qual(subscribePath, "Subscription"), jen.Error()).
		Block(jen.Return(jen.Qual(runtimePath, "SubscribeTx").Call(
			jen.Id("s"), jen.Id("name"), jen.Id("c"), jen.Id(named(f, "On")).Call(jen.Id("h")))))
}
