package subscribe

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/esgen/esgen/runtime/store"
)

// reads says what is read, in words. Categories and types are sorted by now.
func (c Config) reads() string {
	var what string
	switch {
	case c.Stream != "":
		what = "stream " + quote(c.Stream)
	case len(c.Categories) > 0:
		what = "categories " + quote(c.Categories...)
	default:
		what = store.All
	}
	if len(c.Only) > 0 {
		what += "; types " + quote(c.Only...)
	}
	return what
}

// settings are stored with the subscription, so that a program that reads
// something else under the same name, or divides it otherwise, is refused.
func (c Config) settings() string {
	by := "stream"
	switch {
	case c.Key != nil:
		by = "function " + quote(c.KeyName)
	case c.KeyTag != "":
		by = "metadata " + quote(c.KeyTag)
	}
	lanes := "1 lane"
	if c.Lanes != 1 {
		lanes = fmt.Sprintf("%d lanes", c.Lanes)
	}
	return c.reads() + "; " + lanes + " by " + by
}

// quote lists names so that no name can look like another setting.
func quote(names ...string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strings.ReplaceAll(strconv.Quote(name), ";", `\x3b`)
	}
	return strings.Join(quoted, ", ")
}

// differences are the parts in which two settings differ.
func differences(stored, given string) (from, to string) {
	a, b := strings.Split(stored, "; "), strings.Split(given, "; ")
	only := func(these, those []string) string {
		var parts []string
		for _, part := range these {
			found := false
			for _, other := range those {
				found = found || part == other
			}
			if !found {
				parts = append(parts, part)
			}
		}
		if parts == nil {
			return "nothing of that"
		}
		return strings.Join(parts, "; ")
	}
	return only(a, b), only(b, a)
}

// query is what the subscription reads, without a place and a limit.
func (c Config) query() store.Query {
	return store.Query{Stream: c.Stream, Categories: c.Categories, Types: c.Only}
}

// place is the number by which the subscription counts r.
func (c Config) place(r *store.Recorded) uint64 {
	if c.Stream != "" {
		return uint64(r.Version)
	}
	return uint64(r.Position)
}
