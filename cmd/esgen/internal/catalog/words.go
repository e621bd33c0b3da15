package catalog

import (
	"fmt"
	"go/doc/comment"
	"html/template"
	"strings"

	"github.com/esgen/esgen/templates"
)

// row is a property as a table shows it.
type row struct {
	Name, Type, Presence, Doc string
}

// Rows lists the properties of a revision.
func (r revision) Rows() []row {
	if r.Shape == nil {
		return nil
	}
	return rows(r.Shape, "", map[*templates.Shape]bool{r.Shape: true})
}

// rows lists properties, and below each those of the struct that it holds.
func rows(s *templates.Shape, path string, seen map[*templates.Shape]bool) []row {
	var list []row
	for _, p := range s.Properties {
		presence := "always"
		if !Required(p) {
			presence = "may be absent"
		}
		kind := Type(p.Shape)
		if p.AsString && quotable(p.Shape) {
			kind += " in quotes"
		}
		list = append(list, row{Name: path + p.Name, Type: kind, Presence: presence, Doc: oneLine(p.Doc)})
		inner, at := inside(p.Shape, path+p.Name)
		if inner != nil && !seen[inner] {
			seen[inner] = true
			list = append(list, rows(inner, at+".", seen)...)
			delete(seen, inner)
		}
	}
	return list
}

// inside finds the struct that a shape holds, and how one gets there.
func inside(s *templates.Shape, path string) (*templates.Shape, string) {
	switch s.Kind {
	case templates.ObjectShape:
		return s, path
	case templates.OptionalShape:
		return inside(s.Elem, path)
	case templates.ArrayShape:
		return inside(s.Elem, path+"[]")
	case templates.MapShape:
		return inside(s.Elem, path+"[key]")
	default:
		return nil, ""
	}
}

// Type says in words what is stored.
func Type(s *templates.Shape) string {
	text := ""
	switch s.Kind {
	case templates.AnyShape, templates.RawShape:
		return "any JSON"
	case templates.BoolShape:
		return "boolean"
	case templates.StringShape:
		text = "text"
	case templates.IntShape:
		text = fmt.Sprintf("whole number, %d bits", s.Bits)
	case templates.UintShape:
		text = fmt.Sprintf("whole number from 0, %d bits", s.Bits)
	case templates.FloatShape, templates.NumberShape:
		return "number"
	case templates.BytesShape:
		return "bytes"
	case templates.TimeShape:
		return "time"
	case templates.DurationShape:
		return "duration in nanoseconds"
	case templates.UUIDShape:
		return "UUID"
	case templates.TextShape:
		return "text of " + typeText(s.Go)
	case templates.CustomShape:
		return "as " + typeText(s.Go) + " writes it"
	case templates.ObjectShape:
		if s.Go.Name == "" {
			return objects
		}
		return typeText(s.Go)
	case templates.ArrayShape:
		if s.Len >= 0 {
			return fmt.Sprintf("%d of: %s", s.Len, Type(s.Elem))
		}
		return "list of " + Type(s.Elem)
	case templates.MapShape:
		return "map from " + Type(s.Key) + " to " + Type(s.Elem)
	case templates.OptionalShape:
		return Type(s.Elem) + " or null"
	case templates.UnionShape:
		names := make([]string, len(s.Members))
		for i, m := range s.Members {
			names[i] = m.Name
		}
		return "one of " + strings.Join(names, ", ")
	}
	if name := typeText(s.Go); s.Go.Kind == templates.Named && (s.Go.Path != "" || len(s.Constants) > 0) {
		text = name + ": " + text
	}
	if len(s.Constants) > 0 && s.Kind == templates.StringShape {
		text += " such as " + strings.Join(s.Constants, ", ")
	}
	return text
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// html writes a Go comment as HTML.
func html(text string) template.HTML {
	var p comment.Parser
	return template.HTML((&comment.Printer{HeadingLevel: 5}).HTML(p.Parse(text))) //nolint:gosec // the printer escapes
}

// markdown writes a Go comment as Markdown.
func markdown(text string) string {
	var p comment.Parser
	printer := comment.Printer{HeadingLevel: 4, HeadingID: func(*comment.Heading) string { return "" }}
	return string(printer.Markdown(p.Parse(text)))
}
