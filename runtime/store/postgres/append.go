package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Append stores all batches or none, as [store.Streams] describes, in one round
// trip. It waits for other writers of the same streams. In one call at most 256
// MiB of data and metadata are stored.
func (s *Store) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	batches, err := store.Prepare(ctx, s.config.Now(), batches)
	if err != nil {
		return nil, err
	}
	op := "append to " + printable.Name(batches[0].Stream)
	if err := checkSize(op, batches); err != nil {
		return nil, err
	}
	if err := store.Ended(ctx, op); err != nil {
		return nil, err
	}
	ctx, cancel := store.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	a := appending{s: s, op: op, batches: batches, order: streamOrder(batches)}
	appended, err := a.run(ctx)
	if err == nil && slices.ContainsFunc(appended, func(a store.Appended) bool { return !a.Duplicate }) {
		s.bell.Ring()
	}
	return appended, err
}

// appending is one call of Append.
type appending struct {
	s       *Store
	op      string
	batches []store.Batch
	order   []int
	// blocking is set when the call for one event met a stream that was being
	// created: the general one knows how to wait for it.
	blocking bool
	// began tells that the last call began a transaction of its own.
	began bool
	// garbled tells that the last reply came, and could not be understood.
	garbled bool
	// lost is why an earlier reply is missing. From then on only an answer about
	// these events ends the call: they may be stored, or about to be.
	lost error
}

// Outcomes of append.sql and append_one.sql.
const (
	outcomeStored = iota
	outcomeConflict
	outcomeAgain
)

type outcome struct {
	code     int32
	versions []int64 // of the streams before the append, in order
	head     *int64  // the position before the first event's, if they are stored
}

func (a *appending) run(ctx context.Context) ([]store.Appended, error) {
	var wait backoff
	for {
		o, sent, err := a.send(ctx)
		switch {
		case err == nil && o.code == outcomeStored:
			return a.appended(o), nil
		case err == nil && o.code == outcomeConflict:
			appended, done, err := a.resolve(ctx, a.conflict(o))
			if done {
				return appended, err
			}
			if err != nil && a.lost == nil {
				// The reply was that nothing was stored.
				return nil, a.s.explain(ctx, a.op, err)
			}
		case err == nil:
			a.blocking = true
		case sqlState(err) == stateIsolation && !a.began:
			a.s.begins.Store(true)
		case isDuplicate(err):
			appended, done, err := a.resolve(ctx, nil)
			if done {
				return appended, err
			}
			if err != nil && a.lost == nil {
				return nil, a.s.explain(ctx, a.op, err)
			}
		case rolledBack(err):
			// Nothing was stored this time.
			if !transient(err) && a.lost == nil {
				return nil, a.s.explain(ctx, a.op, err)
			}
		case sent && a.garbled:
			return nil, &store.UnknownOutcomeError{Batches: a.batches, Err: err}
		case sent:
			a.lost = err
		case a.lost == nil && (!stale(err) || wait.count >= maxAttempts):
			return nil, a.s.explain(ctx, a.op, err)
		}
		if err := wait.pause(ctx); err != nil {
			return nil, a.giveUp(ctx)
		}
	}
}

// giveUp says what is known when ctx has ended before there was an answer.
func (a *appending) giveUp(ctx context.Context) error {
	switch cause := store.Ended(ctx, ""); {
	case a.lost == nil:
		return store.Ended(ctx, a.op)
	case errors.Is(a.lost, ctx.Err()):
		return &store.UnknownOutcomeError{Batches: a.batches, Err: cause}
	default:
		return &store.UnknownOutcomeError{Batches: a.batches, Err: fmt.Errorf("%w; the database did not say more: %w", a.lost, cause)}
	}
}

// send makes the append's one round trip. sent is false if the server cannot have
// got it.
func (a *appending) send(ctx context.Context) (o outcome, sent bool, err error) {
	conn, err := a.s.pool.Acquire(ctx)
	if err != nil {
		return o, false, err
	}
	defer conn.Release()

	var sql string
	var args, into []any
	if len(a.batches) == 1 && len(a.batches[0].Events) == 1 && !a.blocking {
		o.versions = make([]int64, 1)
		sql, args = a.s.sql.appendOne, encodeOne(a.batches[0])
		into = []any{&o.code, &o.versions[0], &o.head}
	} else {
		sql, args = a.s.sql.append, encodeAll(a.batches, a.order)
		into = []any{&o.code, &o.versions, &o.head}
	}
	if a.began = a.s.begins.Load(); a.began {
		err = inReadCommitted(ctx, conn.Conn(), sql, args, into)
	} else {
		err = conn.QueryRow(ctx, sql, args...).Scan(into...)
	}
	a.garbled = err != nil && sqlState(err) == "" && !conn.Conn().IsClosed()
	return o, err != nil && !pgconn.SafeToRetry(err), err
}

// inReadCommitted runs a statement that returns one row in a transaction of its
// own, in one round trip. It works where sessions default to another isolation.
func inReadCommitted(ctx context.Context, conn *pgx.Conn, sql string, args, into []any) error {
	var b pgx.Batch
	b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	b.Queue(sql, args...)
	b.Queue("COMMIT")
	results := conn.SendBatch(ctx, &b)
	_, err := results.Exec()
	if err == nil {
		err = results.QueryRow().Scan(into...)
	}
	if err == nil {
		_, err = results.Exec()
	}
	if closed := results.Close(); err == nil {
		err = closed
	}
	if err != nil && !conn.IsClosed() && conn.PgConn().TxStatus() != 'I' {
		// If this fails too, the pool closes the connection.
		_, _ = conn.Exec(ctx, "ROLLBACK")
	}
	return err
}

// appended tells where the events are, from what the streams were before.
func (a *appending) appended(o outcome) []store.Appended {
	appended := make([]store.Appended, len(a.batches))
	for at, i := range a.order {
		b := a.batches[i]
		appended[i] = store.Appended{Stream: b.Stream, Version: store.Version(o.versions[at] + int64(len(b.Events)))}
	}
	var last store.Position
	if o.head != nil {
		last = store.Position(*o.head)
	}
	for i, b := range a.batches {
		appended[i].First = last + 1
		last += store.Position(len(b.Events))
		appended[i].Last = last
	}
	return appended
}

// conflict names the first batch, in the caller's order, that met another version
// than it expected.
func (a *appending) conflict(o outcome) error {
	actual := make([]store.Version, len(a.batches))
	for at, i := range a.order {
		actual[i] = store.Version(o.versions[at])
	}
	for i, b := range a.batches {
		if !b.Expected.Met(actual[i]) {
			return &store.ConflictError{Stream: b.Stream, Expected: b.Expected, Actual: actual[i]}
		}
	}
	return fmt.Errorf("%s: the store reports a conflict at versions %v, which all streams were expected to have; its functions are of another release", a.op, actual)
}
