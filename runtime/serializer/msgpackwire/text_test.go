package msgpackwire

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// isText agrees with the standard library wherever a byte stands.
func TestIsText(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		for at := range n + 1 {
			for _, piece := range []string{"", "\x00", "\x01", "\x7f", "\x80", "\xff", "é", "€", "\xc3", "é\x00"} {
				s := strings.Repeat("a", at) + piece + strings.Repeat("b", n-at)
				want := utf8.ValidString(s) && !strings.Contains(s, "\x00")
				if got := isText(s); got != want {
					t.Fatalf("%q: got %v, want %v", s, got, want)
				}
			}
		}
	}
}
