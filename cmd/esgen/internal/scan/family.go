package scan

import (
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"github.com/esgen/esgen/templates"
)

// family is a set of events with one category, under scan.
type family struct {
	// directive is nil in a package that has none.
	directive *directive
	name      string
	prefix    string
	pos       token.Pos
	model     templates.Family
}

// findFamilies takes the families that are declared, or the one that need not be.
func (t *target) findFamilies(list []directive) {
	byName := map[string]*family{}
	for _, d := range list {
		if d.name != onFamily || !t.forPackage(d) {
			continue
		}
		f := &family{directive: &d, name: t.name, pos: d.pos}
		if a, ok := d.args["name"]; ok {
			f.name = a.value
		} else if first := t.unnamed(); first != nil {
			t.addf(d.pos, "second //esgen:family without name=, the first is at %s: give each a name=", t.where(first.pos))
			continue
		}
		if first := byName[f.name]; first != nil {
			t.addf(d.pos, "second //esgen:family name=%s, the first is at %s: leave one out, or give it another name",
				f.name, t.where(first.pos))
			continue
		}
		byName[f.name] = f
		t.families = append(t.families, f)
	}
	if len(t.families) == 0 && len(t.files) > 0 {
		t.families = []*family{{name: t.name, pos: t.files[0].Name.Pos()}}
	}
	if len(t.families) > 1 {
		for _, f := range t.families {
			if f.name != t.name {
				f.prefix = templates.Exported(f.name)
			}
		}
	}
}

// unnamed is the family that takes its name from the package.
func (t *target) unnamed() *family {
	for _, f := range t.families {
		if _, ok := f.directive.args["name"]; !ok {
			return f
		}
	}
	return nil
}

// familiesOf finds the families that a directive names: all that it lists, else the
// only one, else the one that has the package's name.
func (t *target) familiesOf(d directive) []*family {
	a, given := d.args["family"]
	if !given {
		if len(t.families) == 1 {
			return t.families
		}
		for _, f := range t.families {
			if f.name == t.name {
				return []*family{f}
			}
		}
		t.addf(d.pos, "//esgen:%s without family=: this package has the families %s: write family=%s",
			d.name, enumerated(t.familyNames()), t.families[0].name)
		return nil
	}
	var found []*family
	for name := range strings.SplitSeq(a.value, ",") {
		i := slices.IndexFunc(t.families, func(f *family) bool { return f.name == name })
		switch {
		case i < 0:
			hint := ": declare it in this package with //esgen:family name=" + wordOf(name)
			if better := suggest(name, t.familyNames()); better != "" {
				hint = ": write family=" + better
			} else if d.at.spec != nil && d.name != onState {
				hint += "; if it is another package's, declare the event there, as type " + d.at.spec.Name.Name + " " +
					t.name + "." + d.at.spec.Name.Name
			}
			t.addf(a.pos, "family=%s: this package has no such family%s", name, hint)
		case slices.Contains(found, t.families[i]):
			t.addf(a.pos, "family=%s names %s twice: leave one out", a.value, name)
		default:
			found = append(found, t.families[i])
		}
	}
	return found
}

func (t *target) familyNames() []string {
	names := make([]string, len(t.families))
	for i, f := range t.families {
		names[i] = f.name
	}
	return names
}

// enumerated joins names as a sentence does.
func enumerated(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// checkInhabited reports families without events, and what is said about them.
func (t *target) checkInhabited() {
	if len(t.families) == 1 {
		return // the events are its
	}
	for _, f := range t.families {
		inhabited := slices.ContainsFunc(t.marks, func(m marked) bool { return slices.Contains(m.families, f) })
		if !inhabited {
			t.addf(f.pos, "family %s has no events: write family=%s in the directive of one, or leave the family out", f.name, f.name)
		}
	}
}

// checkFamilyName reports a name that cannot be a category.
func (t *target) checkFamilyName(f *family) {
	pos := f.pos
	if f.directive != nil {
		if a, ok := f.directive.args["name"]; ok {
			pos = a.pos
		}
	}
	if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(f.name) {
		t.addf(pos, "family %q is not a lower-case word: streams are stored as family-id, so write letters, digits "+
			"and _, as in //esgen:family name=%s", f.name, wordOf(f.name))
	}
}

// wordOf makes a possible family of any name.
func wordOf(name string) string {
	word := regexp.MustCompile(`[^a-z0-9_]+`).ReplaceAllString(strings.ToLower(name), "_")
	word = strings.TrimLeft(word, "_0123456789")
	if word == "" {
		return "account"
	}
	return word
}

// serializerList checks //esgen:package serializers=.
func (t *target) serializerList() string {
	name, pos := t.serializers.value, t.serializers.pos
	object, ok := t.pkg.Scope().Lookup(name).(*types.Var)
	if !ok {
		t.addf(pos, "serializers=%s: this package has no variable of that name: declare var %s = []serializer.Serializer{…}", name, name)
		return name
	}
	want := "[]" + templates.SerializerPath + ".Serializer"
	if got := object.Type(); !strings.Contains(got.String(), "invalid type") && types.Unalias(got).String() != want {
		t.addf(pos, "serializers=%s: the variable has type %s: declare it as []serializer.Serializer", name, t.short(got))
	}
	return name
}
