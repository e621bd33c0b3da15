package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/esgen/esgen/runtime/store"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migration is one step that a schema has taken or will take.
type Migration struct {
	// Number counts from 1 without a gap.
	Number int
	// Name says what the step makes: "events".
	Name string
	// SQL is the step. It names no schema: run it with search_path set to the
	// store's, in one transaction.
	SQL string
}

// Migrations returns all steps that this program knows, in order.
func Migrations() []Migration {
	files, err := migrationFiles.ReadDir("migrations")
	if err != nil {
		return nil // not reached: the directory is embedded
	}
	all := make([]Migration, 0, len(files))
	for _, f := range files {
		text, err := migrationFiles.ReadFile("migrations/" + f.Name())
		if err != nil {
			return nil // not reached either
		}
		_, name, _ := strings.Cut(strings.TrimSuffix(f.Name(), ".sql"), "_")
		all = append(all, Migration{Number: len(all) + 1, Name: name, SQL: string(text)})
	}
	return all
}

// Migrate brings the schema to what this program needs, creating it if it is
// missing. Each step is a transaction; a step that fails leaves those before it.
// Processes may call it at the same time: one works, the others wait. It has no
// timeout but ctx's. The role needs CREATE on the schema, or on the database if
// the schema is missing.
//
// Errors: [*store.NotMigratedError] if the schema is newer than this program,
// [*store.UnavailableError].
//
// The runner is the store's own because those that exist take a lock of the
// session, which a pooler that hands out connections by transaction breaks.
func (s *Store) Migrate(ctx context.Context) error {
	op := "migrate schema " + s.config.Schema
	all := Migrations()
	have, err := s.migrated(ctx)
	for err == nil && have < len(all) {
		m := all[have]
		op = fmt.Sprintf("migrate schema %s to %d, %s", s.config.Schema, m.Number, m.Name)
		err = s.do(ctx, func(ctx context.Context, conn *pgx.Conn) (err error) {
			have, err = s.step(ctx, conn, m)
			return err
		})
	}
	if sqlState(err) == statePrivilege {
		return fmt.Errorf("%s: %w; grant the role CREATE on the database, or make schema %s its own", op, err, s.schema)
	}
	if err != nil {
		return s.explain(ctx, op, err)
	}
	if have > len(all) {
		return &store.NotMigratedError{Store: s.config.Schema, Have: have, Want: len(all), Remedy: remedy}
	}
	return nil
}

// step takes step m unless it was taken, and returns where the schema is then.
func (s *Store) step(ctx context.Context, conn *pgx.Conn, m Migration) (have int, _ error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite})
	if err != nil {
		return 0, err
	}
	defer rollback(ctx, tx)

	// The lock outlives a statement, not the transaction. The schema, of which the
	// store's other locks are, may not be there yet.
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('esgen migrate'), hashtext($1))", s.config.Schema); err != nil {
		return 0, err
	}
	have, err = s.taken(ctx, tx)
	if err != nil || have >= m.Number {
		return have, err
	}
	if m.Number == 1 {
		if err := s.create(ctx, tx); err != nil {
			return 0, err
		}
	}
	// CREATE FUNCTION ... FROM CURRENT keeps this path, in which nobody can put a
	// table of theirs before the store's.
	if _, err := tx.Exec(ctx, "SET LOCAL search_path = "+s.schema+", pg_temp"); err != nil {
		return have, err
	}
	// Several statements in one text: only the simple protocol takes them.
	if _, err := tx.Conn().PgConn().Exec(ctx, m.SQL).ReadAll(); err != nil {
		return have, err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO migrations (number, name) VALUES ($1, $2)", m.Number, m.Name); err != nil {
		return have, err
	}
	if err := tx.Commit(ctx); err != nil {
		return have, err
	}
	s.logMigrated(ctx, m)
	return m.Number, nil
}

// taken returns the last step that was taken. It looks before it reads: an error
// would end the transaction.
func (s *Store) taken(ctx context.Context, tx pgx.Tx) (have int, _ error) {
	var there bool
	err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", s.schema+".migrations").Scan(&there)
	if err != nil || !there {
		return 0, err
	}
	err = tx.QueryRow(ctx, s.sql.migrated).Scan(&have)
	return have, err
}

func (s *Store) create(ctx context.Context, tx pgx.Tx) error {
	var there bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", s.config.Schema).Scan(&there); err != nil {
		return err
	}
	if !there {
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+s.schema); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+s.schema+`.migrations (
		number  integer PRIMARY KEY,
		name    text NOT NULL,
		applied timestamptz NOT NULL DEFAULT now()
	)`)
	return err
}

// Pending returns the steps that [Store.Migrate] would take, none if the schema is
// up to date. A schema that is newer than this program is a
// [*store.NotMigratedError].
func (s *Store) Pending(ctx context.Context) ([]Migration, error) {
	op := "look for pending migrations of schema " + s.config.Schema
	ctx, cancel := store.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	have, err := s.migrated(ctx)
	if err != nil {
		return nil, s.explain(ctx, op, err)
	}
	all := Migrations()
	if have > len(all) {
		return nil, &store.NotMigratedError{Store: s.config.Schema, Have: have, Want: len(all), Remedy: remedy}
	}
	return slices.Clone(all[have:]), nil
}

// migrated returns the last step that was taken, 0 if there is no schema.
func (s *Store) migrated(ctx context.Context) (have int, _ error) {
	err := s.do(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, s.sql.migrated).Scan(&have)
	})
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && (pg.Code == "42P01" || pg.Code == "3F000") {
		return 0, nil
	}
	return have, err
}

// Drop removes the schema with everything in it: the events, and also what others
// have made in it. It is for tests.
func (s *Store) Drop(ctx context.Context) error {
	return s.call(ctx, "drop schema "+s.config.Schema, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+s.schema+" CASCADE")
		return err
	})
}
