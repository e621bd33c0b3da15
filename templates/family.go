package templates

import (
	"strings"

	"github.com/dave/jennifer/jen"
)

// word is a family's name inside Go names: credit_card is creditCard there.
func word(f Family) string {
	parts := strings.Split(f.Name, "_")
	for i := 1; i < len(parts); i++ {
		if parts[i] != "" {
			parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
		}
	}
	return strings.Join(parts, "")
}

func familyOf(f Family) string { return word(f) + "Family" }

// Exported is a family's name as the beginning of Go names: CreditCard.
func Exported(name string) string {
	w := word(Family{Name: name})
	return strings.ToUpper(w[:1]) + w[1:]
}

// named is what the generated file calls a thing of the family: AccountStream.
func named(f Family, what string) string { return f.Prefix + what }

// family declares the value that holds all logic.
func family(p Package, f Family) jen.Code {
	arguments := []jen.Code{jen.Lit(f.Name), jen.Id(named(f, "Types")), idText(f.ID)}
	switch {
	case p.GeneratedMsgpack && p.Serializers != "": // the author's come last, and win
		arguments = append(arguments, jen.Qual("slices", "Concat").Call(
			jen.Index().Qual(SerializerPath, "Serializer").Values(jen.Id(msgpackFormat)), jen.Id(p.Serializers)).Op("..."))
	case p.GeneratedMsgpack:
		arguments = append(arguments, jen.Id(msgpackFormat))
	case p.Serializers != "":
		arguments = append(arguments, jen.Id(p.Serializers).Op("..."))
	}
	value := jen.Qual(runtimePath, "NewFamily").Types(f.ID.Type.code(), jen.Id(named(f, "Event"))).Call(arguments...)
	if s := f.State; s != nil && s.Snapshots > 0 {
		value = value.Op(".").Line().Id("Snapshots").Call(
			registered(zeroOf(s), s.Stored, jen.Lit(s.GoName), s.Revision), jen.Lit(s.Fingerprint), jen.Lit(s.Snapshots))
	}
	return comment(familyOf(f)+" is what the streams and handlers below have in common.", 0).
		Var().Id(familyOf(f)).Op("=").Add(value)
}

// idText writes the value that turns ids into text and back.
func idText(id ID) jen.Code {
	switch id.Text {
	case IntText:
		return jen.Qual(runtimePath, "IntID").Types(id.Type.code()).Values()
	case OwnText:
		return jen.Qual(runtimePath, "TextID").Types(id.Type.code(), jen.Op("*").Add(id.Type.code())).Values()
	default:
		return jen.Qual(runtimePath, "StringID").Types(id.Type.code()).Values()
	}
}

// zeroOf is a state's zero value. States need not be structs.
func zeroOf(s *State) jen.Code {
	if s.Struct {
		return jen.Id(s.GoName).Values()
	}
	return jen.Op("*").New(jen.Id(s.GoName))
}
