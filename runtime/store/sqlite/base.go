package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/esgen/esgen/runtime/store"
)

// base is the file: checked and opened by the first call that needs it.
type base struct {
	file    string
	config  Config
	opening chan struct{} // holds one token; who has it may open or close

	mu         sync.Mutex
	refused    bool
	readers    *sql.DB
	statements map[string]*sql.Stmt // of readers
}

func newBase(file string, c Config) *base {
	b := &base{file: file, config: c, opening: make(chan struct{}, 1), statements: make(map[string]*sql.Stmt)}
	b.opening <- struct{}{}
	return b
}

// pool returns the connections that read, after the first call has checked that
// the file is a store of this release. A failed check is made again by the next call.
func (b *base) pool(ctx context.Context) (*sql.DB, error) {
	if db, err := b.opened(); db != nil || err != nil {
		return db, err
	}
	select {
	case <-b.opening:
		defer func() { b.opening <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if db, err := b.opened(); db != nil || err != nil {
		return db, err
	}
	switch empty, err := identify(ctx, b.file); {
	case err != nil:
		return nil, err
	case empty:
		return nil, b.notMigrated(0)
	}
	db, err := open(address(b.file, "mode=rw", "_busy_timeout=5000", "_query_only=1"), b.config.Readers)
	if err != nil {
		return nil, err
	}
	have, err := migration(ctx, db)
	if err == nil && have != len(migrations) {
		err = b.notMigrated(have)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refused {
		return nil, errors.Join(store.ErrClosed, db.Close())
	}
	b.readers = db
	return db, nil
}

func (b *base) opened() (*sql.DB, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refused {
		return nil, store.ErrClosed
	}
	return b.readers, nil
}

func (b *base) notMigrated(have int) error {
	return &store.NotMigratedError{Store: b.file, Have: have, Want: len(migrations), Remedy: "call db.Migrate(ctx)"}
}

// statement returns query, prepared for the connections that read.
func (b *base) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	db, err := b.pool(ctx)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	st := b.statements[query]
	b.mu.Unlock()
	if st != nil {
		return st, nil
	}
	if st, err = db.PrepareContext(ctx, single(query)); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if other := b.statements[query]; other != nil {
		return other, st.Close() //nolint:sqlclosecheck // another call was first
	}
	b.statements[query] = st
	return st, nil
}

// source is what can be read from: the file, or a transaction.
type source interface {
	statement(ctx context.Context, query string) (*sql.Stmt, error)
}

// row runs a query for its one row. No row is [sql.ErrNoRows].
func (b *base) row(ctx context.Context, query string, args []any, dest ...any) error {
	return row(ctx, b, query, args, dest...)
}

func row(ctx context.Context, from source, query string, args []any, dest ...any) error {
	st, err := from.statement(ctx, query) //nolint:sqlclosecheck // kept for the next call
	if err != nil {
		return err
	}
	return st.QueryRowContext(ctx, args...).Scan(dest...)
}

// refuse makes all later calls return [store.ErrClosed].
func (b *base) refuse() {
	b.mu.Lock()
	b.refused = true
	b.mu.Unlock()
}

func (b *base) close() error {
	<-b.opening
	defer func() { b.opening <- struct{}{} }()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.readers == nil {
		return nil
	}
	err := b.readers.Close()
	b.readers = nil
	clear(b.statements)
	return err
}
