package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/sqlite"
)

// schema holds the bank's tables in a PostgreSQL database.
const schema = "bank"

// with opens the database, lets act use it, and closes it.
func (s shell) with(ctx context.Context, act func(session) error) error {
	kind, rest, _ := strings.Cut(s.dsn, ":")
	switch kind {
	case "memory":
		s.notef("store: memory, gone when this program ends")
		return s.act(memory.New(memory.Config{}), act)
	case "sqlite":
		return s.withSQLite(ctx, rest, act)
	case "postgres", "postgresql":
		// Without the slashes it would be read as keywords, and lead elsewhere.
		if strings.HasPrefix(rest, "//") {
			return s.withPostgres(ctx, act)
		}
	}
	// The text is not shown, for there may be a password in it.
	return usageError{reason: "the database (-db or BANK_DB) is none of sqlite:FILE, postgres://… and memory:"}
}

func (s shell) act(db store.Store, act func(session) error) error {
	return act(session{shell: s, db: db, bank: bank.New(db)})
}

func (s shell) withSQLite(ctx context.Context, file string, act func(session) error) (err error) {
	db, err := sqlite.Open(file, sqlite.Config{})
	if err != nil {
		return err
	}
	defer func() {
		// An interrupted program still waits for what it has begun, for a while.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, db.Close(ctx))
	}()
	pending, err := db.Pending(ctx)
	if err == nil && len(pending) > 0 {
		err = db.Migrate(ctx)
	}
	if err != nil {
		return err
	}
	s.notef("store: %s%s", db.File(), migrated(len(pending)))
	return s.act(db, act)
}

func (s shell) withPostgres(ctx context.Context, act func(session) error) error {
	c, err := pgxpool.ParseConfig(s.dsn)
	if err != nil {
		return fmt.Errorf("the database (-db or BANK_DB): %w", err)
	}
	if c.ConnConfig.ConnectTimeout == 0 {
		c.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return err
	}
	defer pool.Close()
	db, err := postgres.New(pool, postgres.Config{Schema: schema})
	if err != nil {
		return err
	}
	pending, err := db.Pending(ctx)
	if err == nil && len(pending) > 0 {
		err = db.Migrate(ctx)
	}
	if err != nil {
		return err
	}
	s.notef("store: schema %s of database %s on %s%s", schema, c.ConnConfig.Database, c.ConnConfig.Host, migrated(len(pending)))
	return s.act(db, act)
}

func migrated(steps int) string {
	if steps == 0 {
		return ""
	}
	return ", tables made or brought up to date"
}

// explain adds what to do to an error of the database.
func explain(err error) string {
	switch {
	case errors.Is(err, store.ErrUnavailable):
		return fmt.Sprintf("%v\nNothing was changed. Start the database and try again, or choose another one with -db.", err)
	case errors.Is(err, store.ErrUnknownOutcome):
		return fmt.Sprintf("%v\nLook at the statement before you try again; a command with -id can be repeated safely.", err)
	default:
		return err.Error()
	}
}
