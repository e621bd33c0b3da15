package templates

import (
	"slices"
	"strconv"

	"github.com/dave/jennifer/jen"
)

// types declares the registry.
func types(p Package, f Family) jen.Code {
	constants := map[string]string{}
	var list []jen.Code
	for _, e := range f.Events {
		constants[e.Name] = nameOf(e)
		list = append(list, ofEvent(f, e))
	}
	name := func(stored string) jen.Code {
		if constant, ok := constants[stored]; ok {
			return jen.Id(constant)
		}
		return jen.Lit(stored)
	}
	for _, u := range f.Upcasts {
		list = append(list, jen.Qual(registryPath, "Upcast").Call(name(u.Name), jen.Lit(u.Revision), chain(p, u)))
	}
	for _, r := range f.Retired {
		if r.Event == "" {
			list = append(list, jen.Qual(registryPath, "Gone").Call(jen.Lit(r.Name), jen.Lit(r.Reason)))
		}
	}
	return comment(named(f, "Types")+" maps stored names and revisions to Go types.", 0).
		Var().Id(named(f, "Types")).Op("=").Qual(registryPath, "Must").Add(lines(",", list...))
}

// ofEvent registers an event.
func ofEvent(f Family, e Event) jen.Code {
	code := registered(jen.Id(e.GoName).Values(), e.Stored, jen.Id(nameOf(e)), e.Revision)
	if len(e.Aliases) > 0 {
		aliases := make([]jen.Code, len(e.Aliases))
		for i, alias := range e.Aliases {
			aliases[i] = jen.Lit(alias)
		}
		code = code.Dot("Alias").Call(aliases...)
	}
	for _, r := range f.Retired {
		if r.Event == e.GoName {
			code = code.Dot("Retire").Call(jen.Lit(r.Reason))
		}
	}
	return code
}

// registered is the type of zero by the name that it is stored under. stored is the
// struct that is encoded in its place, or empty.
func registered(zero jen.Code, stored string, name jen.Code, revision int) *jen.Statement {
	if stored == "" {
		return jen.Qual(registryPath, "Of").Call(zero, name, jen.Lit(revision))
	}
	return jen.Qual(registryPath, "Union").Call(name, jen.Lit(revision), jen.Id(storeOf(stored)), jen.Id(loadOf(stored)))
}

// chain is the function that calls the upcasters one after the other, so that a
// reader sees where an old event ends up.
func chain(p Package, u Upcast) jen.Code {
	steps := u.Chain
	from := u.From.code()
	if u.Stored != "" {
		from = jen.Id(u.Stored)
		steps = append([]Step{{Func: loadOf(u.Stored), To: u.From, Fails: true}}, steps...)
	}
	to := steps[len(steps)-1].To
	if last := steps[0]; len(steps) == 1 && last.Fails {
		return jen.Id(last.Func)
	}
	none := jen.Nil()
	for _, e := range p.events() {
		if to.Path == "" && e.GoName == to.Name {
			none = to.code().Values()
		}
	}
	var body []jen.Code
	argument := free(p, "v")
	value := jen.Id(argument)
	for i, s := range steps {
		call := jen.Id(s.Func).Call(value)
		switch {
		case i == len(steps)-1 && s.Fails:
			body = append(body, jen.Return(call))
		case i == len(steps)-1:
			body = append(body, jen.Return(call, jen.Nil()))
		case s.Fails:
			name := free(p, "v"+strconv.Itoa(i+2))
			body = append(body,
				jen.List(jen.Id(name), jen.Err()).Op(":=").Add(call),
				jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(none, jen.Err())))
			value = jen.Id(name)
		default:
			value = call
		}
	}
	return jen.Func().Params(jen.Id(argument).Add(from)).Params(to.code(), jen.Error()).Block(body...)
}

// free is a name that hides none of the package's.
func free(p Package, name string) string {
	if slices.Contains(p.Taken, name) {
		return free(p, name+"_")
	}
	return name
}
