package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

type txKey struct{}

// TxFrom returns the transaction in which a transactional subscription calls its
// handler: what the handler writes through it is committed with the checkpoint, or
// not at all. It is for the handler's goroutine and is of no use after it; the
// subscription commits it, so Commit and Rollback refuse, but Begin makes a
// savepoint. ok is false outside of such a handler.
func TxFrom(ctx context.Context) (tx pgx.Tx, ok bool) {
	tx, ok = ctx.Value(txKey{}).(pgx.Tx)
	return tx, ok
}

// handlerTx is a transaction that its user does not end.
type handlerTx struct{ pgx.Tx }

var errNotYours = errors.New("the subscription ends this transaction: return nil to commit it, an error to roll it back")

func (handlerTx) Commit(context.Context) error   { return errNotYours }
func (handlerTx) Rollback(context.Context) error { return errNotYours }

// Transact is described by [store.Transactor]. f's context gives the transaction by
// [TxFrom] and the store in it by [store.StreamsFrom]. The lane is moved first, so
// from then on to the end no other process gets it, however long f takes. If f idles
// for longer than ctx lasts, or without a deadline the store's timeout, the server
// ends the transaction, so that a process that stands still does not keep the lane.
//
// If the reply to the commit is lost, the lane is asked whether it has moved; only if
// that cannot be learned within ctx is the error a [*store.UnknownOutcomeError]
// without batches.
func (s *Store) Transact(ctx context.Context, m store.Move, f func(ctx context.Context, in store.Streams) error) error {
	if err := store.CheckMoves([]store.Move{m}); err != nil {
		return err
	}
	op := fmt.Sprintf("handle events in a transaction of subscription %s, lane %d", printable.Name(m.Subscription), m.Lane)
	if err := store.Ended(ctx, op); err != nil {
		return err
	}
	beginning, begun := store.WithTimeout(ctx, s.config.Timeout)
	defer begun()
	conn, err := s.acquire(beginning)
	if err != nil {
		return s.explain(beginning, op, err)
	}
	defer conn.Release()
	tx, err := conn.BeginTx(beginning, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite})
	if err != nil {
		return s.explain(beginning, op, err)
	}
	defer rollback(ctx, tx)
	moved, err := s.moveLane(ctx, tx, m)
	switch {
	case err != nil:
		return s.explain(ctx, op, err)
	case !moved:
		return &store.FencedError{Holds: []store.Hold{m.Hold}}
	}
	in := s.WithTx(tx)
	defer in.over.Store(true)
	inner := context.WithValue(store.WithStreams(ctx, in), txKey{}, pgx.Tx(handlerTx{tx}))
	if err := f(inner, in); err != nil {
		return err
	}
	in.over.Store(true)
	ctx, cancel := store.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	if err := s.commitMove(ctx, op, m, in, tx, conn.Release); err != nil {
		return err
	}
	if len(in.appended) > 0 {
		s.ring()
	}
	return nil
}

func (s *Store) moveLane(ctx context.Context, tx pgx.Tx, m store.Move) (bool, error) {
	idle := s.config.Timeout
	if idle == 0 {
		idle = store.DefaultTimeout
	}
	if deadline, ok := ctx.Deadline(); ok {
		idle = max(time.Until(deadline), time.Millisecond)
	}
	ctx, cancel := store.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	tag, err := tx.Exec(ctx, s.sql.laneMove, m.Subscription, int32(m.Lane), int64(m.Token), int64(m.From), int64(m.To),
		max(min(idle, longestIdle), 0).Milliseconds())
	return tag.RowsAffected() > 0, err
}

// longestIdle is what PostgreSQL can be told in milliseconds, and more than enough.
const longestIdle = 24 * time.Hour

// commitMove commits tx, and learns from the lane what became of it if the reply is
// lost. release gives the connection back, so that one that is alone in its pool can
// be used to ask.
func (s *Store) commitMove(ctx context.Context, op string, m store.Move, in *Tx, tx pgx.Tx, release func()) error {
	err := tx.Commit(ctx)
	switch {
	case err == nil:
		return nil
	case isDuplicate(err):
		return in.duplicate(ctx, op, err)
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return fmt.Errorf("%s: rolled back: a statement in it had failed, and its error was not returned: %w", op, err)
	case rolledBack(err):
		return s.explain(ctx, op, err)
	}
	release()
	if m.From == m.To {
		return unknown(op, err) // the lane stands there either way
	}
	var wait backoff
	for {
		var at int64
		asked := s.do(ctx, func(ctx context.Context, conn *pgx.Conn) error {
			return conn.QueryRow(ctx, s.sql.lanePlace, m.Subscription, int32(m.Lane), int64(m.Token)).Scan(&at)
		})
		switch {
		case asked == nil && uint64(at) == m.To:
			return nil
		case asked == nil && uint64(at) == m.From:
			return &store.UnavailableError{Op: op, Err: err}
		case asked == nil, errors.Is(asked, pgx.ErrNoRows):
			// Somebody else has the lane meanwhile.
			return unknown(op, err)
		}
		if wait.pause(ctx) != nil {
			return unknown(op, err)
		}
	}
}
