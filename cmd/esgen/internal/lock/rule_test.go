package lock

import (
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/templates"
)

// base is a package with two families, every kind of field and an old revision.
func base() File {
	f := File{
		Format: Format, Package: "bank",
		Families: []Family{{"bank", "string", "string"}, {"card", "string", "string"}},
		Events: []Event{
			{Name: "bank.closed", Revision: 1, Family: "bank", Go: "Closed", Fields: []Field{{Name: "why", Type: "string", Go: "Why"}}},
			{Name: "bank.closed", Revision: 2, Family: "bank", Go: "Closed", Fields: []Field{{Name: "reason", Type: "string", Go: "Reason"}}},
			{Name: "bank.opened", Revision: 1, Family: "bank", Go: "Opened", Aliases: []string{"bank.begun"}, Fields: []Field{
				{Name: "owner", Type: "string", Go: "Owner"},
				{Name: "amount", Type: "int32", Go: "Amount"},
				{Name: "note", Type: "optional<string>", Omit: "empty", Go: "Note"},
				{Name: "money", Type: "custom<bank.Money>", Go: "Money"},
				{Name: "color", Type: "#Color@1", Go: "Color"},
				{Name: "pay", Type: "#Payment@1", Go: "Pay"},
				{Name: "tags", Type: "map<string,array<#Tag@1>>", Go: "Tags"},
			}},
		},
		Upcasts: []Upcast{{Name: "bank.closed", Revision: 1, To: "Closed", family: "bank", from: []Field{{Name: "why", Type: "string", Go: "Why"}}}},
		Retired: []Retired{{Name: "bank.old"}},
		Definitions: []Definition{
			{Name: "#Color@1", Type: "string", Values: []Value{{"blue", "Blue"}, {"red", "Red"}}},
			{Name: "#Payment@1", Members: []Field{{Name: "card", Type: "#Tag@1"}, {Name: "cash", Type: "#Tag@1"}}},
			{Name: "#Tag@1", Fields: []Field{{Name: "word", Type: "string", Go: "Word"}, {Name: "next", Type: "optional<#Tag>", Omit: "empty", Go: "Next"}}},
		},
	}
	return f
}

// now is what the program stores: the base without what is only locked.
func now() File {
	f := base()
	f.Events = f.Events[1:]
	return f
}

const opened = 1

func field(f *File, name string) *Field {
	fields := f.Events[opened].Fields
	return &fields[slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })]
}

func breaches(was, is File) []Breach { return Check(was, is, modelOf(is), true) }

// modelOf is a package with the retired names of a file, in all families.
func modelOf(f File) templates.Package {
	p := templates.Package{Name: "bank"}
	for _, family := range f.Families {
		model := templates.Family{Name: family.Name}
		for _, r := range f.Retired {
			model.Retired = append(model.Retired, templates.Retired{Name: r.Name})
		}
		p.Families = append(p.Families, model)
	}
	return p
}

