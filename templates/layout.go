package templates

import "github.com/dave/jennifer/jen"

// oneLine writes items between open and end without line breaks.
func oneLine(open, end string, items ...jen.Code) *jen.Statement {
	return jen.Custom(jen.Options{Open: open, Close: end, Separator: "; "}, items...)
}

// lines writes items between parentheses, one on each line.
func lines(end string, items ...jen.Code) *jen.Statement {
	return jen.Custom(jen.Options{Open: "(", Close: ")", Separator: end, Multi: true}, items...)
}

// ctx writes the parameter that every call has first.
func ctx() *jen.Statement { return jen.Id("ctx").Qual(contextPath, "Context") }

// onStream begins a method of Stream.
func onStream(f Family, method string) *jen.Statement {
	return jen.Func().Params(jen.Id("s").Id(named(f, "Stream"))).Id(method)
}
