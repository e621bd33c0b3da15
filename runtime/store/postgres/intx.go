package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/runtime/store"
)

// Committed is what a transaction appended, in order, with positions.
type Committed []store.Appended

// InTx runs work in a transaction of the store's pool and commits it, unless work
// returns an error, which InTx then returns. Appends through s and statements
// through tx are stored together or not at all. After the commit it wakes
// subscriptions, as an append does, and returns where the events are.
//
//	_, err := postgres.InTx(ctx, db, func(ctx context.Context, tx pgx.Tx, s *postgres.Tx) error {
//		if _, err := bank.StreamOf(s, id).Append(ctx, v, bank.MoneyDeposited{Amount: 5}); err != nil {
//			return err
//		}
//		_, err := tx.Exec(ctx, "UPDATE balances SET cents = cents + 5 WHERE account = $1", id)
//		return err
//	})
//
// The result is nil if ctx ends before the database could be asked where the events
// are: they are stored all the same.
//
// work is called once; s and tx are of no use after it. A context without a deadline
// bounds each call by the store's timeout, not work as a whole.
//
// If the reply to the commit is lost, the database is asked what became of the
// transaction. If that cannot be learned, as it cannot of one that has appended no
// events, the error is a [*store.UnknownOutcomeError] without batches, which is not
// [store.Retryable]: look for what work has written before running it again. Errors of the commit: [*store.DuplicateEventError];
// [*store.UnavailableError], which says that nothing was stored.
func InTx(ctx context.Context, db *Store, work func(ctx context.Context, tx pgx.Tx, s *Tx) error) (Committed, error) {
	const op = "transaction"
	if err := store.Ended(ctx, op); err != nil {
		return nil, err
	}
	var tx pgx.Tx
	beginning, began := store.WithTimeout(ctx, db.config.Timeout)
	defer began()
	conn, err := db.acquire(beginning)
	if err == nil {
		defer conn.Release()
		tx, err = conn.BeginTx(beginning, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite})
	}
	if err != nil {
		return nil, db.explain(beginning, "begin a "+op, err)
	}
	defer rollback(ctx, tx)
	s := db.WithTx(tx)
	defer s.over.Store(true)
	if err := work(ctx, tx, s); err != nil {
		return nil, err
	}
	ctx, cancel := store.WithTimeout(ctx, db.config.Timeout)
	defer cancel()
	if err := s.commit(ctx, tx); err != nil {
		return nil, err
	}
	db.ring()
	conn.Release()
	var wait backoff
	for {
		committed, err := s.committed(ctx)
		// From here on an error would say that nothing was stored.
		if err == nil || !store.Retryable(err) || wait.pause(ctx) != nil {
			return committed, nil
		}
	}
}

// rollbackTimeout bounds how long a connection is tried to be kept.
const rollbackTimeout = 5 * time.Second

// rollback ends tx unless it has been committed. ctx may have ended.
func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_ = tx.Rollback(ctx) // if it fails, pgx closes the connection
}

// commit commits tx, and learns what became of it if the reply is lost.
func (t *Tx) commit(ctx context.Context, tx pgx.Tx) error {
	const op = "commit a transaction"
	err := tx.Commit(ctx)
	switch {
	case err == nil:
		return nil
	case isDuplicate(err):
		return t.duplicate(ctx, op, err)
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return fmt.Errorf("%s: rolled back: a statement in it had failed, and its error was not returned: %w", op, err)
	case rolledBack(err), t.xid == "" && pgconn.SafeToRetry(err):
		return t.s.explain(ctx, op, err)
	}
	if t.xid == "" {
		return unknown(op, err)
	}
	var wait backoff
	for {
		var status pgtype.Text
		asked := t.s.do(ctx, func(ctx context.Context, conn *pgx.Conn) error {
			return conn.QueryRow(ctx, t.s.sql.transaction, t.xid).Scan(&status)
		})
		switch {
		case asked == nil && status.String == "committed":
			// A server that crashed gives ids again of which it had not written anything:
			// the answer may be about a stranger's transaction. Events are nobody else's.
			if found, asked := t.committed(ctx); asked == nil {
				if len(found) > 0 {
					return nil
				}
				return unknown(op, err)
			}
		case asked == nil && status.String == "aborted", sqlState(asked) == stateInFuture:
			return &store.UnavailableError{Op: op, Err: err}
		case asked == nil && status.String != "in progress":
			return unknown(op, err)
		}
		if wait.pause(ctx) != nil {
			return unknown(op, err)
		}
	}
}

// duplicate names the event id because of which a commit was refused.
func (t *Tx) duplicate(ctx context.Context, op string, cause error) error {
	for _, a := range t.appended {
		places, err := a.find(ctx)
		if err != nil {
			break
		}
		if len(places) > 0 {
			return a.duplicate(places)
		}
	}
	// Where it is cannot be learned, or it is gone again; which one it was, the
	// refusal says.
	if pg, ok := errors.AsType[*pgconn.PgError](cause); ok {
		for _, a := range t.appended {
			for _, b := range a.batches {
				for _, e := range b.Events {
					if strings.Contains(pg.Detail, e.ID.String()) {
						return &store.DuplicateEventError{Op: opAppend, ID: e.ID, Stream: b.Stream}
					}
				}
			}
		}
	}
	return t.s.explain(ctx, op, cause)
}

// committed tells where the events of the transaction are.
func (t *Tx) committed(ctx context.Context) (Committed, error) {
	var all Committed
	for _, a := range t.appended {
		places, err := a.find(ctx)
		if err != nil {
			return nil, err
		}
		for _, b := range a.batches {
			first, last := places[b.Events[0].ID], places[b.Events[len(b.Events)-1].ID]
			if last.stream != "" { // else its savepoint was rolled back
				all = append(all, store.Appended{Stream: b.Stream, Version: last.version, First: first.position, Last: last.position})
			}
		}
	}
	return all, nil
}