func TestNothingIsWrongWithWhatIsTheSame(t *testing.T) {
	t.Parallel()
	if got := breaches(base(), now()); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

// Every rule has a change that breaks it and one that does not, though it looks alike.
func TestEveryRule(t *testing.T) {
	t.Parallel()
	type change func(was, is *File)
	cases := map[string]struct {
		where       string
		bad, passes change
	}{
		"EVENT_REMOVED": {
			"bank.opened@1",
			func(_, is *File) { is.Events = is.Events[:1] },
			func(_, is *File) {
				is.Events = is.Events[:1]
				is.Retired = append(is.Retired, Retired{Name: "bank.opened"}, Retired{Name: "bank.begun"})
			},
		},
		"REVISION_LOWERED": {
			"bank.closed@1",
			func(_, is *File) { is.Events[0].Revision = 1 },
			func(_, is *File) {
				is.Events[0].Revision = 3
				is.Upcasts = append(is.Upcasts, Upcast{Name: "bank.closed", Revision: 2, family: "bank"})
			},
		},
		"CHAIN_MISSING": {
			"bank.closed@1",
			func(_, is *File) { is.Upcasts = nil },
			func(_, is *File) {
				is.Events[opened].Name, is.Events[opened].Aliases = "bank.started", []string{"bank.begun", "bank.opened"}
			},
		},
		"NAME_REUSED": {
			"bank.old@1",
			func(_, is *File) {
				is.Retired = nil
				is.Events = append(is.Events, Event{Name: "bank.old", Revision: 1, Family: "bank"})
			},
			func(_, is *File) { is.Events = append(is.Events, Event{Name: "bank.new", Revision: 1, Family: "bank"}) },
		},
		"RETIRED_REMOVED": {
			"bank.old@0",
			func(_, is *File) { is.Retired = nil },
			func(_, is *File) { is.Retired[0].Reason = "not sold any more" },
		},
		"ALIAS_REMOVED": {
			"bank.opened@1",
			func(_, is *File) { is.Events[opened].Aliases = nil },
			func(_, is *File) { is.Events[opened].Aliases = append(is.Events[opened].Aliases, "bank.first") },
		},
		"FAMILY_CHANGED": {
			"bank.opened@1",
			func(_, is *File) { is.Events[opened].Family = "card" },
			func(_, is *File) { e := is.Events[opened]; e.Family = "card"; is.Events = append(is.Events, e) },
		},
		"FORMATS_REMOVED": {
			"bank",
			func(was, _ *File) { was.Serializers = "formats" },
			func(was, is *File) { was.Serializers, is.Serializers = "formats", "codecs" },
		},
		"FIELD_REMOVED": {
			"bank.opened@1/owner",
			func(_, is *File) { is.Events[opened].Fields = is.Events[opened].Fields[1:] },
			func(_, is *File) {
				is.Events[opened].Fields = is.Events[opened].Fields[1:]
				is.Events[opened].Revision = 2
				is.Upcasts = append(is.Upcasts, Upcast{Name: "bank.opened", Revision: 1, family: "bank"})
			},
		},
		"FIELD_RENAMED": {
			"bank.opened@1/owner",
			func(_, is *File) { field(is, "owner").Name = "holder" },
			func(_, is *File) { field(is, "owner").Go = "Holder" },
		},
		"FIELD_CASE": {
			"bank.opened@1/owner",
			func(_, is *File) { field(is, "owner").Name = "Owner" },
			func(_, is *File) { slices.Reverse(is.Events[opened].Fields) },
		},
		"FIELD_ADDED": {
			"bank.opened@1/more",
			func(_, is *File) {
				is.Events[opened].Fields = append(is.Events[opened].Fields, Field{Name: "more", Type: "string"})
			},
			func(_, is *File) {
				is.Events[opened].Fields = append(is.Events[opened].Fields, Field{Name: "more", Type: "string", Omit: "zero"}, Field{Name: "most", Type: "optional<string>"})
			},
		},
		"FIELD_REQUIRED": {
			"bank.opened@1/note",
			func(_, is *File) { field(is, "note").Type = "string" },
			func(_, is *File) { field(is, "note").Omit = "zero" },
		},
		"KIND_CHANGED": {
			"bank.opened@1/tags",
			func(_, is *File) { field(is, "tags").Type = "array<#Tag@1>" },
			func(_, is *File) { field(is, "amount").Type = "int64" },
		},
		"KIND_NARROWED": {
			"bank.opened@1/amount",
			func(_, is *File) { field(is, "amount").Type = "int16" },
			func(was, is *File) { field(is, "amount").Type = "int64" },
		},
		"CUSTOM_CHANGED": {
			"bank.opened@1/money",
			func(_, is *File) { field(is, "money").Type = "custom<other.Money>" },
			func(_, is *File) { field(is, "money").Omit = "zero" },
		},
		"QUOTED_CHANGED": {
			"bank.opened@1/amount",
			func(_, is *File) { field(is, "amount").Quoted = true },
			func(was, is *File) { was.Events[2].Fields[1].Quoted, field(is, "amount").Quoted = true, true },
		},
		"VALUE_REMOVED": {
			"bank.opened@1/color",
			func(_, is *File) {
				is.Definitions[0] = Definition{Name: "#Color@2", Type: "string", Values: []Value{{"red", "Red"}}}
				field(is, "color").Type = "#Color@2"
			},
			func(_, is *File) { field(is, "color").Type = "string" },
		},
		"VALUE_MOVED": {
			"bank.opened@1/color",
			func(_, is *File) {
				field(is, "color").Type = "#Color@2"
				is.Definitions[0].Name = "#Color@2"
				is.Definitions[0].Values = []Value{{"blue", "Green"}, {"green", "Blue"}, {"red", "Red"}}
			},
			func(_, is *File) {
				is.Definitions[0] = Definition{Name: "#Color@2", Type: "string", Values: []Value{{"blue", "Azure"}, {"red", "Default,Red"}}}
				field(is, "color").Type = "#Color@2"
			},
		},
		"FIELD_REUSED": {
			"bank.opened@1/hint",
			func(was, is *File) {
				was.Accepted = []Accepted{{"FIELD_REMOVED", "bank.opened@1/hint", "not needed"}}
				is.Events[opened].Fields = append(is.Events[opened].Fields, Field{Name: "hint", Type: "int64", Omit: "zero"})
			},
			func(was, is *File) {
				was.Accepted = []Accepted{{"FIELD_REMOVED", "bank.opened@1/hint", "not needed"}}
				is.Events[opened].Fields = append(is.Events[opened].Fields, Field{Name: "hints", Type: "int64", Omit: "zero"})
			},
		},
		"VALUE_ADDED": {
			"bank.opened@1/color",
			func(_, is *File) {
				is.Definitions[0] = Definition{Name: "#Color@2", Type: "string", Values: []Value{{"blue", "Blue"}, {"green", "Green"}, {"red", "Red"}}}
				field(is, "color").Type = "#Color@2"
			},
			func(_, is *File) { field(is, "color").Type = "string" },
		},
		"MEMBER_REMOVED": {
			"bank.opened@1/pay",
			func(_, is *File) {
				is.Definitions[1] = Definition{Name: "#Payment@2", Members: []Field{{Name: "card", Type: "#Tag@1"}}}
				field(is, "pay").Type = "#Payment@2"
			},
			func(_, is *File) { is.Definitions[1].Name = "#Betalung@1"; field(is, "pay").Type = "#Betalung@1" },
		},
		"MEMBER_ADDED": {
			"bank.opened@1/pay",
			func(_, is *File) {
				is.Definitions[1] = Definition{Name: "#Payment@2", Members: append(is.Definitions[1].Members, Field{Name: "check", Type: "#Tag@1"})}
				field(is, "pay").Type = "#Payment@2"
			},
			func(_, is *File) { is.Definitions[1].Name = "#Betalung@1"; field(is, "pay").Type = "#Betalung@1" },
		},
		"UPCAST_SHAPE": {
			"bank.closed@1/why",
			func(_, is *File) { is.Upcasts[0].from[0].Type = "int64" },
			func(_, is *File) { is.Upcasts[0].from = nil },
		},
		"FIELD_OPTIONAL": {
			"bank.opened@1/owner",
			func(_, is *File) { field(is, "owner").Type = "optional<string>" },
			func(_, is *File) { field(is, "note").Type = "optional<string>" },
		},
		"OMIT_CHANGED": {
			"bank.opened@1/owner",
			func(_, is *File) { field(is, "owner").Omit = "empty" },
			func(_, is *File) { field(is, "note").Omit = "empty" },
		},
		"LOCK_STALE": {
			"bank.opened@1",
			func(_, is *File) { field(is, "amount").Type = "int64" },
			func(_, is *File) { is.Upcasts[0].from = nil },
		},
	}
	for _, rule := range Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			t.Parallel()
			c, ok := cases[rule.ID]
			if !ok {
				t.Fatal("the rule has no case")
			}
			of := func(do change) []Breach {
				was, is := base(), now()
				do(&was, &is)
				return slices.DeleteFunc(breaches(was, is), func(b Breach) bool { return b.Rule != rule.ID })
			}
			got := of(c.bad)
			if len(got) != 1 || got[0].Where != c.where || got[0].Warning != rule.Warning || got[0].Text == "" || rule.Purpose == "" {
				t.Errorf("broken: %+v, want one at %s", got, c.where)
			}
			if got := of(c.passes); len(got) > 0 {
				t.Errorf("not broken: %+v", got)
			}
		})
	}
	if len(cases) != len(Rules()) {
		t.Errorf("%d cases for %d rules", len(cases), len(Rules()))
	}
}

