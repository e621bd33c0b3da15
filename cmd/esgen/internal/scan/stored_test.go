package scan_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/esgen/esgen/cmd/esgen/internal/scan"
	"github.com/esgen/esgen/templates"
)

func zoo(t *testing.T) templates.Family {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("testdata", "shapes"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := scan.Packages(t.Context(), []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found[0].Problems {
		t.Errorf("%s: %s", p.Position, p.Message)
	}
	if t.Failed() {
		t.FailNow()
	}
	return found[0].Model.Families[0]
}

func TestShapesAreWhatIsStored(t *testing.T) {
	t.Parallel()
	want := strings.TrimSpace(`
name string [Name] omitempty // Name is the owner's.
Small int8 [Small] // a small number
count uint32 [Count] string
Ratio float32 [Ratio]
open bool [Open]
bytes binary [Bytes]
numbers array of 4 uint8 [Numbers]
at time [At] omitzero
for duration [For]
id uuid [ID]
raw anything [Raw]
number decimal [Number]
color string(blue red) [Color]
level int64(9 10) [Level]
text own-text [Text]
own custom [Own]
tags map string(blue red) array {word string [Word]} [Tags]
next optional {next again [Next]} [Next]
pair {a int16 [A]; b int16 [B]} [Pair]
payment union card {number string [Number]} [Payment]
kind string [Base Kind]
depth int64 [Deep* Deepest Depth]`)
	got := make([]string, 0, 32)
	for _, p := range zoo(t).Events[0].Shape.Properties {
		got = append(got, propertyText(p, map[*templates.Shape]bool{}))
	}
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

func TestUpcastersHaveShapes(t *testing.T) {
	t.Parallel()
	f := zoo(t)
	if text := shapeText(f.Upcasts[0].FromShape, nil); text != "{reason string [Reason]}" {
		t.Errorf("the upcaster reads %s", text)
	}
	if at := f.Events[0].At; at != (templates.Position{File: "zoo.go", Line: 11, Column: 6}) {
		t.Errorf("the event stands at %+v", at)
	}
}

func propertyText(p templates.Property, seen map[*templates.Shape]bool) string {
	path := make([]string, len(p.Path))
	for i, step := range p.Path {
		path[i] = step
		if p.Through[i] {
			path[i] += "*"
		}
	}
	text := fmt.Sprintf("%s %s %v", p.Name, shapeText(p.Shape, seen), path)
	for word, on := range map[string]bool{" omitempty": p.OmitEmpty, " omitzero": p.OmitZero, " string": p.AsString} {
		if on {
			text += word
		}
	}
	if p.Doc != "" {
		text += " // " + strings.TrimSpace(p.Doc)
	}
	return text
}

func shapeText(s *templates.Shape, seen map[*templates.Shape]bool) string {
	words := map[templates.ShapeKind]string{
		templates.AnyShape: "any", templates.BoolShape: "bool", templates.StringShape: "string", templates.IntShape: "int",
		templates.UintShape: "uint", templates.FloatShape: "float", templates.BytesShape: "binary", templates.TimeShape: "time",
		templates.DurationShape: "duration", templates.UUIDShape: "uuid", templates.RawShape: "anything", templates.NumberShape: "decimal",
		templates.TextShape: "own-text", templates.CustomShape: "custom",
	}
	if word, ok := words[s.Kind]; ok {
		if s.Bits > 0 {
			word += fmt.Sprint(s.Bits)
		}
		if len(s.Constants) > 0 {
			word += "(" + strings.Join(s.Constants, " ") + ")"
		}
		return word
	}
	if seen[s] {
		return "again"
	}
	if seen == nil {
		seen = map[*templates.Shape]bool{}
	}
	seen[s] = true
	defer delete(seen, s)
	switch s.Kind {
	case templates.ObjectShape:
		parts := make([]string, len(s.Properties))
		for i, p := range s.Properties {
			parts[i] = propertyText(p, seen)
		}
		return "{" + strings.Join(parts, "; ") + "}"
	case templates.ArrayShape:
		if s.Len >= 0 {
			return fmt.Sprintf("array of %d %s", s.Len, shapeText(s.Elem, seen))
		}
		return "array " + shapeText(s.Elem, seen)
	case templates.MapShape:
		return "map " + shapeText(s.Key, seen) + " " + shapeText(s.Elem, seen)
	case templates.OptionalShape:
		return "optional " + shapeText(s.Elem, seen)
	default:
		text := "union"
		for _, m := range s.Members {
			text += " " + m.Name + " " + shapeText(m.Shape, seen)
		}
		return text
	}
}
