package templates

import "github.com/dave/jennifer/jen"

// meta names the family's metadata.
func meta(f Family) jen.Code {
	return comment("Meta tells which stream an event belongs to, and where and when it was stored.", 0).
		Type().Id("Meta").Op("=").Qual(runtimePath, "Meta").Types(f.ID.Type.code())
}

// recorded names what reading yields.
func recorded(f Family) jen.Code {
	return comment("Recorded is an Event with its Meta.", 0).
		Type().Id("Recorded").Op("=").Qual(runtimePath, "Recorded").Types(f.ID.Type.code(), jen.Id("Event"))
}
