// Package printable shows names in errors and logs.
package printable

import (
	"strconv"
	"unicode/utf8"
)

// Name returns name as it is, or quoted as in Go if it holds a line break, a
// control character or anything else that does not print: a stored name must
// not be able to forge a line of a log.
func Name(name string) string {
	for _, r := range name {
		if !strconv.IsPrint(r) || r == utf8.RuneError {
			return strconv.Quote(name)
		}
	}
	return name
}
