package scan

import (
	"go/token"
	"go/types"
	"regexp"
	"strings"

	"github.com/esgen/esgen/templates"
)

// defaultID is the type of ids unless the package says otherwise.
const defaultID = "string"

// uuidPath is what id=uuid.UUID means unless the package imports another uuid.
const uuidPath = "github.com/google/uuid"

// idImports are packages that only id= names, so that no file imports them.
func (t *target) idImports() []string {
	var list []string
	for _, f := range t.families {
		if path, _, found := t.idPath(f); found && path != "" {
			list = append(list, path)
		}
	}
	return list
}

// idPath splits id= into an import path, empty for this package's or a
// predeclared type, and a name.
func (t *target) idPath(f *family) (path, name string, found bool) {
	if f.directive == nil {
		return "", defaultID, true
	}
	a, ok := f.directive.args["id"]
	if !ok {
		return "", defaultID, true
	}
	dot := strings.LastIndexByte(a.value, '.')
	if dot < 0 {
		return "", a.value, true
	}
	qualifier, name := a.value[:dot], a.value[dot+1:]
	if strings.Contains(qualifier, "/") {
		return qualifier, name, true
	}
	for _, file := range t.files {
		for _, spec := range file.Imports {
			path := strings.Trim(spec.Path.Value, "\"`")
			if spec.Name != nil && spec.Name.Name == qualifier {
				return path, name, true
			}
			last := path[strings.LastIndexByte(path, '/')+1:]
			if spec.Name == nil && (last == qualifier || strings.HasSuffix(strings.TrimSuffix(path, "/"+last), "/"+qualifier) && isMajor(last)) {
				return path, name, true
			}
		}
	}
	if qualifier == "uuid" {
		return uuidPath, name, true
	}
	return "", "", false
}

// isMajor reports whether an element of a path is v2, v3, ….
func isMajor(element string) bool { return regexp.MustCompile(`^v[0-9]+$`).MatchString(element) }

// id resolves the type of the family's ids.
func (t *target) id(f *family) templates.ID {
	pos, value := f.pos, defaultID
	if f.directive != nil {
		if a, ok := f.directive.args["id"]; ok {
			pos, value = a.pos, a.value
		}
	}
	path, name, found := t.idPath(f)
	if !found {
		t.addf(pos, "id=%s: no file of this package imports %s: write the path, as in id=example.com/ids.OrderID",
			value, value[:strings.LastIndexByte(value, '.')])
		return templates.ID{}
	}
	object := t.lookup(pos, value, path, name)
	if object == nil {
		return templates.ID{}
	}
	if named, ok := object.Type().(*types.Named); ok && named.TypeParams().Len() > 0 {
		t.addf(pos, "id=%s has type parameters: declare a type without them", value)
		return templates.ID{}
	}
	typ, _ := t.write(object.Type())
	text, reason := textOf(object.Type())
	if reason != "" {
		t.addf(pos, "id=%s: %s", value, reason)
	}
	return templates.ID{Type: typ, Text: text}
}

// lookup finds the type that id= names.
func (t *target) lookup(pos token.Pos, value, path, name string) *types.TypeName {
	scope := t.pkg.Scope()
	if path != "" {
		pkg, err := t.from.Import(path)
		if err != nil {
			t.addf(pos, "id=%s: cannot import %s: %s", value, path, err)
			return nil
		}
		scope = pkg.Scope()
	}
	object := scope.Lookup(name)
	if object == nil && path == "" {
		object = types.Universe.Lookup(name)
	}
	typeName, ok := object.(*types.TypeName)
	switch {
	case object == nil:
		t.addf(pos, "id=%s: there is no type %s: write string, uuid.UUID, or a type with a text form", value, name)
		return nil
	case !ok:
		t.addf(pos, "id=%s is not a type: write string, uuid.UUID, or a type with a text form", value)
		return nil
	case path != "" && !typeName.Exported():
		t.addf(pos, "id=%s is not exported by %s: write an exported type", value, path)
		return nil
	}
	return typeName
}

// textOf says how ids of a type become text, or why they do not.
func textOf(t types.Type) (templates.Text, string) {
	if types.IsInterface(t) {
		return 0, "an interface does not say what to read: use a string or integer kind, or a struct with MarshalText " +
			"on the value and UnmarshalText on the pointer"
	}
	m := methodsOf(t)
	switch {
	case m.value[marshalText] && m.pointer[unmarshalText]:
		return templates.OwnText, ""
	case m.pointer[marshalText] && m.pointer[unmarshalText]:
		return 0, "MarshalText has a pointer receiver: declare it on the value, for ids are passed by value"
	case m.pointer[marshalText]:
		return 0, "it has MarshalText but no UnmarshalText, so it could not be read back: add it on the pointer"
	case m.pointer[unmarshalText]:
		return 0, "it has UnmarshalText but no MarshalText, so it could not be written: add it on the value"
	}
	if basic, ok := t.Underlying().(*types.Basic); ok {
		switch info := basic.Info(); {
		case info&types.IsString != 0:
			return templates.StringText, ""
		case info&types.IsInteger != 0 && basic.Kind() != types.Uintptr:
			return templates.IntText, ""
		case basic.Kind() == types.Invalid:
			return 0, "its type does not resolve"
		}
	}
	return 0, kindOf(t) + " has no text form: use a string or integer kind, or declare MarshalText on the value " +
		"and UnmarshalText on the pointer"
}
