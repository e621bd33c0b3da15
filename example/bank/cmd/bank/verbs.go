package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
)

// verb is one thing that the program can do.
type verb struct {
	name string
	// args are the names of its arguments, about what it does in a line, and
	// more what else there is to say.
	args  []string
	about string
	more  string
	// prepare declares the verb's flags and returns what it does. What can be
	// checked without the database is checked before it is opened.
	prepare func(*flag.FlagSet) action
}

type action func(ctx context.Context, s shell, args []string) error

// verbs in the order of the manual.
func verbs() []verb {
	return []verb{
		openVerb, depositVerb, withdrawVerb, transferVerb, closeVerb,
		statementVerb, balancesVerb, watchVerb, importVerb, simulateVerb,
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

// operands says which arguments the verb takes.
func (v verb) operands() string {
	if len(v.args) == 0 {
		return "no arguments"
	}
	return strings.Join(v.args, " ")
}

// manual is the text of bank -h.
func manual() string {
	var b strings.Builder
	b.WriteString("Bank keeps accounts in an event store.\n\nusage: bank [-db DSN] VERB ...\n\n")
	var t table
	for _, v := range verbs() {
		t.row(strings.TrimSpace(v.name+" "+strings.Join(v.args, " ")), v.about)
	}
	t.print(&b, "  ")
	b.WriteString(`
bank VERB -h tells more. Flags may stand before and after arguments.

The accounts are in the file bank.db of this directory, unless -db or the
environment variable BANK_DB names another place:

  sqlite:FILE    a file, durable, for one machine
  postgres://…   a PostgreSQL database; the tables are in its schema bank
  memory:        nowhere: gone when the program ends

Exit codes: 0 done, 1 refused or failed, 2 called wrongly.`)
	return b.String()
}

// manual is the text of bank VERB -h.
func (v verb) manual(flags *flag.FlagSet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nusage: bank %s\n", v.name, v.about, strings.Join(append([]string{v.name}, append(v.args, "[flags]")...), " "))
	if v.more != "" {
		b.WriteString("\n" + v.more + "\n")
	}
	b.WriteString("\nflags:\n")
	var t table
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		// The default of -db may come from the environment, password and all.
		if f.Name != "db" && f.DefValue != "" && f.DefValue != "0" && f.DefValue != "false" {
			usage += " (default " + f.DefValue + ")"
		}
		t.row(strings.TrimSpace("-"+f.Name+" "+value), usage)
	})
	t.print(&b, "  ")
	return strings.TrimRight(b.String(), "\n")
}
