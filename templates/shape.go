package templates

import "github.com/dave/jennifer/jen"

// shape converts every event to the fields it had, so that a changed event does
// not compile until the file is written anew. The compiler does not look at tags;
// they stand there so that a changed one changes the file, which esgen -diff and
// a reviewer see. What is converted are pointers, for those can go by a name that
// says what to do and that the compiler prints.
//
// What events are made of is converted too, for the same reasons.
//
// The structs that are encoded as others, because they hold unions, are copied field
// by field, so a new field of theirs must not be forgotten either.
func shape(p Package) jen.Code {
	var guards []jen.Code
	guarded := map[string]bool{}
	guard := func(goName string, fields []Field) {
		if !guarded[goName] {
			guarded[goName] = true
			guards = append(guards, jen.Id("_").Op("=").
				Qual(runtimePath, "EventChangedRunGoGenerate").Types(structOf(fields)).
				Call(jen.Parens(jen.Op("*").Id(goName)).Parens(jen.Nil())))
		}
	}
	for _, e := range p.events() {
		guard(e.GoName, e.Fields)
	}
	for _, s := range p.Stored {
		guard(s.GoName, s.Whole)
	}
	for _, n := range p.Nested {
		if n.Type.Path == "" && guarded[n.Type.Name] {
			continue
		}
		guards = append(guards, jen.Id("_").Op("=").
			Qual(runtimePath, "EventChangedRunGoGenerate").Types(n.Under.code()).
			Call(jen.Parens(jen.Op("*").Add(n.Type.code())).Parens(jen.Nil())))
	}
	return comment("If one of these conversions does not compile, the event has changed since "+
		"this file was written: run go generate again.", 0).
		Var().Add(lines("", guards...))
}
