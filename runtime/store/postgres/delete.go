package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Delete removes a stream, as [store.Deleter] describes. Hard, it waits for whoever
// appends or links to the stream, in one transaction that takes as long as the
// stream is long; other streams are held up at its commit only, as by any append.
func (o *operations) Delete(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
	return o.observed.Do(ctx, store.OperationDelete, stream, func(ctx context.Context) error {
		return o.delete(ctx, stream, expected, how)
	})
}

func (o *operations) delete(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
	if err := store.CheckDelete(stream, expected, how); err != nil {
		return err
	}
	if expected == store.StreamExists {
		expected = store.Any
	}
	r := removing{operations: o, verb: "delete", stream: stream, expected: expected, how: how}
	r.sql, r.args = o.s.sql.deleteStream, []any{stream, int64(expected), o.s.now()}
	if how == store.Hard {
		r.sql, r.args = o.s.sql.remove, []any{stream, int64(expected), nil}
	}
	return r.run(ctx)
}

// Truncate removes what is before a version of a stream, as [store.Deleter]
// describes; hard as [Store.Delete] does.
func (o *operations) Truncate(ctx context.Context, stream string, before store.Version, how store.Removal) error {
	return o.observed.Do(ctx, store.OperationTruncate, stream, func(ctx context.Context) error {
		return o.truncate(ctx, stream, before, how)
	})
}

func (o *operations) truncate(ctx context.Context, stream string, before store.Version, how store.Removal) error {
	if err := store.CheckTruncate(stream, before, how); err != nil {
		return err
	}
	r := removing{operations: o, verb: "truncate", stream: stream, expected: store.Any, how: how, before: before}
	r.sql, r.args = o.s.sql.truncateStream, []any{stream, int64(before)}
	if how == store.Hard {
		r.sql, r.args = o.s.sql.remove, []any{stream, int64(store.Any), int64(before)}
	}
	return r.run(ctx)
}

// Undelete makes a softly deleted stream what it was.
func (o *operations) Undelete(ctx context.Context, stream string) error {
	return o.observed.Do(ctx, store.OperationUndelete, stream, func(ctx context.Context) error {
		return o.undelete(ctx, stream)
	})
}

func (o *operations) undelete(ctx context.Context, stream string) error {
	if err := store.CheckStream(stream); err != nil {
		return err
	}
	var version pgtype.Int8
	err := o.call(ctx, "undelete "+printable.Name(stream), func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, o.s.sql.undeleteStream, stream).Scan(&version)
	})
	if err == nil && !version.Valid {
		return &store.StreamNotFoundError{Stream: stream}
	}
	return err
}

// removing is a call of Delete or Truncate.
type removing struct {
	*operations
	verb     string
	stream   string
	expected store.Version
	before   store.Version // 0 for a whole stream
	how      store.Removal
	sql      string
	args     []any

	// lost is why an earlier reply is missing: it may be done.
	lost    error
	id      int64 // of the stream, to know it again
	version pgtype.Int8
	deleted pgtype.Timestamptz
	done    bool
}

func (r *removing) run(ctx context.Context) error {
	op := r.verb + " " + printable.Name(r.stream)
	if r.how == store.Hard && !r.s.config.HardDeletes {
		return &store.NotEnabledError{Op: "hard " + op, Remedy: "set HardDeletes in the store's configuration, or delete softly"}
	}
	switch err := r.settle(ctx, op, func() bool { return r.lost != nil }, r.send); {
	case err != nil && r.lost != nil && !store.Retryable(err):
		return &store.UnavailableError{Op: r.verb + " " + printable.Name(r.stream), Err: fmt.Errorf("%w; the reply was lost: %w", err, r.lost)}
	case err != nil:
		return err
	}
	if r.done && r.how == store.Hard {
		r.s.logRemoved(ctx, r)
	}
	return r.refusal()
}

func (r *removing) send(ctx context.Context, conn *pgx.Conn) error {
	if gone, err := r.gone(ctx, conn); err != nil || gone {
		return err
	}
	into := []any{&r.version, &r.deleted, &r.done}
	err := r.s.runPlain(ctx, conn, r.tx == nil && r.s.begins.Load(), r.sql, r.args, into)
	if r.tx == nil && sqlState(err) == stateIsolation && !r.s.begins.Load() {
		r.s.begin(ctx)
		err = r.s.runPlain(ctx, conn, true, r.sql, r.args, into)
	}
	if r.tx == nil && lost(err) {
		r.lost = err
	}
	return err
}

// gone reports that there is nothing to be removed hard, or nothing any more: after
// a lost reply, a stream of this name with another id is somebody else's new one.
func (r *removing) gone(ctx context.Context, conn *pgx.Conn) (bool, error) {
	if r.how != store.Hard || r.tx != nil {
		return false, nil
	}
	id, err := r.idOf(ctx, conn)
	if err != nil {
		return false, err
	}
	switch again := r.lost != nil; {
	case again:
		r.done = id != r.id
	default:
		r.id, r.done = id, false
	}
	return r.done || id == 0, nil
}

// idOf returns the stream's id, or 0 if there is none.
func (r *removing) idOf(ctx context.Context, conn *pgx.Conn) (id int64, err error) {
	var version int64
	err = conn.QueryRow(ctx, r.s.sql.streamKey, r.stream).Scan(&id, &version)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// refusal is why nothing was done. After a lost reply, what is as it was to be may
// be this call's doing.
func (r *removing) refusal() error {
	actual := store.Version(r.version.Int64)
	switch again := r.lost != nil; {
	case r.done:
		return nil
	case !r.version.Valid:
		if again && r.how == store.Hard && r.before == 0 {
			return nil
		}
		return &store.StreamNotFoundError{Stream: r.stream}
	case r.deleted.Valid && (r.how == store.Soft || r.before > 0):
		if again && r.before == 0 {
			return nil
		}
		return &store.StreamDeletedError{Op: r.verb, Stream: r.stream, Deleted: utc(r.deleted)}
	case r.before > actual+1:
		return store.InvalidTruncate(r.stream, r.before, actual)
	default:
		return &store.ConflictError{Op: r.verb, Stream: r.stream, Expected: r.expected, Actual: actual}
	}
}
