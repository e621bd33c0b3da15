package templates

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"
)

// The packages that generated files import. They are named here by string, so
// that the generator does not link the runtime.
const (
	contextPath   = "context"
	runtimePath   = "github.com/esgen/esgen/runtime"
	storePath     = runtimePath + "/store"
	subscribePath = runtimePath + "/subscribe"
	registryPath  = runtimePath + "/typeregistry"
)

// SerializerPath is the package whose Serializer a package-level variable named
// by //esgen:package serializers= is a slice of.
const SerializerPath = runtimePath + "/serializer"

// wirePath is what generated codecs are made of.
const wirePath = SerializerPath + "/msgpackwire"

// imported is one package with the name that it declares, or that we always
// give it.
type imported struct {
	path, name string
	alias      bool
}

// imports names all packages that the file of p's streams may refer to.
func imports(f *jen.File, p Package) {
	list := []imported{
		{path: contextPath, name: contextPath},
		{path: "iter", name: "iter"},
		{path: "slices", name: "slices"},
		{path: runtimePath, name: "es", alias: true},
		{path: storePath, name: "store"},
		{path: subscribePath, name: "subscribe"},
		{path: registryPath, name: "typeregistry"},
		{path: SerializerPath, name: "serializer"},
	}
	var types []Type
	for _, family := range p.Families {
		types = append(types, family.ID.Type)
		for _, u := range family.Upcasts {
			types = append(types, u.From)
		}
		for _, e := range family.Events {
			for _, field := range e.Fields {
				types = append(types, field.Type)
			}
		}
	}
	for _, n := range p.Nested {
		types = append(types, n.Type, n.Under)
	}
	for _, s := range p.Stored {
		for _, field := range s.Whole {
			types = append(types, field.Type)
		}
	}
	importNames(f, p.Taken, list, types)
}

// codecImports names all packages that the file of p's codecs may refer to.
func codecImports(f *jen.File, p Package, c *codecs) {
	list := []imported{
		{path: SerializerPath, name: "serializer"},
		{path: wirePath, name: "wire", alias: true},
	}
	var types []Type
	for _, function := range c.functions {
		function.shape.walk(map[*Shape]bool{}, func(s *Shape) { types = append(types, s.Go) })
	}
	importNames(f, append(locals(), p.Taken...), list, types)
}

// importNames names the packages of list, and those of types, such that no two have the
// same name and none has one that is taken: Go allows neither.
func importNames(f *jen.File, taken []string, list []imported, types []Type) {
	seen := map[string]bool{}
	for _, i := range list {
		seen[i.path] = true
	}
	own := len(list)
	add := func(t Type) {
		if t.Kind == Named && t.Path != "" && !seen[t.Path] {
			seen[t.Path] = true
			list = append(list, imported{path: t.Path, name: t.Package})
		}
	}
	for _, t := range types {
		t.walk(add)
	}
	slices.SortFunc(list[own:], func(a, b imported) int { return cmp.Compare(a.path, b.path) })

	avoid := map[string]bool{}
	for _, name := range taken {
		avoid[name] = true
	}
	for _, i := range list {
		name := i.name
		for n := 2; avoid[name] || jen.IsReservedWord(name); n++ {
			name = i.name + strconv.Itoa(n)
		}
		avoid[name] = true
		if i.alias || name != i.name || name != lastElement(i.path) {
			f.ImportAlias(i.path, name)
		} else {
			f.ImportName(i.path, name)
		}
	}
}

// lastElement is the name that a reader expects of the package at path.
func lastElement(path string) string {
	elements := strings.Split(path, "/")
	last := elements[len(elements)-1]
	if len(elements) > 1 && len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		return elements[len(elements)-2] // a major version
	}
	return last
}

// group puts an empty line between the imports of the standard library and the
// others, for jennifer writes one block.
func group(source []byte) []byte {
	const open = "\nimport (\n"
	start := bytes.Index(source, []byte(open))
	if start < 0 {
		return source
	}
	start += len(open)
	end := start + bytes.Index(source[start:], []byte("\n)"))
	var std, other []string
	for line := range strings.SplitSeq(string(source[start:end]), "\n") {
		path := line[strings.IndexByte(line, '"')+1 : strings.LastIndexByte(line, '"')]
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
			other = append(other, line)
		} else {
			std = append(std, line)
		}
	}
	var out bytes.Buffer
	out.Write(source[:start])
	out.WriteString(strings.Join(std, "\n"))
	if len(std) > 0 && len(other) > 0 {
		out.WriteString("\n\n")
	}
	out.WriteString(strings.Join(other, "\n"))
	out.Write(source[end:])
	return out.Bytes()
}
