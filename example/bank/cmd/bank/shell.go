package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/runtime/store"
)

// Exit codes.
const (
	done   = 0
	failed = 1
	misuse = 2
)

// shell is what surrounds the program.
type shell struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	// dsn is the database that was chosen. It may hold a password.
	dsn string
}

// session is a shell with an open database.
type session struct {
	shell
	db   store.Store
	bank bank.Bank
}

// notef tells the user something that is no result.
func (s shell) notef(format string, args ...any) { fmt.Fprintf(s.stderr, format+"\n", args...) }

// printf writes a line of the result.
func (s shell) printf(format string, args ...any) { fmt.Fprintf(s.stdout, format+"\n", args...) }

// printable replaces what would move the cursor or break the line: texts are
// whatever was typed once, and end up on another person's terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return utf8.RuneError
		}
		return r
	}, text)
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
		s.notef("bank: %v\nSee: %s", err, strings.TrimSpace("bank "+usage.verb)+" -h")
		return misuse
	case ctx.Err() != nil:
		s.notef("bank: interrupted: %v", err)
	default:
		s.notef("bank: %s", explain(err))
	}
	return failed
}

func (s shell) call(ctx context.Context, args []string) error {
	global := newFlags("")
	dsn := global.String("db", s.place(), "")
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
	if !ok {
		return usageError{reason: fmt.Sprintf("unknown verb %q", rest[0])}
	}
	flags := newFlags(v.name)
	flags.StringVar(dsn, "db", *dsn, "the database: a `DSN`, see bank -h")
	act := v.prepare(flags)
	rest, err = parse(flags, rest[1:], true)
	switch {
	case errors.Is(err, flag.ErrHelp):
		s.printf("%s", v.manual(flags))
		return nil
	case err != nil:
		return err
	case len(rest) != len(v.args):
		return usageError{v.name, fmt.Sprintf("%s takes %s, not %s", v.name, v.operands(), count(len(rest), "argument"))}
	}
	s.dsn = *dsn
	return act(ctx, s, rest)
}

// place is where the accounts are unless -db says otherwise.
func (s shell) place() string {
	if dsn := s.getenv("BANK_DB"); dsn != "" {
		return dsn
	}
	return "sqlite:bank.db"
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
