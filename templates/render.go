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
// package without a family or a family without events, or names that are not Go.
func Render(p Package) ([]byte, error) {
	if len(p.Families) == 0 {
		return nil, errors.New("render package " + p.Name + ": it has no families")
	}
	for _, f := range p.Families {
		if len(f.Events) == 0 {
			return nil, fmt.Errorf("render package %s: family %s has no events", p.Name, f.Name)
		}
	}
	file := jen.NewFile(p.Name)
	file.NoFormat = true // once, when the imports are grouped
	imports(file, p)
	header(file, p)
	list := append([]jen.Code{handshake(), shape(p), names(p.events())}, unions(p)...)
	for _, f := range p.Families {
		list = append(list, declarations(p, f)...)
	}
	for _, declaration := range list {
		file.Add(declaration)
		file.Line()
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

// declarations lists what a file holds for a family, in the order of reading.
func declarations(p Package, f Family) []jen.Code {
	list := []jen.Code{
		types(p, f),
		family(p, f),
		event(f),
		seals(f),
		meta(f),
		recorded(f),
		stream(f),
		streamOf(f),
		with(f),
		appendEvents(f),
		read(f),
	}
	if f.State != nil {
		list = append(list, applier(f), load(f), execute(f), fold(f), apply(f))
	}
	return append(list, handler(f), ignore(f), on(f), onBatch(f), subscribe(f), subscribeBatch(f), subscribeTx(f))
}
