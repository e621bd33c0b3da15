// Package report shows results as a page: tables and charts in one file, which
// loads nothing from elsewhere.
package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/esgen/esgen/bench/internal/result"
)

//go:embed page.html
var page string

var parsed = template.Must(template.New("page").Funcs(template.FuncMap{
	"short": result.Short,
	"ms":    func(us float64) string { return result.Short(us / 1000) },
	"whole": whole,
	"met":   func(r result.Row) bool { return r.AtLeast == 0 || r.Ratio >= r.AtLeast },
}).Parse(page))

// group is the rows whose names begin alike.
type group struct {
	Name   string
	Rows   []result.Row
	Charts []template.HTML
}

// Write writes the page of rows.
func Write(w io.Writer, rows []result.Row) error {
	var groups []*group
	var machines []string
	for _, r := range rows {
		if !slices.Contains(machines, r.On) {
			machines = append(machines, r.On)
		}
		name, _, _ := strings.Cut(r.Name, "/")
		i := slices.IndexFunc(groups, func(g *group) bool { return g.Name == name })
		if i < 0 {
			i, groups = len(groups), append(groups, &group{Name: name})
		}
		groups[i].Rows = append(groups[i].Rows, r)
	}
	for _, g := range groups {
		for _, draw := range []func([]result.Row) (string, error){ratios, rates, tails} {
			svg, err := draw(g.Rows)
			if err != nil {
				return fmt.Errorf("draw a chart of %s: %w", g.Name, err)
			}
			// Made by the library of numbers and of names that it escapes.
			g.Charts = append(g.Charts, template.HTML(svg))
		}
	}
	return parsed.Execute(w, struct {
		Machines []string
		Groups   []*group
	}{machines, groups})
}

// whole writes a number with its thousands apart.
func whole(v float64) string {
	text := fmt.Sprintf("%.0f", v)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	return text
}
