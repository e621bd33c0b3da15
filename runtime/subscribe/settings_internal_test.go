package subscribe

import (
	"reflect"
	"strings"
	"testing"
)

func TestSettingsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for text, s := range map[string]settings{
		"$all":                                 {lanes: 1},
		`stream "bank-a 17"`:                   {stream: "bank-a 17", lanes: 1},
		"stream \"bank-\\\"; 4 lanes by \\n\"": {stream: "bank-\"; 4 lanes by \n", lanes: 1},
		`categories "bank"`:                    {categories: []string{"bank"}, lanes: 1},
		`categories "a, b", "ä"; types "x; y", "z"`:       {categories: []string{"a, b", "ä"}, types: []string{"x; y", "z"}, lanes: 1},
		`$all; types "x"; 1024 lanes by "tag \"x\""`:      {types: []string{"x"}, lanes: 1024, key: `tag "x"`},
		`categories "bank", "cards"; 4 lanes by "stream"`: {categories: []string{"bank", "cards"}, lanes: 4, key: "stream"},
	} {
		if got := s.String(); got != text {
			t.Errorf("%+v is written as %s, want %s", s, got, text)
		}
		if got, err := parseSettings(text); err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%s is read as %+v, %v", text, got, err)
		}
	}
}

func TestSettingsOfAnotherReleaseAreNotGuessed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "everything", "$allx", "$all; ", "$all; 4 lanes", `$all; 1 lanes by "x"`, `$all; 4 lanes by "x", "y"`,
		`$all; 4 lanes by x`, "stream", "stream x", `stream "a", "b"`, `stream "a`, `categories "a",`, `categories "a"; types`,
		`categories "a"; 2 lanes by "x"; since 2026`,
	} {
		if got, err := parseSettings(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

func FuzzSettings(f *testing.F) {
	f.Add(`categories "a, b", "ä"; types "x; y", "z"; 4 lanes by "stream"`)
	f.Add(`stream "bank-a-17"`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSettings(text)
		if err != nil {
			return
		}
		again, err := parseSettings(s.String())
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%q is read as %+v, and its text as %+v, %v", text, s, again, err)
		}
	})
}

func TestDifferencesOfSettingsAreNamed(t *testing.T) {
	t.Parallel()
	stored := settings{categories: []string{"bank"}, lanes: 4, key: "stream"}
	for _, test := range []struct {
		given settings
		want  string
	}{
		{stored, ""},
		{settings{categories: []string{"cards"}, lanes: 4, key: "stream"}, `what it reads: stored categories "bank", this program asks for categories "cards"`},
		{settings{categories: []string{"bank"}, lanes: 8, key: "stream"}, "lanes: stored 4, this program asks for 8"},
		{settings{categories: []string{"bank"}, types: []string{"x"}, lanes: 4, key: "tag"}, `types: stored all, this program asks for "x"; key: stored "stream", this program asks for "tag"`},
		{settings{categories: []string{"bank"}, lanes: 1}, "lanes: stored 4, this program asks for 1"},
	} {
		if got := stored.differ(test.given); got != test.want {
			t.Errorf("%+v differs by %q, want %q", test.given, got, test.want)
		}
	}
	if words := (settings{stream: "a\nb"}).differ(settings{}); strings.Contains(words, "\n") {
		t.Errorf("%q holds a line break", words)
	}
}
