package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"
)

// listed is the most events that a sentence enumerates.
const listed = 12

func sealOf(f Family) string { return word(f) + "Event" }

// event declares the sealed interface: a foreign event does not compile.
func event(f Family) jen.Code {
	who := fmt.Sprintf("the %d events of this package", len(f.Events))
	if f.Prefix != "" {
		who = fmt.Sprintf("the %d events of family %s", len(f.Events), f.Name)
	}
	if len(f.Events) <= listed {
		names := make([]string, len(f.Events))
		for i, e := range f.Events {
			names[i] = e.GoName
		}
		who = enumerate(names)
	}
	return comment(named(f, "Event")+" is implemented by "+who+" only.", 0).
		Type().Id(named(f, "Event")).Add(oneLine("interface{ ", " }", jen.Id(sealOf(f)).Params()))
}

// seals makes the events implement it.
func seals(f Family) jen.Code {
	code := &jen.Statement{}
	for _, e := range f.Events {
		code.Func().Params(jen.Id(e.GoName)).Id(sealOf(f)).Params().Block().Line()
	}
	return code
}
