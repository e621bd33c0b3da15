package main

import (
	"context"
	"errors"
	"flag"
	"strings"

	"github.com/esgen/esgen/runtime/store/postgres"
)

var createVerb = verb{
	name: "create", about: "create the database, the schema and the tables, whatever is missing",
	more: `What is there stays as it is, so that it can be called at every start and by several
at once. The database is created in UTF8 through another one, the maintenance
database. If another role than that of -dsn may create databases, give -maintenance a
DSN of its own; the database then belongs to the role of -dsn.`,
	reach: some,
	prepare: func(f *flag.FlagSet) action {
		maintenance := f.String("maintenance", "", "the `NAME` of the maintenance database, or a DSN of its own (default postgres)")
		return func(ctx context.Context, s shell, _ []string) error { return s.create(ctx, *maintenance) }
	},
}

func (s shell) create(ctx context.Context, maintenance string) error {
	p, err := s.place()
	if err != nil {
		return err
	}
	created := false
	if p.pool != nil {
		if err := s.checkMaintenance(maintenance); err != nil {
			return err
		}
		if created, err = postgres.CreateDatabase(ctx, p.pool.ConnString(), maintenance); err != nil {
			return err
		}
		if created {
			s.notef("%s created", p)
		}
	} else if maintenance != "" {
		return s.misused("a file has no maintenance database")
	}
	return s.openAt(ctx, p, func(_ place, all []target) error {
		return s.each(ctx, all, func(ctx context.Context, t target) (outcome, error) {
			o, err := migrate(ctx, t)
			if d, ok := o.Details.(migrated); ok {
				d.Database = created
				o.Details = d
			}
			return o, err
		})
	})
}

func (s shell) checkMaintenance(text string) error {
	// With = it is an address in words, whose password would be taken for a name.
	if !strings.ContainsAny(text, ":=") {
		return nil // a name
	}
	p, err := parseDSN("-maintenance", text)
	if err == nil && p.pool == nil {
		err = errors.New("-maintenance is neither the name of a database nor postgres://…")
	}
	if err != nil {
		return s.misused("%v", err)
	}
	return nil
}
