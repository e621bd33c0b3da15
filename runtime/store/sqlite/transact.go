package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

type txKey struct{}

// TxFrom returns the transaction in which a transactional subscription calls its
// handler: what the handler writes through it, into tables of its own in the store's
// file, is committed with the checkpoint, or not at all. It is of no use after the
// handler; the subscription ends it, so do not call Commit or Rollback. ok is false
// outside of such a handler.
func TxFrom(ctx context.Context) (tx *sql.Tx, ok bool) {
	in, ok := ctx.Value(txKey{}).(*Tx)
	if !ok {
		return nil, false
	}
	return in.sql, true
}

// Tx is the store in the transaction of a handler. Appends and reads through it see
// what the transaction has written. Methods are safe for concurrent use; they are
// refused once the handler has returned.
type Tx struct {
	s   *Store
	sql *sql.Tx

	mu    sync.Mutex
	t     *tx
	ended bool
}

var _ store.Streams = (*Tx)(nil)

// Format is [Config.Format].
func (in *Tx) Format() store.Format { return in.s.config.Format }

// Append stores all batches or none when the transaction commits.
func (in *Tx) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	return in.s.observed.InTx().Append(ctx, batches, func(ctx context.Context) ([]store.Appended, error) {
		batches, err := store.Prepare(ctx, in.s.config.Now(), batches)
		if err != nil {
			return nil, err
		}
		op := "append to " + printable.Name(batches[0].Stream)
		if err := store.Ended(ctx, op); err != nil {
			return nil, err
		}
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.ended {
			return nil, opError(op, errEnded)
		}
		a := &appending{batches: batches}
		err = a.apply(in.t) //nolint:contextcheck // statements of the transaction are not interrupted
		if in.t.failed != nil {
			err = in.t.failed
		}
		if err != nil {
			return nil, in.s.outcome(op, err)
		}
		return a.appended, nil
	})
}

var errEnded = errors.New("the handler's transaction has ended; use what StreamsFrom gives only inside the handler")

// Read yields what q selects, with what the transaction has appended.
func (in *Tx) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		if err := q.Check(); err != nil {
			yield(store.Recorded{}, err)
			return
		}
		r := newReading(in.s, q)
		r.src = in
		r.yield(ctx, yield)
	}
}

// statement makes the transaction a source.
func (in *Tx) statement(_ context.Context, query string) (*sql.Stmt, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.ended {
		return nil, errEnded
	}
	return in.t.s.statement(query) //nolint:contextcheck,sqlclosecheck // kept for the next call
}

// unpark removes a parked event when the transaction commits.
func (in *Tx) unpark(h store.Hold, key string, at uint64) error {
	op := "unpark an event of subscription " + printable.Name(h.Subscription)
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.ended {
		return opError(op, errEnded)
	}
	id, _, held := in.t.held(h)
	if held {
		in.t.exec(unparkSQL, id, key, int64(at))
	}
	switch {
	case in.t.failed != nil:
		return in.s.outcome(op, in.t.failed)
	case !held:
		return &store.FencedError{Holds: []store.Hold{h}}
	}
	return nil
}

// end refuses what comes later.
func (in *Tx) end() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.ended = true
}

// Transact is described by [store.Transactor]. f's context gives the transaction by
// [TxFrom] and the store in it by [store.StreamsFrom]. The transaction holds the
// file's write lock from beginning to end, so while f works nobody else writes, and f
// itself writes through one of the two: other calls that write are refused with a
// [*store.InvalidError] if they get f's context, and else wait for f.
//
// If the outcome of the commit is in doubt, the lane is asked whether it has moved;
// only if that cannot be learned is the error a [*store.UnknownOutcomeError] without
// batches.
func (s *Store) Transact(ctx context.Context, m store.Move, f func(ctx context.Context, in store.Streams) error) error {
	if err := store.CheckMoves([]store.Move{m}); err != nil {
		return err
	}
	op := fmt.Sprintf("handle events in a transaction of subscription %s, lane %d", printable.Name(m.Subscription), m.Lane)
	waiting, cancel, err := s.begin(ctx, op)
	if err != nil {
		return err
	}
	defer cancel()
	w := &s.writer
	if err := w.within(ctx, op); err != nil {
		return err
	}
	select {
	case <-w.turn:
		defer func() { w.turn <- struct{}{} }()
	case <-waiting.Done():
		return store.Ended(waiting, op)
	}
	if _, err := s.base.opened(); err != nil {
		return opError(op, err)
	}
	begun, err := w.beginTx(waiting)
	if err != nil {
		return interpret(store.Ended(waiting, ""), s.file, op, err)
	}
	in := &Tx{s: s, sql: begun, t: &tx{s: w.session}}
	defer in.end() // also if f panics
	committing := false
	defer func() {
		if !committing && begun.Rollback() != nil { // also if f panics
			w.discard()
		}
	}()
	moved := in.t.move(m, s.now().UnixMicro(), false) //nolint:contextcheck // statements of the transaction are not interrupted
	switch {
	case in.t.failed != nil:
		return s.outcome(op, in.t.failed)
	case !moved:
		return &store.FencedError{Holds: []store.Hold{m.Hold}}
	}
	err = f(context.WithValue(store.WithStreams(ctx, in), txKey{}, in), in)
	in.end()
	switch {
	case err != nil:
		return err
	case in.t.failed != nil:
		return opError(op, fmt.Errorf("rolled back: a statement in it had failed, and its error was not returned: %w", in.t.failed))
	}
	committing = true
	err = begun.Commit()
	if err != nil {
		w.discard()
		err = s.fate(ctx, op, m, err)
	}
	if err == nil && in.t.appended {
		s.local.Ring()
	}
	return err
}

// beginTx begins a transaction that holds the write lock, as soon as other processes
// let it.
func (w *writer) beginTx(ctx context.Context) (*sql.Tx, error) {
	if w.session == nil {
		session, err := w.base.session() //nolint:contextcheck // the session outlives the call
		if err != nil {
			return nil, err
		}
		w.session = session
	}
	var wait backoff
	for {
		// Its context would roll it back when it ends, at any moment.
		begun, err := w.session.conn.BeginTx(steady, nil) //nolint:contextcheck // see above
		if err == nil {
			return begun, nil
		}
		if !busy(err) {
			w.discard()
			return nil, err
		}
		if !wait.sleep(ctx) {
			return nil, err
		}
	}
}

// fate learns from the lane what became of a transaction whose COMMIT ended with err.
func (s *Store) fate(ctx context.Context, op string, m store.Move, err error) error {
	if !inDoubt(err) {
		return s.outcome(op, err)
	}
	if m.From != m.To { // else the lane stands there either way
		ctx, cancel := store.WithTimeout(context.WithoutCancel(ctx), s.config.Timeout)
		defer cancel()
		var id, at int64
		asked := s.base.row(ctx, heldLaneSQL, []any{m.Subscription, m.Lane, int64(m.Token)}, &id, &at)
		switch {
		case asked == nil && uint64(at) == m.To:
			return nil
		case asked == nil && uint64(at) == m.From:
			return &store.UnavailableError{Op: op, Err: err}
		}
	}
	return &store.UnknownOutcomeError{Err: opError(op, err)}
}
