package main

import (
	"context"
	"flag"
	"fmt"
)

var migrateVerb = verb{
	name: "migrate", about: "bring the tables to this release",
	more: `A schema that is missing is created, the database is not. Programs that use the store
may go on; several may migrate at once: one works, the others wait.`,
	reach: several,
	prepare: func(*flag.FlagSet) action {
		return func(ctx context.Context, s shell, _ []string) error {
			return s.open(ctx, func(_ place, all []target) error { return s.each(ctx, all, migrate) })
		}
	},
}

// migrated is what programs are told of a store that was migrated.
type migrated struct {
	// Database tells that it was created.
	Database bool `json:"database_created,omitempty"`
	// At is the last step now, Taken those that were taken.
	At    int      `json:"at"`
	Taken []string `json:"taken"`
}

func migrate(ctx context.Context, t target) (outcome, error) {
	all, pending, err := t.Steps(ctx)
	if err != nil {
		return outcome{}, err
	}
	if len(pending) > 0 {
		if err := t.Migrate(ctx); err != nil {
			return outcome{}, err
		}
	}
	o := outcome{Details: migrated{At: all, Taken: pending}}
	switch len(pending) {
	case 0:
		o.Result = fmt.Sprintf("up to date, at migration %d", all)
	case all:
		o.Result = fmt.Sprintf("created, at migration %d", all)
	default:
		o.Result = fmt.Sprintf("migrated from %d to %d", all-len(pending), all)
	}
	return o, nil
}

var migrationsVerb = verb{
	name: "migrations", about: "show what is pending; exit 1 if anything is",
	reach: several,
	prepare: func(*flag.FlagSet) action {
		return func(ctx context.Context, s shell, _ []string) error {
			return s.open(ctx, func(_ place, all []target) error { return s.each(ctx, all, pending) })
		}
	},
}

// steps is what programs are told of what is pending.
type steps struct {
	At      int      `json:"at"`
	Of      int      `json:"of"`
	Pending []string `json:"pending"`
}

func pending(ctx context.Context, t target) (outcome, error) {
	all, pending, err := t.Steps(ctx)
	if err != nil {
		return outcome{}, err
	}
	at := all - len(pending)
	o := outcome{Details: steps{At: at, Of: all, Pending: pending}}
	if len(pending) == 0 {
		o.Result = fmt.Sprintf("up to date, at migration %d", all)
		return o, nil
	}
	o.Result = fmt.Sprintf("at migration %d of %d; pending: %s", at, all, list(pending))
	return o, foundError{"migrations are pending"}
}

// list names the first and the last of many.
func list(steps []string) string {
	if len(steps) == 1 {
		return steps[0]
	}
	return fmt.Sprintf("%s … %s", steps[0], steps[len(steps)-1])
}

var sqlVerb = verb{
	name: "sql", about: "print the migrations as SQL, to be looked at or run with psql",
	more: `Nothing is opened unless -pending or -all asks for it, and without a DSN the SQL is
that of PostgreSQL. Every step is a transaction and changes nothing if it is not the
next one. Run it with: psql -v ON_ERROR_STOP=1 -f FILE, or sqlite3 FILE.`,
	reach: several,
	prepare: func(f *flag.FlagSet) action {
		after := f.Int("after", 0, "only the steps behind this `NUMBER`")
		only := f.Bool("pending", false, "only the steps that the store lacks")
		return func(ctx context.Context, s shell, _ []string) error {
			if *only && *after != 0 {
				return s.misused("-pending finds out what -after says; leave one away")
			}
			if s.json {
				return s.misused("SQL is text; leave -json away")
			}
			return s.sql(ctx, *after, *only)
		}
	},
}

func (s shell) sql(ctx context.Context, after int, only bool) error {
	if s.dsn == "" && !only && !s.all {
		s.dsn = "postgres://"
	}
	return s.open(ctx, func(_ place, all []target) error {
		for _, t := range all {
			if only {
				all, pending, err := t.Steps(ctx)
				if err != nil {
					return err
				}
				after = all - len(pending)
			}
			text, err := t.Script(after)
			if err != nil {
				return s.misused("%v", err)
			}
			fmt.Fprint(s.stdout, text)
		}
		return nil
	})
}
