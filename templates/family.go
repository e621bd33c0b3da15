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

// family declares the value that holds all logic.
func family(p Package, f Family) jen.Code {
	arguments := []jen.Code{jen.Lit(f.Name), jen.Id("Types"), idText(f.ID)}
	switch {
	case p.GeneratedMsgpack && p.Serializers != "": // the author's come last, and win
		arguments = append(arguments, jen.Qual("slices", "Concat").Call(
			jen.Index().Qual(SerializerPath, "Serializer").Values(jen.Id(msgpackFormat)), jen.Id(p.Serializers)).Op("..."))
	case p.GeneratedMsgpack:
		arguments = append(arguments, jen.Id(msgpackFormat))
	case p.Serializers != "":
		arguments = append(arguments, jen.Id(p.Serializers).Op("..."))
	}
	return comment(familyOf(f)+" is what the streams and handlers below have in common.", 0).
		Var().Id(familyOf(f)).Op("=").
		Qual(runtimePath, "NewFamily").Types(f.ID.Type.code(), jen.Id("Event")).Call(arguments...)
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
