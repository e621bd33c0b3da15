package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// told is a finding as JSON. Its names are stable.
type told struct {
	Rule    string `json:"rule"`
	Warning bool   `json:"warning"`
	Where   string `json:"where"`
	Text    string `json:"text"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
}

// tell prints what was found and returns the exit code.
func (c *checking) tell() int {
	slices.SortStableFunc(c.found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	list := make([]told, 0, len(c.found))
	breaking := false
	for _, f := range c.found {
		breaking = breaking || !f.Warning
		list = append(list, told{f.Rule, f.Warning, f.Where, f.Text, f.path, max(1, f.At.Line), max(1, f.At.Column)})
	}
	switch c.format {
	case "json":
		text, err := json.MarshalIndent(list, "", "  ")
		if err != nil {
			return c.fail(err)
		}
		fmt.Fprintln(c.stdout, string(text))
	case "github":
		for _, t := range list {
			fmt.Fprintln(c.stdout, t.annotation())
		}
	default:
		for _, t := range list {
			fmt.Fprintln(c.stdout, t.line())
		}
		if breaking && c.code == exitOK {
			fmt.Fprintln(c.stderr, "esgen: to accept one knowingly: esgen check -update -accept RULE:WHERE -reason \"…\"")
		}
	}
	if breaking {
		c.code = max(c.code, exitProblems)
	}
	return c.code
}

func (t told) line() string {
	word := t.Rule
	if t.Warning {
		word = "warning " + word
	}
	return fmt.Sprintf("%s:%d:%d: %s:%s %s", t.File, t.Line, t.Column, word, t.Where, t.Text)
}

// annotation is a line that the checks of a pull request show beside the source.
func (t told) annotation() string {
	level := "error"
	if t.Warning {
		level = "warning"
	}
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	text := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	return fmt.Sprintf("::%s file=%s,line=%d,col=%d,title=%s::%s", level,
		property.Replace(t.File), t.Line, t.Column, property.Replace(t.Rule+" "+t.Where), text.Replace(t.Text))
}
