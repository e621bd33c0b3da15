package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"github.com/esgen/esgen/runtime/store"
)

// SQLSTATEs that decide what happens next.
const (
	// stateIsolation is raised by the store's own functions, as all that begin with ES.
	stateIsolation = "ES001"

	stateUniqueViolation      = "23505"
	stateSerializationFailure = "40001"
	stateDeadlock             = "40P01"
	stateReadOnly             = "25006"
	statePrivilege            = "42501"
	stateQueryCanceled        = "57014"
	stateLockNotAvailable     = "55P03"
	stateNoStatement          = "26000"
	stateStatementThere       = "42P05"
	stateFeatureNotSupported  = "0A000"
	// stateInFuture, of a transaction whose fate is asked for: the server crashed
	// before it had written anything of it.
	stateInFuture = "22023"
)

func sqlState(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return ""
}

// rolledBack reports that the server itself said that it undid the statement.
// After FATAL and PANIC the connection is gone, and a commit may have gone before.
func rolledBack(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	if connecting(err) {
		return false
	}
	return pg.SeverityUnlocalized == "ERROR" || pg.SeverityUnlocalized == "" && pg.Severity == "ERROR"
}

// connecting reports that no connection could be made.
func connecting(err error) bool {
	_, ok := errors.AsType[*pgconn.ConnectError](err)
	return ok
}

// transient reports that the same statement may well succeed at once.
func transient(err error) bool {
	switch sqlState(err) {
	case stateSerializationFailure, stateDeadlock, stateNoStatement:
		return true
	case stateFeatureNotSupported:
		// pgx has dropped the statement that it had prepared before a migration.
		return strings.Contains(err.Error(), "cached plan")
	case stateUniqueViolation:
		// A link, which takes no head, has created the stream at the same time.
		pg, _ := errors.AsType[*pgconn.PgError](err)
		return pg.ConstraintName == "streams_name_key"
	default:
		return false
	}
}

// stale reports that an established connection turned out to be dead: another
// one of the pool, or a new one, may work.
func stale(err error) bool {
	return !connecting(err) && !rolledBack(err) && !errors.Is(err, puddle.ErrClosedPool) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// unknown is the error of what is not an append, and may have been done or not.
func unknown(op string, err error) error {
	return &store.UnknownOutcomeError{Err: fmt.Errorf("%s: %w", op, err)}
}

// lost reports that the server may have got a statement, and that what it answered
// is not known.
func lost(err error) bool {
	return err != nil && !rolledBack(err) && !connecting(err) && !pgconn.SafeToRetry(err)
}

// isDuplicate reports that an event id is stored already.
func isDuplicate(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == stateUniqueViolation && pg.ConstraintName == "events_event_id_key"
}

// explain turns an error of pgx into one of package store. It is the one place
// that knows both.
func (s *Store) explain(ctx context.Context, op string, err error) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, puddle.ErrClosedPool):
		return fmt.Errorf("%s: %w: its pool is closed", op, store.ErrClosed)
	case ctx.Err() != nil && !rolledBack(err):
		return store.Ended(ctx, op)
	case !ok || connecting(err) || !rolledBack(err):
		return &store.UnavailableError{Op: op, Err: err}
	}
	switch pg.Code {
	case "42P01", "42883", "3F000", "42703": // undefined table, function, schema, column
		return s.notMigrated(ctx, op, err)
	case statePrivilege:
		return fmt.Errorf("%[1]s: %[2]w; grant the role USAGE on schema %[3]s, SELECT on its tables, INSERT, UPDATE and DELETE on %[3]s.subscriptions, lanes, members, parked and snapshots, and EXECUTE on its functions, but on remove only for hard deletes and never on settle", op, err, s.schema)
	case stateReadOnly:
		return &store.UnavailableError{Op: op, Err: fmt.Errorf("the server or the session is read-only, as a standby is: %w", err)}
	case stateQueryCanceled, stateLockNotAvailable, stateSerializationFailure, stateDeadlock:
		return &store.UnavailableError{Op: op, Err: err}
	case stateStatementThere:
		return fmt.Errorf("%s: %w; a pooler gives out sessions in which others have prepared statements: put default_query_exec_mode=exec into the connection string", op, err)
	}
	switch pg.Code[:2] {
	case "ES": // the store's own functions
		return fmt.Errorf("%s: %w; %s", op, err, strings.TrimSuffix(pg.Hint, "."))
	case "08", "53", "57", "58": // connection, resources, operator intervention, system
		return &store.UnavailableError{Op: op, Err: err}
	case "22", "54": // data that a column cannot hold, limits
		return &store.InvalidError{What: op, Reason: "PostgreSQL cannot store it: " + pg.Message}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// notMigrated tells how far the schema is.
func (s *Store) notMigrated(ctx context.Context, op string, cause error) error {
	have, err := s.migrated(ctx)
	switch want := len(Migrations()); {
	case err != nil:
		return fmt.Errorf("%s: %w; how far the schema is migrated cannot be read: %w", op, cause, err)
	case have == want:
		return fmt.Errorf("%s: schema %s is migrated, but was changed since: %w", op, s.schema, cause)
	default:
		return &store.NotMigratedError{Store: s.config.Schema, Have: have, Want: want, Remedy: remedy}
	}
}

const remedy = "call Migrate(ctx) of the store once before using it"
