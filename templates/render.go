package templates

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"strings"

	"github.com/dave/jennifer/jen"
)

// Suffix ends the names of generated files.
const Suffix = ".es.go"

// FileName is the base name of the file that is generated for a package. It
// leaves underscores out, for what follows one can be a build constraint:
// my_linux.es.go would be compiled on one system only.
func FileName(pkg string) string { return strings.ReplaceAll(pkg, "_", "") + Suffix }

// Render writes the generated file of p: formatted, with grouped imports, and
// the same bytes for the same model. An error is a defect of the model: a
// package that does not have exactly one family, or names that are not Go.
func Render(p Package) ([]byte, error) {
	if len(p.Families) != 1 {
		return nil, fmt.Errorf("render package %s: it has %d families; one is supported", p.Name, len(p.Families))
	}
	if len(p.Families[0].Events) == 0 {
		return nil, errors.New("render package " + p.Name + ": it has no events")
	}
	file := jen.NewFile(p.Name)
	file.NoFormat = true // once, when the imports are grouped
	imports(file, p)
	header(file, p)
	for _, f := range p.Families {
		for _, declaration := range declarations(p, f) {
			file.Add(declaration)
			file.Line()
		}
	}
	var source bytes.Buffer
	if err := file.Render(&source); err != nil {
		return nil, fmt.Errorf("render package %s: %w", p.Name, err)
	}
	formatted, err := format.Source(group(source.Bytes()))
	if err != nil {
		return nil, fmt.Errorf("render package %s: %w", p.Name, err)
	}
	return formatted, nil
}

// declarations lists what a file holds, in the order of reading.
func declarations(p Package, f Family) []jen.Code {
	list := []jen.Code{
		handshake(),
		shape(f),
		names(f),
		types(f),
		family(p, f),
		event(f),
		seals(f),
		meta(f),
		recorded(f),
		stream(f),
		streamOf(f),
		with(),
		appendEvents(),
		read(),
	}
	if f.State != nil {
		list = append(list, applier(f), load(f), execute(f), fold(f), apply(f))
	}
	return append(list, handler(f), ignore(f), on(f), onBatch(f), subscribe(f), subscribeBatch(), subscribeTx())
}
