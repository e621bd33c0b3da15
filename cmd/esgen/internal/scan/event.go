package scan

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/esgen/esgen/templates"
)

// The store's bounds.
const (
	maxNameBytes = 255
	maxRevision  = 1<<31 - 1
)

// markEvent checks what the syntax alone tells of an event, or of a retired one.
func (t *target) markEvent(d directive) {
	spec := d.at.spec
	m := marked{directive: d, revision: 1, retired: d.name == onRetired}
	for _, other := range t.marks {
		switch {
		case other.at.spec != spec:
			continue
		case other.directive.name != d.name:
			t.addf(d.pos, "type %s has both //esgen:event and //esgen:retired: leave //esgen:event out, for retired takes its place",
				spec.Name.Name)
		default:
			t.addf(d.pos, "type %s has a second //esgen:%s, the first is at %s: leave one out",
				spec.Name.Name, d.name, t.where(other.pos))
		}
		return
	}
	if _, ok := d.args[keyName]; !ok {
		t.addf(d.pos, "//esgen:%s without name=: write the name under which %s is stored, such as name=%s.%s; "+
			"it is not taken from the Go type, for renaming that must not change what is stored",
			d.name, spec.Name.Name, t.name, snake(spec.Name.Name))
	} else {
		m.name = t.storedName(d)
	}
	m.revision = t.revisionOf(d)
	m.aliases = t.names(d, keyAlias)
	m.families = t.familiesOf(d)
	for _, other := range t.marks {
		if m.name != "" && other.name == m.name && m.revision > 0 && other.revision == m.revision {
			t.addf(d.pos, "%s and %s (%s) are both stored as %s revision %d: give one another name, or a higher revision=",
				spec.Name.Name, other.at.spec.Name.Name, t.where(other.pos), m.name, m.revision)
		}
	}
	switch {
	case !spec.Name.IsExported():
		t.addf(spec.Name.Pos(), "event %s is unexported: callers and handlers in other packages could not name it; "+
			"write %s", spec.Name.Name, exported(spec.Name.Name))
	case spec.TypeParams != nil:
		t.addf(spec.TypeParams.Pos(), "event %s has type parameters: a stored name stands for one type; "+
			"declare a struct without them", spec.Name.Name)
	case spec.Assign.IsValid():
		t.addf(spec.Assign, "event %s is an alias: leave the = out, so that it is a type of this package", spec.Name.Name)
	}
	t.marks = append(t.marks, m)
}

// storedName is name=, or empty if that cannot be stored or is not there.
func (t *target) storedName(d directive) string {
	name, ok := d.args[keyName]
	if !ok {
		return ""
	}
	if reason := checkName(name.value); reason != "" {
		t.addf(name.pos, "name=%s %s", name.value, reason)
		return ""
	}
	return name.value
}

// revisionOf is revision=, or 1. It is 0 if what is written there is none.
func (t *target) revisionOf(d directive) int {
	revision, ok := d.args[keyRevision]
	if !ok {
		return 1
	}
	n, err := strconv.Atoi(revision.value)
	if err != nil || n < 1 || n > maxRevision {
		t.addf(revision.pos, "revision=%s: write a whole number from 1 to %d", revision.value, maxRevision)
		return 0
	}
	return n
}

// names splits a value at its commas; each part is a stored name.
func (t *target) names(d directive, key string) []argument {
	a, ok := d.args[key]
	if !ok {
		return nil
	}
	var list []argument
	at := a.pos + token.Pos(len(key)+len("="))
	for part := range strings.SplitSeq(a.value, ",") {
		if part == "" {
			t.addf(a.pos, "%s=%s has an empty part: write names with a comma between them, and no blank", key, a.value)
		} else if reason := checkName(part); reason != "" {
			t.addf(at, "%s=%s %s", key, part, reason)
		} else {
			list = append(list, argument{value: part, pos: at})
		}
		at += token.Pos(len(part) + len(","))
	}
	return list
}

// checkName says what is wrong with a stored name, or nothing.
func checkName(name string) string {
	if len(name) > maxNameBytes {
		return "is " + strconv.Itoa(len(name)) + " bytes long: at most 255 are stored"
	}
	if !utf8.ValidString(name) {
		return "is not valid UTF-8"
	}
	if name[0] == '$' {
		return "begins with $, which is the store's: write a name of your own"
	}
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-/:+$", r) {
			continue
		}
		return "holds " + strconv.QuoteRune(r) + ": write letters, digits and . _ - / : + only"
	}
	return ""
}

// snake is account_opened for AccountOpened.
func snake(name string) string {
	var out strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

func exported(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(first)) + name[size:]
}

// event checks an event's type and describes it.
func (t *target) event(m marked) (templates.Event, bool) {
	spec := m.at.spec
	object, ok := t.pkg.Scope().Lookup(spec.Name.Name).(*types.TypeName)
	if !ok || object.IsAlias() || spec.TypeParams != nil {
		return templates.Event{}, false // reported already
	}
	if object.Pos() != spec.Name.Pos() {
		t.addf(spec.Name.Pos(), "event %s is declared twice, first at %s: give one another name",
			spec.Name.Name, t.where(object.Pos()))
		return templates.Event{}, false
	}
	known := len(t.list)
	structure, ok := object.Type().Underlying().(*types.Struct)
	if !ok {
		if basic, isBasic := object.Type().Underlying().(*types.Basic); isBasic && basic.Kind() == types.Invalid {
			if circle := t.circle(object); circle != "" {
				t.addf(spec.Name.Pos(), "event %s contains itself%s: use a pointer, slice or map on the way", spec.Name.Name, circle)
				return templates.Event{}, false
			}
			t.addf(spec.Name.Pos(), "event %s does not resolve%s", spec.Name.Name, t.reason(spec.Pos(), spec.End()))
			return templates.Event{}, false
		}
		t.addf(spec.Type.Pos(), "event %s is %s: events are structs, so that they can get more fields; write struct{ … }",
			spec.Name.Name, kindOf(object.Type()))
		return templates.Event{}, false
	}
	w := walker{target: t, what: "event", who: spec.Name.Name, field: spec.Name.Pos()}
	w.top(object.Type().(*types.Named))
	if w.endless {
		return templates.Event{}, false
	}
	fields, ok := w.shape(structure)
	if len(t.list) == known {
		// What else the compiler will find in the declaration, such as a field
		// that is declared twice.
		for _, e := range t.errors {
			if spec.Pos() <= e.Pos && e.Pos < spec.End() {
				t.addf(e.Pos, "event %s: %s", spec.Name.Name, e.Msg)
			}
		}
	}
	return templates.Event{
		GoName:   spec.Name.Name,
		Name:     m.name,
		Revision: m.revision,
		Aliases:  values(m.aliases),
		Retired:  m.retired,
		Doc:      t.doc(spec),
		Fields:   fields,
		Shape:    t.shapeOf(object.Type()),
		At:       t.place(spec.Name.Pos()),
	}, ok
}

// values are the texts of arguments, or nil.
func values(list []argument) []string {
	if len(list) == 0 {
		return nil
	}
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = a.value
	}
	return texts
}

// doc is a type's comment without directives.
func (t *target) doc(spec *ast.TypeSpec) string {
	if spec.Doc != nil {
		return spec.Doc.Text()
	}
	for _, file := range t.files {
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.TYPE && !d.Lparen.IsValid() && d.Specs[0] == spec {
				return d.Doc.Text()
			}
		}
	}
	return ""
}
