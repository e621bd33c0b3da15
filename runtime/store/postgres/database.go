package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// DefaultMaintenance is the database through which others are created and dropped.
const DefaultMaintenance = "postgres"

const (
	stateNoDatabase     = "3D000"
	stateDatabaseThere  = "42P04"
	stateInUse          = "55006"
	stateWrongParameter = "22023"
	stateWrongObject    = "42809"
)

// CreateDatabase creates the database that dsn names, in UTF8, and reports whether
// it did: one that is there already stays as it is, and so does its content. Of
// concurrent calls one creates. It has no timeout but ctx's.
//
// maintenance is the database to connect to meanwhile, by its name, or by a DSN of
// its own if another role creates databases: the database then belongs to the role
// of dsn. Empty is [DefaultMaintenance].
//
// Errors: a [*store.InvalidError] for a dsn that names no database, or one that
// keeps texts in another encoding; [*store.UnavailableError]; one that tells the
// role what it lacks. None shows a password.
func CreateDatabase(ctx context.Context, dsn, maintenance string) (created bool, err error) {
	target, via, err := ends(dsn, maintenance)
	if err != nil {
		return false, err
	}
	op := "create database " + printable.Name(target.Database)
	// Who may use a database need not be allowed to connect to another one.
	switch err := checkEncoding(ctx, target); {
	case err == nil:
		return false, nil
	case sqlState(err) != stateNoDatabase:
		return false, explainDatabase(ctx, op, err)
	}
	create := "CREATE DATABASE " + quote(target.Database) + " TEMPLATE template0 ENCODING 'UTF8'"
	if via.User != target.User {
		create += " OWNER " + quote(target.User)
	}
	err = onDatabase(ctx, via, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, create)
		if sqlState(err) == stateWrongParameter || sqlState(err) == stateWrongObject {
			// The locale of the cluster is bound to another encoding. C goes with all.
			_, err = conn.Exec(ctx, create+" LC_COLLATE 'C' LC_CTYPE 'C'")
		}
		return err
	})
	switch sqlState(err) {
	case stateDatabaseThere, stateUniqueViolation: // somebody else was faster, also by a moment
		return false, explainDatabase(ctx, op, checkEncoding(ctx, target))
	case statePrivilege:
		return false, fmt.Errorf("%s: %w; let a role with CREATEDB create it, or name such a role's database as the maintenance database", op, err)
	}
	return err == nil, explainDatabase(ctx, op, err)
}

// DropDatabase removes the database that dsn names with everything in it, if it is
// there, through maintenance as in [CreateDatabase]. A database to which anybody is
// connected is not removed: that is a [*store.UnavailableError].
func DropDatabase(ctx context.Context, dsn, maintenance string) error {
	target, via, err := ends(dsn, maintenance)
	if err != nil {
		return err
	}
	return explainDatabase(ctx, "drop database "+printable.Name(target.Database), onDatabase(ctx, via, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(target.Database))
		return err
	}))
}

// Create creates the database that dsn names, the schema of c in it, and its
// tables: whatever of it is missing, so that every start of a program may call it.
// Processes may call it at the same time. It has no timeout but ctx's. Errors are
// those of [CreateDatabase] and [Store.Migrate].
func Create(ctx context.Context, dsn string, c Config) error {
	if _, err := CreateDatabase(ctx, dsn, ""); err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	s, err := New(pool, c)
	if err != nil {
		return err
	}
	return s.Migrate(ctx)
}

// ends are the two connections: to the database that is meant, and to the one to
// work from.
func ends(dsn, maintenance string) (target, via *pgx.ConnConfig, err error) {
	if target, err = pgx.ParseConfig(dsn); err != nil {
		return nil, nil, fmt.Errorf("the database: %w", err)
	}
	via = target.Copy()
	switch {
	case maintenance == "":
		via.Database = DefaultMaintenance
	case strings.Contains(maintenance, "://"):
		if via, err = pgx.ParseConfig(maintenance); err != nil {
			return nil, nil, fmt.Errorf("the maintenance database: %w", err)
		}
	default:
		via.Database = maintenance
	}
	switch name := target.Database; {
	case name == "":
		return nil, nil, invalidDatabase("", "the DSN names none: write postgres://USER@HOST/DATABASE")
	case len(name) > 63:
		// PostgreSQL would cut it off, and another database would be meant.
		return nil, nil, invalidDatabase(name, fmt.Sprintf("%d bytes long; names in PostgreSQL have at most 63", len(name)))
	}
	return target, via, nil
}

func invalidDatabase(name, reason string) error {
	return &store.InvalidError{What: "database", Value: name, Reason: reason}
}

func checkEncoding(ctx context.Context, target *pgx.ConnConfig) error {
	return onDatabase(ctx, target, func(conn *pgx.Conn) error {
		var encoding string
		if err := conn.QueryRow(ctx, "SHOW server_encoding").Scan(&encoding); err != nil || encoding == "UTF8" {
			return err
		}
		return invalidDatabase(target.Database, "keeps texts as "+encoding+"; an event store needs one with ENCODING 'UTF8'")
	})
}

func onDatabase(ctx context.Context, c *pgx.ConnConfig, work func(*pgx.Conn) error) error {
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // what was done is done
	return work(conn)
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// explainDatabase is explain for calls that have no store.
func explainDatabase(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if invalid, ok := errors.AsType[*store.InvalidError](err); ok {
		return invalid
	}
	if ctx.Err() != nil && !rolledBack(err) {
		return store.Ended(ctx, op)
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || connecting(err) || pg.Code == stateInUse || !rolledBack(err) {
		return &store.UnavailableError{Op: op, Err: err}
	}
	return fmt.Errorf("%s: %w", op, err)
}
