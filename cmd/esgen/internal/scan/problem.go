package scan

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
	"strings"

	"github.com/esgen/esgen/templates"
)

// Problem is something the author of the source has to change.
type Problem struct {
	// Position is where; its file name is absolute.
	Position token.Position
	// Message says what is wrong and what to write instead.
	Message string
}

// problems collects what is wrong with one package.
type problems struct {
	fset *token.FileSet
	list []Problem
}

// at is where the author finds pos, whatever //line comments say.
func (p *problems) at(pos token.Pos) token.Position { return p.fset.PositionFor(pos, false) }

func (p *problems) addf(pos token.Pos, format string, args ...any) {
	p.list = append(p.list, Problem{Position: p.at(pos), Message: oneLine(fmt.Sprintf(format, args...))})
}

// oneLine joins the lines of what other tools say: a problem is one line.
func oneLine(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, " ")
}

// where is a position inside a message: the base name is enough there.
func (p *problems) where(pos token.Pos) string {
	at := p.at(pos)
	return fmt.Sprintf("%s:%d:%d", base(at.Filename), at.Line, at.Column)
}

// place is a position for the model.
func (p *problems) place(pos token.Pos) templates.Position {
	at := p.at(pos)
	return templates.Position{File: base(at.Filename), Line: at.Line, Column: at.Column}
}

// ordered returns the problems by position, each once.
func ordered(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Position.Filename, b.Position.Filename),
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(list)
}
