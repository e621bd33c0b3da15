package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// migrations are the statements of migrations/, in order; the first is number 1.
// Those that were released never change.
var migrations = []string{
	"0001_store.sql",
	"0002_categories.sql",
	"0003_streams.sql",
	"0004_events.sql",
	"0005_links.sql",
	"0006_subscriptions.sql",
	"0007_snapshots.sql",
}

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrate creates the file and its tables, or brings them to this release, in
// one transaction: after an error or a crash the file is as it was, or empty.
// Migrating twice, or in several processes at once, does no harm. It has no
// timeout but ctx's. The file's directory must exist.
//
// Errors: [*FileError], a [*store.NotMigratedError] if the file is of a later
// release, [*store.UnavailableError].
func (s *Store) Migrate(ctx context.Context) error {
	op := "migrate " + s.file
	if _, err := s.base.opened(); err != nil {
		return opError(op, err)
	}
	return interpret(store.Ended(ctx, ""), s.file, op, s.migrate(ctx))
}

// Pending returns the names of the migrations that [Store.Migrate] would run, in
// order. None means that the file is of this release.
func (s *Store) Pending(ctx context.Context) ([]string, error) {
	op := "look for migrations of " + s.file
	ctx, cancel, err := s.begin(ctx, op)
	if err != nil {
		return nil, err
	}
	defer cancel()
	_, err = s.base.pool(ctx)
	var missing *store.NotMigratedError
	switch {
	case errors.As(err, &missing) && missing.Have < missing.Want:
		return append([]string(nil), migrations[missing.Have:]...), nil
	case err != nil:
		return nil, interpret(store.Ended(ctx, ""), s.file, op, err)
	}
	return nil, nil
}

func (s *Store) migrate(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if info, err := os.Stat(filepath.Dir(s.file)); err != nil {
		return &FileError{File: s.file, Reason: "its directory cannot be found; create it first", Err: err}
	} else if !info.IsDir() {
		return &FileError{File: s.file, Reason: "its directory is a file"}
	}
	if _, err := identify(ctx, s.file); err != nil {
		return err
	}
	// The lock is waited for here, not in SQLite, which gives up some waits at once.
	db, err := open(address(s.file, "mode=rwc", "_busy_timeout=0", "_synchronous=FULL"), 1)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // what was committed stays so
	for wait := (backoff{}); ; {
		err := s.migrateOn(ctx, db)
		if !busy(err) {
			return err
		}
		if !wait.sleep(ctx) {
			return err
		}
	}
}

func (s *Store) migrateOn(ctx context.Context, db *sql.DB) error {
	// The mark is written first, so that a file that is neither empty nor marked
	// is never ours, whenever we were interrupted.
	if err := s.inTx(ctx, db, mark(s.file)); err != nil {
		return err
	}
	// The mode is stored in the file, and cannot be set in a transaction.
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return &FileError{File: s.file, Reason: "does not take a write-ahead log, journal mode stayed " + mode + "; use a local file system"}
	}
	return s.inTx(ctx, db, func(ctx context.Context, conn *sql.Conn) error {
		have, err := migration(ctx, conn)
		if err != nil {
			return err
		}
		if have > len(migrations) {
			return s.base.notMigrated(have)
		}
		for i, name := range migrations[have:] {
			text, err := migrationFiles.ReadFile("migrations/" + name)
			if err != nil {
				return err
			}
			if _, err := conn.ExecContext(ctx, string(text)); err != nil {
				return fmt.Errorf("migration %s: %w", name, err)
			}
			if _, err := conn.ExecContext(ctx, setMigrationSQL, have+i+1); err != nil {
				return fmt.Errorf("migration %s: %w", name, err)
			}
		}
		return nil
	})
}

// mark writes the application's id into an empty database.
func mark(file string) func(context.Context, *sql.Conn) error {
	return func(ctx context.Context, conn *sql.Conn) error {
		var id, tables int64
		if err := conn.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
			return err
		}
		if id == applicationID {
			return nil
		}
		if err := conn.QueryRowContext(ctx, tablesSQL).Scan(&tables); err != nil {
			return err
		}
		if id != 0 || tables != 0 {
			return &FileError{File: file, Reason: "is a SQLite database of another program; it was not changed"}
		}
		_, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
		return err
	}
}

// inTx runs f in a transaction that holds the write lock from its beginning.
func (s *Store) inTx(ctx context.Context, db *sql.DB, f func(context.Context, *sql.Conn) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // goes back to its pool
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	// A context that ends must not leave the transaction half way.
	ctx = context.WithoutCancel(ctx)
	if err := f(ctx, conn); err != nil {
		_, back := conn.ExecContext(ctx, "ROLLBACK")
		return errors.Join(err, back)
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		_, _ = conn.ExecContext(ctx, "ROLLBACK") // often over already
		return err
	}
	return nil
}

// queryer is a pool or a connection.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// migration is the number of the last migration that ran, 0 if there is none.
func migration(ctx context.Context, q queryer) (n int, err error) {
	var exists bool
	if err := q.QueryRowContext(ctx, tableExistsSQL, "store").Scan(&exists); err != nil || !exists {
		return 0, err
	}
	err = q.QueryRowContext(ctx, migrationSQL).Scan(&n)
	return n, err
}

// backoff waits between attempts to get a lock that another process holds.
type backoff struct{ last time.Duration }

// next doubles from 100 µs to 2 ms: a commit of another process takes about that
// long, and who asks less often than it commits waits for many.
func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, 100*time.Microsecond), 2*time.Millisecond)
	return b.last
}

// sleep reports false if ctx ended first.
func (b *backoff) sleep(ctx context.Context) bool {
	t := time.NewTimer(b.next())
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
