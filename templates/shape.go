package templates

import "github.com/dave/jennifer/jen"

// shape converts every event to the fields it had, so that a changed event does
// not compile until the file is written anew. The compiler does not look at tags;
// they stand there so that a changed one changes the file, which esgen -diff and
// a reviewer see. What is converted are pointers, for those can go by a name that
// says what to do and that the compiler prints.
func shape(events []Event) jen.Code {
	guards := make([]jen.Code, len(events))
	for i, e := range events {
		guards[i] = jen.Id("_").Op("=").
			Qual(runtimePath, "EventChangedRunGoGenerate").Types(structOf(e.Fields)).
			Call(jen.Parens(jen.Op("*").Id(e.GoName)).Parens(jen.Nil()))
	}
	return comment("If one of these conversions does not compile, the event has changed since "+
		"this file was written: run go generate again.", 0).
		Var().Add(lines("", guards...))
}
