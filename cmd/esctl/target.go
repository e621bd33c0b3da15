package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

// target is a store that a verb works on.
type target interface {
	store.Store
	store.Catalog

	// Name is the schema, or the file.
	Name() string
	Migrate(ctx context.Context) error
	// Steps returns how many steps there are, and those that are pending.
	Steps(ctx context.Context) (all int, pending []string, err error)
	// Script returns the steps behind one as SQL.
	Script(after int) (string, error)
	// There reports whether there is anything to drop, an error if it is no store.
	There(ctx context.Context) (bool, error)
	Drop(ctx context.Context) error
	// Examine returns a report with tags for JSON, among them one for findings.
	Examine(ctx context.Context) (any, error)
}

// schemaTarget is a schema of a PostgreSQL database.
type schemaTarget struct {
	*postgres.Store
	name string
	pool *pgxpool.Pool
}

func (t schemaTarget) Name() string { return t.name }

func (t schemaTarget) Steps(ctx context.Context) (int, []string, error) {
	steps, err := t.Pending(ctx)
	pending := make([]string, len(steps))
	for i, step := range steps {
		pending[i] = fmt.Sprintf("%d %s", step.Number, step.Name)
	}
	return len(postgres.Migrations()), pending, err
}

func (t schemaTarget) Script(after int) (string, error) { return postgres.Script(t.name, after) }

func (t schemaTarget) There(ctx context.Context) (bool, error) {
	var there, holds bool
	err := t.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1),
		3 = (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		      WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname IN ('store', 'events', 'migrations'))`, t.name).Scan(&there, &holds)
	switch {
	case err != nil:
		return false, &store.UnavailableError{Op: "look for schema " + printable(t.name), Err: err}
	case there && !holds:
		return false, fmt.Errorf("schema %s holds no event store; it was not dropped", printable(t.name))
	}
	return there, nil
}

// Examine leaves out what is true of this program only.
func (t schemaTarget) Examine(ctx context.Context) (any, error) {
	r, err := t.Doctor(ctx)
	r.Queue, r.Filters = nil, nil
	return r, err
}

// fileTarget is a SQLite file.
type fileTarget struct{ *sqlite.Store }

func (t fileTarget) Name() string { return t.File() }

func (t fileTarget) Steps(ctx context.Context) (int, []string, error) {
	pending, err := t.Pending(ctx)
	return len(sqlite.Migrations()), append([]string{}, pending...), err
}

func (t fileTarget) Script(after int) (string, error) { return sqlite.Script(after) }

func (t fileTarget) There(ctx context.Context) (bool, error) { return sqlite.Exists(ctx, t.File()) }

func (t fileTarget) Drop(ctx context.Context) error {
	return errors.Join(t.Close(ctx), sqlite.Remove(ctx, t.File()))
}

func (t fileTarget) Examine(ctx context.Context) (any, error) { return t.Doctor(ctx) }

// open opens the stores that were chosen, and lets act work on all of them.
func (s shell) open(ctx context.Context, act func(p place, all []target) error) error {
	p, err := s.place()
	if err != nil {
		return err
	}
	return s.openAt(ctx, p, act)
}

func (s shell) openAt(ctx context.Context, p place, act func(p place, all []target) error) (err error) {
	if p.pool == nil {
		return s.openFile(ctx, p, act)
	}
	pool, err := pgxpool.NewWithConfig(ctx, p.pool)
	if err != nil {
		return err
	}
	defer pool.Close()
	schemas := []string(s.schemas)
	if s.all {
		if schemas, err = postgres.Schemas(ctx, pool); err != nil {
			return err
		}
		if len(schemas) == 0 {
			s.notef("no schema of %s holds an event store", p)
		}
	} else if len(schemas) == 0 {
		schemas = []string{postgres.DefaultSchema}
	}
	all := make([]target, len(schemas))
	for i, name := range schemas {
		db, err := postgres.New(pool, postgres.Config{Schema: name})
		if err != nil {
			return s.misused("%v", err)
		}
		// What was begun has an outcome before the pool is closed.
		defer closing(ctx, &err, db.Close)
		all[i] = schemaTarget{db, name, pool}
	}
	return act(p, all)
}

func (s shell) openFile(ctx context.Context, p place, act func(p place, all []target) error) (err error) {
	db, err := sqlite.Open(p.file, sqlite.Config{})
	if err != nil {
		return s.misused("%v", err)
	}
	defer closing(ctx, &err, db.Close)
	return act(p, []target{fileTarget{db}})
}

// closing waits for what was begun, for a while also after an interrupt.
func closing(ctx context.Context, err *error, end func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	*err = errors.Join(*err, end(ctx))
}

// openOne opens the one store that was chosen.
func (s shell) openOne(ctx context.Context, act func(t target) error) error {
	if len(s.schemas) > 1 {
		return s.misused("%s works on one store; give one -schema", s.verb)
	}
	return s.open(ctx, func(_ place, all []target) error { return act(all[0]) })
}
