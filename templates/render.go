package templates

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"strings"

	"github.com/dave/jennifer/jen"
)

// Suffix ends the names of generated files, and CodecSuffix those of codecs.
const (
	Suffix      = ".es.go"
	CodecSuffix = ".es_codec.go"
)

// FileName is the base name of the file that is generated for a package. It
// leaves underscores out, for what follows one can be a build constraint:
// my_linux.es.go would be compiled on one system only.
func FileName(pkg string) string { return strings.ReplaceAll(pkg, "_", "") + Suffix }

// CodecFileName is the base name of the file that holds the codecs of a package.
func CodecFileName(pkg string) string { return strings.ReplaceAll(pkg, "_", "") + CodecSuffix }

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
	return text(file, p)
}

// RenderCodecs writes the file of codecs of p, or nothing if p asks for none.
func RenderCodecs(p Package) ([]byte, error) {
	if !p.GeneratedMsgpack {
		return nil, nil
	}
	file := jen.NewFile(p.Name)
	file.NoFormat = true
	c := newCodecs(p)
	codecImports(file, p, c)
	header(file, p)
	for _, declaration := range c.declarations(p) {
		file.Add(declaration)
		file.Line()
	}
	return text(file, p)
}

// text formats a file.
func text(file *jen.File, p Package) ([]byte, error) {
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
	return append(list, handler(f), ignore(f), on(f), subscribe(f))
}
