package estest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/estest"
)

// said keeps what a test says.
type said struct {
	testing.TB
	text string
}

func (*said) Helper() {}

func (s *said) Errorf(format string, args ...any) { s.text += fmt.Sprintf(format, args...) }

func TestCurrent(t *testing.T) {
	t.Parallel()
	type line struct {
		Article string `json:"article"`
		Count   int    `json:"count"`
	}
	for want, ask := range map[string]func(testing.TB){
		"": estest.Current[struct {
			Article string `json:"article"`
			Count   int    `json:"count"`
		}, line],
		`field Article of estest_test.line is tagged "json:\"article\"", and was "json:\"name\"" when esgen read it: run go generate`: estest.Current[struct {
			Article string `json:"name"`
			Count   int    `json:"count"`
		}, line],
		"field Count of estest_test.line has type int, and had int64": estest.Current[struct {
			Article string `json:"article"`
			Count   int64  `json:"count"`
		}, line],
		"field 2 of estest_test.line is called Count, and was called Number": estest.Current[struct {
			Article string `json:"article"`
			Number  int    `json:"count"`
		}, line],
		"estest_test.line has 2 fields, and had 0":       estest.Current[struct{}, line],
		"estest_test.line is a struct, and was a string": estest.Current[string, line],
	} {
		s := &said{TB: t}
		ask(s)
		if !strings.HasPrefix(s.text, want) || want == "" && s.text != "" {
			t.Errorf("said %q, want %q", s.text, want)
		}
	}
}
