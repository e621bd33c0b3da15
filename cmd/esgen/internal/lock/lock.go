package lock

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/templates"
)

// Name is the base name of the file.
const Name = "esgen.lock.json"

// Format is the newest format of the file that this program knows.
const Format = 1

// File is what is locked of a package. Its lists are sorted, so that two branches
// that add different events seldom touch the same lines.
type File struct {
	Format  int    `json:"format"`
	Package string `json:"package"`
	// Serializers is the variable with formats of the package's own.
	Serializers string       `json:"serializers,omitempty"`
	Families    []Family     `json:"families"`
	Events      []Event      `json:"events"`
	Upcasts     []Upcast     `json:"upcasts,omitempty"`
	Retired     []Retired    `json:"retired,omitempty"`
	Definitions []Definition `json:"definitions,omitempty"`
	Accepted    []Accepted   `json:"accepted,omitempty"`
}

// Family is a category and the type of its ids.
type Family struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	// Text is what the ids' text is: "string", "integer" or the type's "own".
	Text string `json:"text,omitempty"`
}

// Event is one revision of a stored name.
type Event struct {
	Name     string   `json:"name"`
	Revision int      `json:"revision"`
	Family   string   `json:"family"`
	Go       string   `json:"go"`
	Aliases  []string `json:"aliases,omitempty"`
	Fields   []Field  `json:"fields"`
}

// Field is one stored field.
type Field struct {
	Name string `json:"name"`
	// Type is what is stored; see [Type].
	Type string `json:"type"`
	// Msgpack is the name in msgpack if it is another one, "-" if it is left out there.
	Msgpack string `json:"msgpack,omitempty"`
	// Omit is "empty" or "zero" if such a value is left out.
	Omit string `json:"omit,omitempty"`
	// Quoted: a number or a bool is stored as a text.
	Quoted bool `json:"quoted,omitempty"`
	// Go leads to the field in the program.
	Go string `json:"go,omitempty"`

	at templates.Position
}

// Upcast leads on from a revision that no event has any more.
type Upcast struct {
	Name     string `json:"name"`
	Revision int    `json:"revision"`
	To       string `json:"to"`

	// family and goName are those of the shape that it reads, from its fields.
	family, goName string
	from           []Field
	at             templates.Position
}

// Retired is a name that is never given again.
type Retired struct {
	Name   string `json:"name"`
	Reason string `json:"reason,omitempty"`
	// Go is the type that still reads it.
	Go string `json:"go,omitempty"`
}

// Definition is a declared type that fields hold, by its name and the hash of what
// it is: an old revision keeps the type as it was.
type Definition struct {
	Name string `json:"name"`
	// Fields of a struct.
	Fields []Field `json:"fields,omitempty"`
	// Type and Values of a text or number for which constants are declared.
	Type   string  `json:"type,omitempty"`
	Values []Value `json:"values,omitempty"`
	// Members of a union.
	Members []Field `json:"members,omitempty"`
}

// Value is one for which there are constants.
type Value struct {
	Value string `json:"value"`
	// Go are the names of the constants.
	Go string `json:"go,omitempty"`
}

// Accepted is a breach that somebody wanted, and why.
type Accepted struct {
	Rule   string `json:"rule"`
	Where  string `json:"where"`
	Reason string `json:"reason"`
}

// Of returns what is to be locked of a package now.
func Of(p templates.Package) File {
	f := File{Format: Format, Package: p.Name, Serializers: p.Serializers, Families: []Family{}, Events: []Event{}}
	d := &definer{made: make(map[string]Definition)}
	top := func(owner string, s *templates.Shape) []Field {
		d.known = make(map[*templates.Shape]string) // types that hold each other are those where each begins
		return d.fields(owner, s)
	}
	for _, family := range p.Families {
		f.Families = append(f.Families, Family{Name: family.Name, ID: goName(family.ID.Type), Text: idText(family.ID.Text)})
		for _, e := range family.Events {
			f.Events = append(f.Events, Event{
				Name: e.Name, Revision: e.Revision, Family: family.Name, Go: e.GoName,
				Aliases: slices.Sorted(slices.Values(e.Aliases)), Fields: top(e.GoName, e.Shape),
			})
		}
		for _, u := range family.Upcasts {
			f.Upcasts = append(f.Upcasts, Upcast{
				Name: u.Name, Revision: u.Revision, To: goName(u.To), at: u.At,
				family: family.Name, goName: goName(u.From), from: top(goName(u.From), u.FromShape),
			})
		}
		for _, r := range family.Retired {
			f.Retired = append(f.Retired, Retired{Name: r.Name, Reason: r.Reason, Go: r.Event})
		}
	}
	for _, definition := range d.made {
		f.Definitions = append(f.Definitions, definition)
	}
	f.sort()
	return f
}

// idText says what the text of ids is.
func idText(t templates.Text) string {
	switch t {
	case templates.StringText:
		return wordString
	case templates.IntText:
		return "integer"
	default:
		return "own"
	}
}

func (f *File) sort() {
	slices.SortFunc(f.Families, func(a, b Family) int { return cmp.Compare(a.Name, b.Name) })
	byEvent := func(name, other string, revision, otherRevision int) int {
		return cmp.Or(cmp.Compare(name, other), cmp.Compare(revision, otherRevision))
	}
	slices.SortFunc(f.Events, func(a, b Event) int {
		return cmp.Or(byEvent(a.Name, b.Name, a.Revision, b.Revision), cmp.Compare(a.Family, b.Family))
	})
	slices.SortFunc(f.Upcasts, func(a, b Upcast) int { return byEvent(a.Name, b.Name, a.Revision, b.Revision) })
	slices.SortFunc(f.Retired, func(a, b Retired) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(b.Go, a.Go)) })
	f.Retired = slices.CompactFunc(f.Retired, func(a, b Retired) bool { return a.Name == b.Name })
	slices.SortFunc(f.Definitions, func(a, b Definition) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(f.Accepted, func(a, b Accepted) int {
		return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.Rule, b.Rule))
	})
}

// key names a revision: bank.deposited@2.
func key(name string, revision int) string { return fmt.Sprintf("%s@%d", name, revision) }

func (e Event) key() string { return key(e.Name, e.Revision) }

// definition returns what a type of the file refers to. Within a type that holds
// itself the name has no hash; it is found if the file has the type in one form.
func (f *File) definition(ref string) (Definition, bool) {
	var found []Definition
	for _, d := range f.Definitions {
		if d.Name == ref {
			return d, true
		}
		if strings.HasPrefix(d.Name, ref+"@") {
			found = append(found, d)
		}
	}
	if len(found) != 1 {
		return Definition{}, false
	}
	return found[0], true
}
