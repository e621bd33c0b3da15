package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

func newFlags(verb string) *flag.FlagSet {
	f := flag.NewFlagSet(verb, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f
}

// parse returns the arguments that are no flags. Flags may stand between them if
// mixed is set.
func parse(f *flag.FlagSet, args []string, mixed bool) (rest []string, _ error) {
	for len(args) > 0 {
		if args[0] == "--" {
			return append(rest, args[1:]...), nil
		}
		if args[0] == "-" || !strings.HasPrefix(args[0], "-") {
			if !mixed {
				return args, nil
			}
			rest, args = append(rest, args[0]), args[1:]
			continue
		}
		// One flag at a time, for a "--" behind flags would vanish.
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usageError{f.Name(), withoutDSN(err, f)}
		}
		left := f.Args()
		if n := len(args) - len(left); n > 0 && args[n-1] == "--" {
			return append(rest, left...), nil
		}
		args = left
	}
	return rest, nil
}

// withoutDSN keeps a DSN that stands in the wrong place off the screen.
func withoutDSN(err error, f *flag.FlagSet) string {
	if text := err.Error(); !isDSN(text) {
		return text
	}
	return fmt.Sprintf("a flag of esctl %s cannot be read; it holds a DSN, which is not shown", f.Name())
}

// isDSN reports whether a text may hold a password.
func isDSN(text string) bool {
	return strings.Contains(text, "postgres:") || strings.Contains(text, "postgresql:") || strings.Contains(text, "://")
}

// misplaced reports whether a flag that takes no DSN was given one.
func misplaced(f *flag.FlagSet) (found bool) {
	f.Visit(func(v *flag.Flag) {
		found = found || v.Name != "dsn" && v.Name != "maintenance" && isDSN(v.Value.String())
	})
	return found
}

// moment is a flag that holds a time.
type moment struct{ time.Time }

func (m *moment) String() string {
	if m == nil || m.IsZero() {
		return ""
	}
	return m.Format(time.RFC3339)
}

func (m *moment) Set(text string) error {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			m.Time = t
			return nil
		}
	}
	return errors.New("a time is 2026-01-31T12:00:00Z, 2026-01-31 12:00 or 2026-01-31, in UTC unless it says otherwise")
}

// pairs is a flag KEY=VALUE that may be given several times.
type pairs map[string]string

func (p *pairs) String() string { return "" }

func (p *pairs) Set(text string) error {
	key, value, found := strings.Cut(text, "=")
	if !found || key == "" {
		return errors.New("it is KEY=VALUE")
	}
	if *p == nil {
		*p = make(pairs)
	}
	if _, again := (*p)[key]; again {
		return fmt.Errorf("key %s is given twice, and no event has two values", printable(key))
	}
	(*p)[key] = value
	return nil
}
