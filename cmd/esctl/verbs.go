package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"strings"
)

// verb is one thing that the program can do.
type verb struct {
	name string
	// args are the names of its arguments; one in brackets may be left out, and
	// behind one that ends in … may come more. about is what it does in a line, and
	// more what else there is to say.
	args  []string
	about string
	more  string
	reach reach
	// prepare declares the verb's flags and returns what it does. What can be
	// checked without the store is checked before it is opened.
	prepare func(*flag.FlagSet) action
}

type action func(ctx context.Context, s shell, args []string) error

// reach is how many stores of a database a verb works on.
type reach int

const (
	one     reach = iota // -schema, once
	some                 // -schema, several times
	several              // the same, or -all
)

// verbs in the order of the manual.
func verbs() []verb {
	return []verb{
		createVerb, migrateVerb, migrationsVerb, sqlVerb, dropVerb, indexVerb,
		streamsVerb, readVerb, tailVerb, appendVerb,
		subscriptionsVerb, parkedVerb,
		verifyVerb, doctorVerb,
	}
}

func find(name string) (verb, bool) {
	for _, v := range verbs() {
		if v.name == name {
			return v, true
		}
	}
	return verb{}, false
}

func (v verb) declare(f *flag.FlagSet, s *settings) {
	switch v.reach {
	case one:
		f.Var(&s.schemas, "schema", "the `SCHEMA` of a PostgreSQL database that holds the store (default esgen)")
	case some, several:
		f.Var(&s.schemas, "schema", "a `SCHEMA` of a PostgreSQL database that holds a store; may be repeated (default esgen)")
	}
	if v.reach == several {
		f.BoolVar(&s.all, "all", false, "every schema that holds a store; one that fails does not stop the rest")
	}
}

func (v verb) least() (n int) {
	for _, arg := range v.args {
		if !strings.HasPrefix(arg, "[") {
			n++
		}
	}
	return n
}

func (v verb) most() int {
	if n := len(v.args); n > 0 && strings.Contains(v.args[n-1], "…") {
		return math.MaxInt
	}
	return len(v.args)
}

// operands says which arguments the verb takes.
func (v verb) operands() string {
	if len(v.args) == 0 {
		return "no arguments"
	}
	return strings.Join(v.args, " ")
}

// manual is the text of esctl -h.
func manual() string {
	var b strings.Builder
	b.WriteString("Esctl looks after event stores.\n\nusage: esctl VERB [-dsn DSN] ...\n\n")
	var t table
	for _, v := range verbs() {
		t.row("  "+strings.TrimSpace(v.name+" "+strings.Join(v.args, " ")), v.about)
	}
	t.print(&b)
	b.WriteString(`
esctl VERB -h tells more. Flags may stand before and after arguments.

The store is where -dsn or the environment variable ` + dsnVariable + ` says:

  postgres://…   a PostgreSQL database; a schema of it, esgen unless -schema says otherwise
  sqlite:FILE    a file

A DSN is never shown. Others can see -dsn in the list of processes: leave the password
to the variable, or to PGPASSWORD or the file ~/.pgpass.

Results go to the standard output, everything else to the standard error. With -json,
results are one JSON object per line.

Exit codes: 0 done, and nothing to find; 1 failed, or found something wrong or pending;
2 called wrongly.`)
	return b.String()
}

// manual is the text of esctl VERB -h.
func (v verb) manual(flags *flag.FlagSet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nusage: esctl %s\n", v.name, v.about, strings.Join(append([]string{v.name}, append(v.args, "[flags]")...), " "))
	if v.more != "" {
		b.WriteString("\n" + v.more + "\n")
	}
	b.WriteString("\nflags:\n")
	var t table
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		if value == "value" {
			value = ""
		}
		// The default of -dsn may come from the environment, password and all.
		if f.Name != "dsn" && f.DefValue != "" && f.DefValue != "0" && f.DefValue != "false" {
			usage += " (default " + f.DefValue + ")"
		}
		t.row("  "+strings.TrimSpace("-"+f.Name+" "+value), usage)
	})
	t.print(&b)
	return strings.TrimRight(b.String(), "\n")
}
