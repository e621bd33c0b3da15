package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

const dropName = "drop"

var dropVerb = verb{
	name: dropName, about: "remove stores with all their events, for ever",
	more: `It shows what there is and asks for the store's name; -yes answers. The database
itself is dropped too only if -database names it, and it holds nothing else then.
A schema that holds no store is never dropped.`,
	reach: several,
	prepare: func(f *flag.FlagSet) action {
		yes := f.Bool("yes", false, "do not ask")
		database := f.String("database", "", "also drop the database, whose `NAME` this must be")
		maintenance := f.String("maintenance", "", "the `NAME` of the maintenance database, or a DSN of its own (default postgres)")
		return func(ctx context.Context, s shell, _ []string) error {
			if *maintenance != "" && *database == "" {
				return s.misused("-maintenance is for -database")
			}
			if err := s.checkMaintenance(*maintenance); err != nil {
				return err
			}
			return s.drop(ctx, *yes, *database, *maintenance)
		}
	},
}

func (s shell) drop(ctx context.Context, yes bool, database, maintenance string) error {
	p, err := s.place()
	if err != nil {
		return err
	}
	if database != "" {
		switch {
		case p.pool == nil:
			return s.misused("a file is no database of a server; leave -database away")
		case database != p.pool.ConnConfig.Database:
			return s.misused("-database %s is not the database of the DSN; nothing was dropped", printable(database))
		}
	}
	err = s.openAt(ctx, p, func(p place, all []target) error {
		if !yes && (len(all) > 0 || database != "") {
			if err := s.confirm(ctx, p, all, database); err != nil {
				return err
			}
		}
		return s.each(ctx, all, drop)
	})
	if err != nil || database == "" {
		return err
	}
	if err := s.checkEmpty(ctx, p); err != nil {
		return err
	}
	if err := postgres.DropDatabase(ctx, p.pool.ConnString(), maintenance); err != nil {
		return err
	}
	s.notef("%s dropped", p)
	return nil
}

func drop(ctx context.Context, t target) (outcome, error) {
	there, err := t.There(ctx)
	switch {
	case err != nil:
		return outcome{}, err
	case !there:
		return outcome{Result: "was not there"}, nil
	}
	return outcome{Result: "dropped"}, t.Drop(ctx)
}

// confirm shows what is to be dropped, and asks.
func (s shell) confirm(ctx context.Context, p place, all []target, database string) error {
	for _, t := range all {
		what := printable(t.Name())
		if p.pool != nil {
			what = fmt.Sprintf("schema %s of %s", what, p)
		}
		s.notef("%s: %s", what, holds(ctx, t))
	}
	var want string
	switch {
	case database != "":
		s.notef("and the database itself")
		want = database
	case len(all) == 1:
		want = all[0].Name()
	default:
		want = fmt.Sprintf("drop %d", len(all))
	}
	return s.asked(want, "nothing was dropped")
}

// holds says how much would be lost.
func holds(ctx context.Context, t target) string {
	if there, err := t.There(ctx); err != nil {
		return err.Error()
	} else if !there {
		return "not there"
	}
	at, err := head(ctx, t)
	if err != nil {
		return err.Error()
	}
	return "a store at position " + group(uint64(at))
}

// head is the position of the last event, 0 if there is none.
func head(ctx context.Context, t store.Streams) (store.Position, error) {
	for r, err := range t.Read(ctx, store.Query{Backward: true, Limit: 1}) {
		return r.Position, err
	}
	return 0, nil
}

// checkEmpty refuses to drop a database that holds anything beside what PostgreSQL
// puts into a new one.
func (s shell) checkEmpty(ctx context.Context, p place) error {
	pool, err := pgxpool.NewWithConfig(ctx, p.pool)
	if err != nil {
		return err
	}
	defer pool.Close()
	rows, err := pool.Query(ctx, `SELECT DISTINCT n.nspname::text FROM pg_namespace n
		 WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
		   AND (n.nspname <> 'public'
		        OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid)
		        OR EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = n.oid
		                      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'))
		        OR EXISTS (SELECT FROM pg_type t WHERE t.typnamespace = n.oid AND t.typtype IN ('d', 'e', 'r')
		                      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')))
		 ORDER BY 1`)
	if err == nil {
		var names []string
		if names, err = pgx.CollectRows(rows, pgx.RowTo[string]); err == nil && len(names) > 0 {
			return fmt.Errorf("%s was not dropped, for it holds more: schema %s; drop that first", p, printable(strings.Join(names, ", ")))
		}
	}
	if noDatabase(err) {
		return nil
	}
	return err
}

// noDatabase reports that the database of the DSN is not there.
func noDatabase(err error) bool {
	code, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err)
	return ok && code.SQLState() == "3D000"
}