func TestNestedFieldsAreFollowed(t *testing.T) {
	t.Parallel()
	was, is := base(), now()
	is.Definitions[2] = Definition{Name: "#Tag@2", Fields: []Field{{Name: "word", Type: "int64", Go: "Word"}, {Name: "next", Type: "optional<#Tag>", Omit: "empty", Go: "Next"}}}
	field(&is, "tags").Type = "map<string,array<#Tag@2>>"
	got := breaches(was, is)
	if !slices.ContainsFunc(got, func(b Breach) bool { return b.Rule == "KIND_CHANGED" && b.Where == "bank.opened@1/tags.word" }) {
		t.Errorf("%+v", got)
	}
}

func TestAcceptedBreachesAreSilent(t *testing.T) {
	t.Parallel()
	was, is := base(), now()
	field(&is, "amount").Type = "int16"
	is.Accepted = []Accepted{{Rule: "KIND_NARROWED", Where: "bank.opened@1/amount", Reason: "never more"}}
	for _, b := range breaches(was, is) {
		if b.Rule == "KIND_NARROWED" {
			t.Errorf("%+v", b)
		}
	}
}

// The lock has a field as it is now, so what was accepted there once says nothing of
// the next change. An event that is gone stays gone.
func TestOnlyWhatIsGoneStaysAccepted(t *testing.T) {
	t.Parallel()
	was, is := base(), now()
	field(&is, "amount").Type = "int16"
	is.Events = is.Events[1:]
	is.Upcasts = nil
	was.Accepted = []Accepted{
		{Rule: "KIND_NARROWED", Where: "bank.opened@1/amount", Reason: "never more"},
		{Rule: "EVENT_REMOVED", Where: "bank.closed@1", Reason: "an idea"},
	}
	got := make([]string, 0, 2)
	for _, b := range Check(was, is, modelOf(is), false) {
		got = append(got, b.Rule+":"+b.Where)
	}
	if want := []string{"EVENT_REMOVED:bank.closed@2", "KIND_NARROWED:bank.opened@1/amount"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Of two types that hold each other, the one that is met first has the hash in the
// end; an event that is put before the others may turn that around.
func TestTypesThatHoldEachOtherAreFollowedFromBothSides(t *testing.T) {
	t.Parallel()
	was, is := base(), now()
	was.Events[2].Fields = append(slices.Clone(was.Events[2].Fields), Field{Name: "a", Type: "#A@1"})
	was.Definitions = append(was.Definitions,
		Definition{Name: "#A@1", Fields: []Field{{Name: "b", Type: "#B@1"}}},
		Definition{Name: "#B@1", Fields: []Field{{Name: "a", Type: "optional<#A>"}, {Name: "x", Type: "string"}}})
	is.Events[opened].Fields = append(slices.Clone(is.Events[opened].Fields), Field{Name: "a", Type: "#A@2"})
	is.Definitions = append(is.Definitions,
		Definition{Name: "#A@2", Fields: []Field{{Name: "b", Type: "#B"}}},
		Definition{Name: "#B@2", Fields: []Field{{Name: "a", Type: "optional<#A@2>"}, {Name: "x", Type: "int64"}}})
	got := make([]string, 0, 2)
	for _, b := range Check(was, is, modelOf(is), false) {
		got = append(got, b.Rule+":"+b.Where)
	}
	if want := []string{"KIND_CHANGED:bank.opened@1/a.b.x"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A type that holds itself is named without its hash there, and may have been another
// one in an older revision.
func TestTypesThatHoldThemselvesAreThoseTheyAreIn(t *testing.T) {
	t.Parallel()
	was, is := base(), now()
	node := func(f *File, hash, typ, next string) Type {
		f.Definitions = append(f.Definitions, Definition{Name: "#Node@" + hash, Fields: []Field{{Name: "v", Type: typ}, {Name: "next", Type: next}}})
		return Type{Word: "#Node@" + hash}
	}
	was.Events[0].Fields = append(was.Events[0].Fields, Field{Name: "tree", Type: node(&was, "0", "bool", "optional<#Node>").Word})
	was.Events[2].Fields = append(was.Events[2].Fields, Field{Name: "tree", Type: node(&was, "1", "string", "optional<#Node>").Word})
	is.Events[opened].Fields = append(is.Events[opened].Fields, Field{Name: "tree", Type: node(&is, "2", "string", "optional<#Leaf@2>").Word})
	is.Definitions = append(is.Definitions, Definition{Name: "#Leaf@2", Fields: []Field{{Name: "v", Type: "int64"}, {Name: "next", Type: "optional<#Leaf>"}}})
	var got []string
	for _, b := range Check(was, is, modelOf(is), false) {
		got = append(got, b.Rule+":"+b.Where)
	}
	if want := []string{"KIND_CHANGED:bank.opened@1/tree.next.v"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}

	// And so of unions.
	was, is = base(), now()
	for _, f := range []*File{&was, &is} {
		f.Definitions = append(f.Definitions,
			Definition{Name: "#U@1", Members: []Field{{Name: "a", Type: "#A@1"}}}, Definition{Name: "#A@1", Fields: []Field{{Name: "n", Type: "#U"}}})
	}
	was.Events[0].Fields = append(was.Events[0].Fields, Field{Name: "u", Type: "#U@0"})
	was.Definitions = append(was.Definitions, Definition{Name: "#U@0", Members: []Field{{Name: "b", Type: "#Tag@1"}}})
	was.Events[2].Fields = append(was.Events[2].Fields, Field{Name: "u", Type: "#U@1"})
	is.Events[opened].Fields = append(is.Events[opened].Fields, Field{Name: "u", Type: "#U@1"})
	if got := Check(was, is, modelOf(is), false); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestUpcastersAreFollowedIntoNestedTypes(t *testing.T) {
	t.Parallel()
	was, is := base(), now()
	was.Events[0].Fields = append(was.Events[0].Fields, Field{Name: "tag", Type: "#Tag@1"})
	is.Definitions = append(is.Definitions, Definition{Name: "#tagV1@2", Fields: []Field{{Name: "word", Type: "int64"}, {Name: "more", Type: "string"}}})
	is.Upcasts[0].from = []Field{{Name: "tag", Type: "#tagV1@2"}}
	got := make([]string, 0, 2)
	for _, b := range breaches(was, is) {
		got = append(got, b.Rule+":"+b.Where)
	}
	if want := []string{"UPCAST_SHAPE:bank.closed@1/tag.word", "UPCAST_SHAPE:bank.closed@1/tag.more"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseRefusesTheMarksOfAMerge(t *testing.T) {
	t.Parallel()
	for _, mark := range []string{"<<<<<<< HEAD", "||||||| base", "=======", ">>>>>>> other"} {
		_, err := Parse([]byte("{\n" + mark + "\n}"))
		if err == nil || !strings.Contains(err.Error(), "line 2 begins with "+mark[:7]+": resolve the merge") {
			t.Errorf("%s: %v", mark, err)
		}
	}
}

func TestMergeKeepsWhatWasLocked(t *testing.T) {
	t.Parallel()
	was, is := base(), now()
	is.Retired = nil
	is.Events[opened].Fields = is.Events[opened].Fields[:1]
	merged := Merge(was, is)
	if len(merged.Events) != 3 || merged.Events[0].Revision != 1 || len(merged.Events[2].Fields) != 1 || len(merged.Retired) != 1 {
		t.Errorf("%+v", merged)
	}
	if len(merged.Definitions) != 0 {
		t.Errorf("nobody refers to %+v", merged.Definitions)
	}
}

func TestMergeLocksWhatOnlyAnUpcasterKnows(t *testing.T) {
	t.Parallel()
	merged := Merge(File{}, now())
	if e := merged.Events[0]; e.Name != "bank.closed" || e.Revision != 1 || len(e.Fields) != 1 {
		t.Errorf("%+v", merged.Events)
	}
}

func TestBytesAreReadBack(t *testing.T) {
	t.Parallel()
	f := base()
	f.Accepted = []Accepted{{"FIELD_REMOVED", "bank.opened@1/x", `because "quotes", commas and \ are in it`}}
	text, err := f.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	more, err := again.Bytes()
	if err != nil || string(more) != string(text) {
		t.Errorf("%v\n%s\n%s", err, text, more)
	}
	if !strings.Contains(string(text), `{"name": "owner", "type": "string", "go": "Owner"}`) {
		t.Errorf("a field is not on a line of its own:\n%s", text)
	}
}

func TestValuesWithoutConstantsAreRead(t *testing.T) {
	t.Parallel()
	f, err := Parse([]byte(`{"format": 1, "definitions": [{"name": "#A@1", "type": "string", "values": ["x", {"value": "y", "go": "Y"}]}]}`))
	if err != nil || !slices.Equal(f.Definitions[0].Values, []Value{{"x", ""}, {"y", "Y"}}) {
		t.Errorf("%+v, %v", f, err)
	}
}

func FuzzParse(f *testing.F) {
	text, err := base().Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"format":1}`))
	// Types that lack what they are of.
	f.Add([]byte(strings.ReplaceAll(string(text), "optional<string>", "optional")))
	f.Add([]byte(strings.NewReplacer("custom<bank.Money>", "custom", "map<string,array<#Tag@1>>", "map<>").Replace(string(text))))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := Parse(data)
		if err != nil {
			return
		}
		_ = breaches(parsed, now())
		_ = breaches(base(), parsed)
	})
}

func TestTypes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"string", "map<string,array<#Tag@1>>", "array4<uint8>", "optional<map<int64,optional<time>>>", "custom<p.Pair[int,string]>", "#Pair[int,string]@12"} {
		if got := parseType(text).String(); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}

// What a rule finds in more than one way.
func TestWhatIsReadAsAnother(t *testing.T) {
	t.Parallel()
	two := func(was, is *File) {
		for _, f := range []*File{was, is} {
			f.Events = append(f.Events, Event{Name: "bank.in", Revision: 1, Family: "bank", Go: "In"}, Event{Name: "bank.out", Revision: 1, Family: "bank", Go: "Out"})
			f.sort()
		}
	}
	event := func(f *File, name string, revision int) *Event {
		return &f.Events[slices.IndexFunc(f.Events, func(e Event) bool { return e.Name == name && e.Revision == revision })]
	}
	cases := map[string]struct {
		want   string
		change func(was, is *File)
	}{
		"two events change names": {"NAME_REUSED:bank.in@1", func(was, is *File) {
			two(was, is)
			event(is, "bank.in", 1).Go, event(is, "bank.out", 1).Go = "Out", "In"
		}},
		"a Go type has another name": {"", func(was, is *File) {
			two(was, is)
			event(is, "bank.in", 1).Go = "Arrived"
		}},
		"a retired event is back": {"", func(was, is *File) {
			two(was, is)
			was.Retired = append(was.Retired, Retired{Name: "bank.in", Go: "In"})
		}},
		"a retired event's name is another's": {"NAME_REUSED:bank.in@1", func(was, is *File) {
			two(was, is)
			was.Retired = append(was.Retired, Retired{Name: "bank.in", Go: "In"})
			event(is, "bank.in", 1).Go = "Arrived"
		}},
		"two fields change names": {"FIELD_RENAMED:bank.opened@1/owner", func(was, is *File) {
			for _, f := range []*File{was, is} {
				event(f, "bank.opened", 1).Fields = append(event(f, "bank.opened", 1).Fields, Field{Name: "payer", Type: "string", Go: "Payer"})
			}
			event(is, "bank.opened", 1).Fields[0].Go, event(is, "bank.opened", 1).Fields[7].Go = "Payer", "Owner"
		}},
		"two members change names": {"MEMBER_REMOVED:bank.opened@1/pay", func(was, is *File) {
			was.Definitions[1].Members = []Field{{Name: "card", Type: "#Card@1"}, {Name: "cash", Type: "#Cash@1"}}
			is.Definitions[1] = Definition{Name: "#Payment@2", Members: []Field{{Name: "card", Type: "#Cash@1"}, {Name: "cash", Type: "#Card@1"}}}
			field(is, "pay").Type = "#Payment@2"
		}},
		"a field is added to a member without one": {"FIELD_ADDED:bank.opened@1/pay.cash.counter", func(was, is *File) {
			was.Definitions[1].Members[1].Type = "#Cash@1"
			was.Definitions = append(was.Definitions, Definition{Name: "#Cash@1"})
			is.Definitions[1] = Definition{Name: "#Payment@2", Members: []Field{{Name: "card", Type: "#Tag@1"}, {Name: "cash", Type: "#Cash@2"}}}
			is.Definitions = append(is.Definitions, Definition{Name: "#Cash@2", Fields: []Field{{Name: "counter", Type: "int64"}}})
			field(is, "pay").Type = "#Payment@2"
		}},
		"a member writes itself": {"KIND_CHANGED:bank.opened@1/pay", func(was, is *File) {
			is.Definitions[1] = Definition{Name: "#Payment@2", Members: []Field{{Name: "card", Type: "#Tag@1"}, {Name: "cash", Type: "text<Cash>"}}}
			field(is, "pay").Type = "#Payment@2"
		}},
		"an alias is another event's": {"ALIAS_REMOVED:bank.opened@1", func(was, is *File) {
			two(was, is)
			event(is, "bank.opened", 1).Aliases, event(is, "bank.in", 1).Aliases = nil, []string{"bank.begun"}
		}},
		"an alias is read by an upcaster": {"", func(was, is *File) {
			event(is, "bank.opened", 1).Aliases = nil
			is.Upcasts = append(is.Upcasts, Upcast{Name: "bank.begun", Revision: 1, family: "bank"})
		}},
		"ids have another text": {"FAMILY_CHANGED:bank", func(_, is *File) { is.Families[0].Text = "integer" }},
		"ids have another text again": {"FAMILY_CHANGED:bank", func(was, is *File) {
			was.Accepted = []Accepted{{"FAMILY_CHANGED", "bank", "no streams yet"}}
			is.Families[0].Text = "integer"
		}},
		"msgpack has another name": {"FIELD_RENAMED:bank.opened@1/owner", func(_, is *File) { field(is, "owner").Msgpack = "o" }},
		"msgpack lacks a field":    {"FIELD_REMOVED:bank.opened@1/owner", func(_, is *File) { field(is, "owner").Msgpack = "-" }},
		"the second type of a name changes": {"KIND_CHANGED:bank.in@2/amount", func(was, is *File) {
			two(was, is)
			for _, f := range []*File{was, is} {
				f.Events = append(f.Events, Event{Name: "bank.in", Revision: 2, Family: "bank", Go: "In2", Fields: []Field{{Name: "amount", Type: "int64"}}})
				f.sort()
			}
			event(is, "bank.in", 2).Fields = []Field{{Name: "amount", Type: "string"}}
		}},
		"an upcaster reads a renamed event": {"UPCAST_SHAPE:bank.closed@1/why", func(_, is *File) {
			is.Events[0].Name, is.Events[0].Aliases = "bank.ended", []string{"bank.closed"}
			is.Upcasts[0].Name, is.Upcasts[0].from[0].Type = "bank.ended", "bool"
		}},
		"an upcaster reads no null": {"UPCAST_SHAPE:bank.closed@1/why", func(was, _ *File) {
			was.Events[0].Fields[0].Type = "optional<string>"
		}},
		"an upcaster reads a nested field by another name": {"UPCAST_SHAPE:bank.closed@1/tag.word", func(was, is *File) {
			was.Events[0].Fields = append(was.Events[0].Fields, Field{Name: "tag", Type: "#Tag@1"})
			is.Definitions = append(is.Definitions, Definition{Name: "#tagV1@2", Fields: []Field{{Name: "wrd", Type: "string", Go: "Word"}}})
			is.Upcasts[0].from = []Field{{Name: "tag", Type: "#tagV1@2"}}
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			was, is := base(), now()
			c.change(&was, &is)
			var got []string
			for _, b := range Check(was, is, modelOf(is), false) {
				if !b.Warning {
					got = append(got, b.Rule+":"+b.Where)
				}
			}
			if c.want == "" && len(got) > 0 || c.want != "" && !slices.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// What reads an event in one family reads nothing in the streams of another.
func TestEachFamilyReadsItsOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want   string
		change func(is *File, p *templates.Package)
	}{
		"retired": {"EVENT_REMOVED:bank.opened@1", func(is *File, p *templates.Package) {
			is.Retired = append(is.Retired, Retired{Name: "bank.opened"}, Retired{Name: "bank.begun"})
			p.Families[0].Retired = append(p.Families[0].Retired, templates.Retired{Name: "bank.opened"})
		}},
		"upcast": {"EVENT_REMOVED:bank.opened@1", func(is *File, _ *templates.Package) {
			is.Upcasts = append(is.Upcasts, Upcast{Name: "bank.opened", Revision: 1, family: "bank"}, Upcast{Name: "bank.begun", Revision: 1, family: "bank"})
		}},
	} {
		was, is := base(), now()
		both := was.Events[2]
		both.Family = "card"
		was.Events = append(was.Events, both)
		is.Events = is.Events[:1]
		p := modelOf(is)
		c.change(&is, &p)
		var got []string
		for _, b := range Check(was, is, p, false) {
			got = append(got, b.Rule+":"+b.Where)
			if !strings.Contains(b.Text, "in streams of family card") {
				t.Errorf("%s: %s", name, b.Text)
			}
		}
		if !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestWhatIsBackIsNotRetiredInTheLock(t *testing.T) {
	t.Parallel()
	was, is := base(), now()
	was.Retired = append(was.Retired, Retired{Name: "bank.opened", Go: "Opened"})
	if merged := Merge(was, is); len(merged.Retired) != 1 {
		t.Errorf("%+v", merged.Retired)
	}
}
