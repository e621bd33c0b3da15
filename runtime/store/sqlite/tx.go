package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// session is the connection that writes, with its prepared statements. One
// goroutine uses it at a time.
type session struct {
	db         *sql.DB
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

// steady is the context of all that a session does: a flush carries several
// callers' changes, so none of their contexts may interrupt it.
var steady = context.Background()

func (b *base) session() (*session, error) {
	// Checks the file, if that was not done yet.
	if _, err := b.pool(steady); err != nil {
		return nil, err
	}
	level := "FULL"
	if b.config.Synchronous == Normal {
		level = "NORMAL"
	}
	// The writer waits for the lock by itself: see [writer.lock].
	db, err := open(address(b.file, "mode=rw", "_busy_timeout=0", "_synchronous="+level,
		"_pragma=journal_size_limit(67108864)", "_txlock=immediate"), 1)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(steady)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &session{db: db, conn: conn, statements: make(map[string]*sql.Stmt)}, nil
}

func (s *session) close() error {
	for _, st := range s.statements {
		_ = st.Close()
	}
	return errors.Join(s.conn.Close(), s.db.Close())
}

func (s *session) statement(query string) (*sql.Stmt, error) {
	if st := s.statements[query]; st != nil {
		return st, nil
	}
	st, err := s.conn.PrepareContext(steady, single(query))
	if err != nil {
		return nil, err
	}
	s.statements[query] = st
	return st, nil
}

func (s *session) exec(query string, args ...any) (sql.Result, error) {
	st, err := s.statement(query) //nolint:sqlclosecheck // kept for the next call
	if err != nil {
		return nil, err
	}
	return st.ExecContext(steady, args...)
}

// tx is one transaction of a session. It holds the write lock, so what it reads
// stays true until it ends.
type tx struct {
	s *session
	// failed is the first error of SQLite. The transaction is lost then; what a
	// change returns besides does not count.
	failed error
	// resolving tells that an earlier transaction with the same change ended in
	// doubt.
	resolving bool
	// wrote and appended tell whether there is something to commit, and whether
	// readers are to be woken.
	wrote, appended bool

	head   int64
	headed bool
}

// exec changes the database. ok is false if the transaction is lost.
func (t *tx) exec(query string, args ...any) (result sql.Result, ok bool) {
	t.wrote = true
	result, err := t.s.exec(query, args...)
	if err != nil {
		t.fail(err)
	}
	return result, err == nil
}

// row reads the one row of a query. found is false if there is none, or if the
// transaction is lost.
func (t *tx) row(query string, args []any, dest ...any) (found bool) {
	st, err := t.s.statement(query) //nolint:sqlclosecheck // kept for the next call
	if err == nil {
		err = st.QueryRowContext(steady, args...).Scan(dest...)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.fail(err)
	}
	return err == nil
}

func (t *tx) fail(err error) {
	if t.failed == nil {
		t.failed = err
	}
}

// next gives the next position.
func (t *tx) next() int64 {
	if !t.headed {
		t.headed = t.row(headSQL, nil, &t.head)
		if !t.headed {
			t.fail(errors.New("the table store lost its row; restore the file from a copy"))
		}
	}
	t.head++
	return t.head
}

// each calls scan for each row of a query.
func (t *tx) each(query string, args []any, scan func(*sql.Rows) error) {
	st, err := t.s.statement(query)
	if err == nil {
		err = each(steady, st, args, scan)
	}
	if err != nil {
		t.fail(err)
	}
}
