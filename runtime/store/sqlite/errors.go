package sqlite

import (
	"database/sql"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	code "modernc.org/sqlite/lib"

	"github.com/esgen/esgen/runtime/store"
)

// FileError tells that the file cannot serve as a store: its directory is
// missing, it is no database or another program's, it is read-only or damaged.
// Trying again does not help.
type FileError struct {
	File string
	// Reason says what is wrong and what to do.
	Reason string
	// Err is what SQLite or the operating system said, if it was asked.
	Err error
}

func (e *FileError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("sqlite file %s: %s", e.File, e.Reason)
	}
	return fmt.Sprintf("sqlite file %s: %s: %v", e.File, e.Reason, e.Err)
}

func (e *FileError) Unwrap() error { return e.Err }

// opError says what was attempted.
func opError(op string, err error) error { return fmt.Errorf("%s: %w", op, err) }

// primary is the result code of SQLite in err, without its extension, or 0.
func primary(err error) int {
	var e *driver.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// busy reports whether another process holds the lock that was wanted.
func busy(err error) bool {
	c := primary(err)
	return c == code.SQLITE_BUSY || c == code.SQLITE_LOCKED
}

// inDoubt reports whether a COMMIT that ended with err may have been made
// durable all the same: the frame that commits may stand in the log although
// syncing it was an error. A full disk and a refused lock come before that.
func inDoubt(err error) bool {
	switch primary(err) {
	case code.SQLITE_FULL, code.SQLITE_BUSY, code.SQLITE_LOCKED, code.SQLITE_READONLY, code.SQLITE_CONSTRAINT:
		return false
	}
	return true
}

// interpret turns what the driver said into the store's words. cause is why the
// statement's context ended, nil if it did not.
func interpret(cause error, file, op string, err error) error {
	var known *FileError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrClosed), errors.Is(err, store.ErrNotMigrated), errors.As(err, &known):
		return opError(op, err)
	case errors.Is(err, sql.ErrConnDone), err.Error() == "sql: database is closed", err.Error() == "sql: statement is closed":
		// A Close came between; database/sql has no values for these.
		return opError(op, store.ErrClosed)
	case cause != nil && busy(err):
		return &store.UnavailableError{Op: op, Err: fmt.Errorf("sqlite file %s: %w: %w", file, cause, err)}
	case cause != nil:
		return opError(op, cause)
	}
	var reason string
	switch primary(err) {
	case code.SQLITE_NOTADB:
		reason = "is not a SQLite database; it was not changed"
	case code.SQLITE_CORRUPT:
		reason = "is damaged; restore it from a copy"
	case code.SQLITE_READONLY, code.SQLITE_PERM, code.SQLITE_AUTH:
		reason = "cannot be written; let this user write the file and its directory"
	case code.SQLITE_CANTOPEN:
		reason = "cannot be opened; let this user read and write the file and its directory"
	case code.SQLITE_FULL:
		return &store.UnavailableError{Op: op, Err: fmt.Errorf("sqlite file %s: no space left; make room: %w", file, err)}
	case code.SQLITE_BUSY, code.SQLITE_LOCKED:
		return &store.UnavailableError{Op: op, Err: fmt.Errorf("sqlite file %s: held by another process: %w", file, err)}
	case code.SQLITE_TOOBIG:
		return &store.InvalidError{What: op, Reason: err.Error()}
	case 0: // not SQLite's
		return opError(op, err)
	default:
		return &store.UnavailableError{Op: op, Err: fmt.Errorf("sqlite file %s: %w", file, err)}
	}
	return opError(op, &FileError{File: file, Reason: reason, Err: err})
}
