package printable_test

import (
	"testing"

	"github.com/esgen/esgen/internal/printable"
)

func TestName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":                "",
		"bank-a 17":       "bank-a 17",
		`ä𝄞 %_'"\`:        `ä𝄞 %_'"\`,
		"bank-\n1":        `"bank-\n1"`,
		"bank-\x1b[2J":    `"bank-\x1b[2J"`,
		"bank-\u202e1":    `"bank-\u202e1"`,
		"bank-\u2028\x00": `"bank-\u2028\x00"`,
		"bank-\xff":       `"bank-\xff"`,
	} {
		if got := printable.Name(name); got != want {
			t.Errorf("Name(%q) is %s, want %s", name, got, want)
		}
	}
}
