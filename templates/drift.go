package templates

import (
	"bytes"
	"fmt"
	"go/format"
	"strings"

	"github.com/dave/jennifer/jen"
)

// estestPath is the package that generated tests call.
const estestPath = runtimePath + "/estest"

// TestSuffix ends the names of generated tests.
const TestSuffix = ".es_drift_test.go"

// TestFileName is the base name of the test that is generated for a package.
func TestFileName(pkg string) string { return strings.TrimSuffix(FileName(pkg), Suffix) + TestSuffix }

// RenderTest writes the test that holds the tags of events, and of the structs that
// they are made of, against those that the generated file was written from. The
// compiler, which holds everything else, does not look at tags.
func RenderTest(p Package) ([]byte, error) {
	file := jen.NewFile(p.Name)
	file.NoFormat = true
	imports(file, p)
	file.ImportName("testing", "testing")
	file.ImportName(estestPath, "estest")
	header(file, p)
	calls := []jen.Code{jen.Id("t").Dot("Parallel").Call()}
	call := func(name *jen.Statement, fields []Field) {
		calls = append(calls, jen.Qual(estestPath, "Current").Types(structOf(fields), name).Call(jen.Id("t")))
	}
	for _, e := range p.events() {
		call(jen.Id(e.GoName), e.Fields)
	}
	for _, n := range p.Nested {
		if n.Under.Kind == Struct {
			call(n.Type.code(), n.Under.Fields)
		}
	}
	file.Add(comment("TestEsgenIsCurrent fails if the tag of a stored field has changed since this file was written: "+
		"run go generate again.", 0).
		Func().Id("TestEsgenIsCurrent").Params(jen.Id("t").Op("*").Qual("testing", "T")).Block(calls...))
	var source bytes.Buffer
	if err := file.Render(&source); err != nil {
		return nil, fmt.Errorf("render the test of package %s: %w", p.Name, err)
	}
	formatted, err := format.Source(group(source.Bytes()))
	if err != nil {
		return nil, fmt.Errorf("render the test of package %s: %w", p.Name, err)
	}
	return formatted, nil
}
