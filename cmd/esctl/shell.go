package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/esgen/esgen/runtime/store"
)

// Exit codes.
const (
	done   = 0
	failed = 1
	misuse = 2
)

// dsnVariable is where the DSN comes from unless -dsn gives one.
const dsnVariable = "ESGEN_DSN"

// shell is what surrounds the program, and what all verbs are told.
type shell struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	settings
}

// settings are the flags that several verbs have.
type settings struct {
	verb string
	// dsn may hold a password.
	dsn     string
	json    bool
	schemas names
	all     bool
}

// names is a flag that may be given several times.
type names []string

func (n *names) String() string { return strings.Join(*n, " ") }

func (n *names) Set(text string) error {
	*n = append(*n, text)
	return nil
}

// notef tells the user something that is no result.
func (s shell) notef(format string, args ...any) { fmt.Fprintf(s.stderr, format+"\n", args...) }

// printf writes a line of the result.
func (s shell) printf(format string, args ...any) { fmt.Fprintf(s.stdout, format+"\n", args...) }

// object writes a line of the result for programs.
func (s shell) object(v any) error {
	e := json.NewEncoder(s.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printable replaces what would move the cursor or break the line: texts are
// whatever was stored once, and end up on an operator's terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return utf8.RuneError
		}
		return r
	}, text)
}

// terminal returns the file behind w if it is one, else nil.
func terminal(w any) *os.File {
	if o, ok := w.(*output); ok {
		w = o.to
	}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return file
	}
	return nil
}

// output remembers the first error of writing, which is one for the whole program:
// a full disk must not look like a result.
type output struct {
	to  io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.to.Write(b)
	o.err = err
	return n, err
}

// usageError is a call that makes no sense, whatever is in the database.
type usageError struct{ verb, reason string }

func (e usageError) Error() string { return e.reason }

// misused is a [usageError] of the verb that runs.
func (s shell) misused(format string, args ...any) error {
	return usageError{s.verb, fmt.Sprintf(format, args...)}
}

// foundError says that the verb did its work, and found something.
type foundError struct{ what string }

func (e foundError) Error() string { return e.what }

// run carries args out and returns the exit code. It ends soon after ctx.
func (s shell) run(ctx context.Context, args []string) int {
	out := &output{to: s.stdout}
	s.stdout = out
	err := s.call(ctx, args)
	if err == nil && out.err != nil {
		err = fmt.Errorf("write the result: %w", out.err)
	}
	usage, called := errors.AsType[usageError](err)
	switch {
	case err == nil:
		return done
	case called:
		s.notef("esctl: %v\nSee: %s", err, strings.TrimSpace("esctl "+usage.verb)+" -h")
		return misuse
	case ctx.Err() != nil:
		s.notef("esctl: interrupted: %v", err)
	default:
		s.notef("esctl: %s", explain(args, err))
	}
	return failed
}

// explain adds what to type to an error of a store.
func explain(args []string, err error) string {
	missing, ok := errors.AsType[*store.NotMigratedError](err)
	switch {
	case noDatabase(err) && !slices.Contains(args, "create"):
		return err.Error() + "\nTo make the database, see: esctl create -h"
	case ok && missing.Have == 0:
		return err.Error() + "\nTo make one here, see: esctl create -h"
	case ok && missing.Have < missing.Want:
		return err.Error() + "\nTo migrate it, see: esctl migrate -h"
	default:
		return err.Error()
	}
}

func (s shell) call(ctx context.Context, args []string) error {
	global := newFlags("")
	s.declare(global)
	rest, err := parse(global, args, false)
	switch {
	case errors.Is(err, flag.ErrHelp) || err == nil && len(rest) > 0 && rest[0] == "help":
		s.printf("%s", manual())
		return nil
	case err != nil:
		return err
	case len(rest) == 0:
		return usageError{reason: "no verb"}
	}
	v, ok := find(rest[0])
	switch {
	case isDSN(rest[0]):
		return usageError{reason: "a DSN stands where the verb belongs; give it with -dsn"}
	case !ok:
		return usageError{reason: fmt.Sprintf("unknown verb %q", rest[0])}
	}
	s.verb = v.name
	flags := newFlags(v.name)
	s.declare(flags)
	v.declare(flags, &s.settings)
	act := v.prepare(flags)
	rest, err = parse(flags, rest[1:], true)
	switch {
	case errors.Is(err, flag.ErrHelp):
		s.printf("%s", v.manual(flags))
		return nil
	case err != nil:
		return err
	case slices.ContainsFunc(rest, isDSN) || misplaced(flags):
		return s.misused("a DSN stands where none belongs; give it with -dsn")
	case len(rest) < v.least() || len(rest) > v.most():
		return s.misused("%s takes %s, not %s", v.name, v.operands(), count(len(rest), "argument"))
	}
	return act(ctx, s, rest)
}

func (s *shell) declare(f *flag.FlagSet) {
	if s.dsn == "" {
		s.dsn = s.getenv(dsnVariable)
	}
	f.StringVar(&s.dsn, "dsn", s.dsn, "where the store is: a `DSN`, see esctl -h")
	f.BoolVar(&s.json, "json", s.json, "print one JSON object per line, for programs")
}

// count is "1 stream", "2 streams", with thousands set apart.
func count[N int | int64 | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return group(n) + " " + noun + "s"
}

// group sets the thousands apart: "10 000".
func group[N int | int64 | uint64](n N) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return digits
}
