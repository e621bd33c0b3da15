package templates

import "github.com/dave/jennifer/jen"

// meta names the family's metadata.
func meta(f Family) jen.Code {
	return comment(named(f, "Meta")+" tells which stream an event belongs to, and where and when it was stored.", 0).
		Type().Id(named(f, "Meta")).Op("=").Qual(runtimePath, "Meta").Types(f.ID.Type.code())
}

// recorded names what reading yields.
func recorded(f Family) jen.Code {
	return comment(named(f, "Recorded")+" is "+article(named(f, "Event"))+" "+named(f, "Event")+" with its "+named(f, "Meta")+".", 0).
		Type().Id(named(f, "Recorded")).Op("=").Qual(runtimePath, "Recorded").Types(f.ID.Type.code(), jen.Id(named(f, "Event")))
}
