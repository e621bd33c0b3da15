package catalog

import (
	"fmt"
	"html/template"
	"unicode/utf8"
)

// The measures of the diagram, in the units of the drawing.
const (
	boxWidth  = 270
	boxGap    = 18
	lineHigh  = 20
	headHigh  = 34
	farRight  = 470
	shownMost = 10
)

// box is a rectangle with lines of text.
type box struct {
	X, Y, Width, Height int
	Class, Head, Link   string
	Lines               []string
}

// Title is the head with its place.
func (b box) Title() text { return text{X: b.X + 14, Y: b.Y + 23, Text: b.Head} }

// Texts are the lines with their places.
func (b box) Texts() []text {
	list := make([]text, len(b.Lines))
	for i, line := range b.Lines {
		list[i] = text{X: b.X + 14, Y: b.Y + headHigh + lineHigh*i + 10, Text: line}
	}
	return list
}

// Middle is where curves begin and end.
func (b box) Middle() int { return b.Y + b.Height/2 }

type text struct {
	X, Y int
	Text string
}

// diagram has the families on the left and what subscribes to them on the right.
type diagram struct {
	Width, Height int
	Boxes         []box
	Curves        []template.HTMLAttr
}

// Diagram lays out families and subscriptions.
func (c catalog) Diagram() diagram {
	d := diagram{Width: boxWidth + 2}
	left, right := 1, 1
	for _, f := range c.Families {
		b := box{X: 1, Y: left, Width: boxWidth, Class: "family", Head: short(f.Name), Link: "#family-" + f.Name}
		for i, s := range f.Stored {
			if i == shownMost && len(f.Stored) > shownMost+1 {
				b.Lines = append(b.Lines, fmt.Sprintf("and %d more", len(f.Stored)-shownMost))
				break
			}
			b.Lines = append(b.Lines, short(s.Title()))
		}
		b.Height = headHigh + lineHigh*len(b.Lines) + 6
		subscribers := make([]box, 0, len(f.Subscriptions))
		for _, s := range f.Subscriptions {
			one := box{
				X: farRight, Y: right, Width: boxWidth, Class: "subscription", Head: short(s.Name), Link: "#family-" + f.Name,
				Lines: []string{short(s.Handler)},
			}
			one.Height = headHigh + lineHigh + 6
			right += one.Height + boxGap
			subscribers = append(subscribers, one)
		}
		if len(subscribers) > 0 {
			d.Width = farRight + boxWidth + 2
		}
		d.Boxes = append(append(d.Boxes, b), subscribers...)
		for _, s := range subscribers {
			from, middle := b.X+b.Width, (b.X+b.Width+s.X)/2
			//nolint:gosec // numbers only
			d.Curves = append(d.Curves, template.HTMLAttr(fmt.Sprintf(`d="M%d %d C%d %d %d %d %d %d"`,
				from, b.Middle(), middle, b.Middle(), middle, s.Middle(), s.X-7, s.Middle())))
		}
		left += b.Height + boxGap
		left = max(left, right)
		right = left
	}
	d.Height = max(left, right) - boxGap + 1
	return d
}

// short cuts what is too wide for a box.
func short(text string) string {
	const most = 30
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	runes := []rune(text)
	return string(runes[:most-1]) + "…"
}
