package catalog

import (
	"fmt"
	"strings"

	"github.com/esgen/esgen/templates"
)

// writer adds lines.
type writer struct{ strings.Builder }

func (w *writer) linef(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

const mark = "<!-- " + Marker + " -->"

// index lists the families and draws them.
func (c catalog) index() []byte {
	var w writer
	w.linef("%s\n\n# Events of %s\n", mark, c.Title)
	w.linef("[As one page](index.html)\n")
	w.linef("| family | streams | events | subscriptions |\n|---|---|---|---|")
	for _, f := range c.Families {
		w.linef("| [%s](%s.md) | `%s-<id>` | %d | %s |", f.Name, f.Name, f.Name, len(f.Stored), subscriptionNames(f))
	}
	w.linef("\n```mermaid\nflowchart LR")
	n := 0
	for i, f := range c.Families {
		w.linef("  f%d[\"%s\"]", i, mermaid(f.Name))
		for _, s := range f.Subscriptions {
			w.linef("  f%d --> s%d([\"%s\"])", i, n, mermaid(s.Name))
			n++
		}
	}
	w.linef("```")
	return []byte(w.String())
}

func subscriptionNames(f family) string {
	names := make([]string, len(f.Subscriptions))
	for i, s := range f.Subscriptions {
		names[i] = cell(s.Name)
	}
	return strings.Join(names, ", ")
}

// mermaid writes a label.
func mermaid(text string) string {
	return strings.NewReplacer(`"`, "#quot;", "<", "#lt;", "\n", " ").Replace(text)
}

// cell writes text into a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "_", `\_`).Replace(text)
}

// code writes text as code, in a table too.
func code(text string) string {
	return "`" + strings.NewReplacer("|", `\|`, "`", "'").Replace(text) + "`"
}

func (f family) markdown() []byte {
	var w writer
	w.linef("%s\n\n# %s\n", mark, f.Name)
	w.linef("Package `%s`. Streams are stored as `%s-<id>`; ids are of type `%s`.\n", f.Path, f.Name, typeText(f.ID.Type))
	if f.State != nil {
		w.linef("Folded into `%s`.\n", f.State.GoName)
		if f.State.Doc != "" {
			w.linef("%s", markdown(f.State.Doc))
		}
	}
	for _, s := range f.Stored {
		w.linef("- [%s](#%s) `%s`", s.Title(), s.Anchor(), s.Name)
	}
	w.linef("")
	if len(f.Subscriptions) > 0 {
		w.linef("## Subscriptions\n\n| name | handler | where |\n|---|---|---|")
		for _, s := range f.Subscriptions {
			w.linef("| %s | %s | %s |", cell(s.Name), code(s.Handler), code(s.File))
		}
		w.linef("")
	}
	w.linef("## Events\n")
	for _, s := range f.Stored {
		s.markdown(&w)
	}
	return []byte(strings.TrimRight(w.String(), "\n") + "\n")
}

func (s stored) markdown(w *writer) {
	w.linef("<a id=\"%s\"></a>\n\n### %s\n", s.Anchor(), s.Title())
	w.linef("Stored as `%s`%s.\n", s.Name, also(s.Aliases))
	if why := s.Why(); why != "" {
		w.linef("**%s**\n", why)
	}
	if s.Event != nil && s.Event.Doc != "" {
		w.linef("%s", markdown(s.Event.Doc))
	}
	for _, r := range s.Revisions {
		w.linef("#### Revision %d\n", r.Number)
		if r.Upcast != nil {
			functions, to := r.Chain()
			w.linef("Read as `%s`, which %s turns into `%s`.\n", r.Go, codes(functions), to)
			if r.Doc != "" {
				w.linef("%s", markdown(r.Doc))
			}
		}
		if list := r.Rows(); len(list) > 0 {
			w.linef("| field | type | present | |\n|---|---|---|---|")
			for _, p := range list {
				w.linef("| %s | %s | %s | %s |", code(p.Name), cell(p.Type), p.Presence, cell(p.Doc))
			}
			w.linef("")
		} else {
			w.linef("No fields.\n")
		}
		if r.Shape != nil {
			w.linef("```json\n%s\n```\n\n[JSON Schema](%s)\n", strings.TrimSpace(r.Example), r.Link())
		}
	}
	if len(s.Makes) > 0 {
		w.linef("Made by %s.\n", names(s.Makes))
	}
	if len(s.Handles) > 0 {
		w.linef("Handled by %s.\n", names(s.Handles))
	}
}

// Why says that the event is not appended any more, or nothing.
func (s stored) Why() string {
	reason := ""
	if s.Retired != nil && s.Retired.Reason != "" {
		reason = ": " + s.Retired.Reason
	}
	switch {
	case s.Event != nil && s.Event.Retired:
		return "Retired: read, and not appended any more" + reason
	case s.Event != nil:
		return ""
	case len(s.Revisions) > 0:
		return "Not appended any more: read as another event"
	}
	return "Retired: passed over when it is read" + reason
}

func also(aliases []string) string {
	if len(aliases) == 0 {
		return ""
	}
	return ", earlier as " + codes(aliases)
}

func codes(list []string) string {
	marked := make([]string, len(list))
	for i, text := range list {
		marked[i] = "`" + text + "`"
	}
	return strings.Join(marked, ", ")
}

func names(uses []templates.Use) string {
	list := make([]string, len(uses))
	for i, u := range uses {
		list[i] = fmt.Sprintf("`%s` (%s)", u.Name, u.File)
	}
	return strings.Join(list, ", ")
}
