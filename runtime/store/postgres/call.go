package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/runtime/store"
)

// reply is what append.sql returns: one element per stream.
type reply struct {
	head store.Position
	// versions of the streams before.
	versions []int64
	// outcomes is nil if all are stored.
	outcomes []int32
	// waited is how long the head was waited for.
	waited time.Duration
}

func (r *reply) version(stream int) store.Version {
	if stream >= len(r.versions) {
		return 0
	}
	return store.Version(r.versions[stream])
}

func (r *reply) outcome(stream int) int32 {
	if r.outcomes == nil {
		return outcomeStored
	}
	if stream >= len(r.outcomes) {
		return -1
	}
	return r.outcomes[stream]
}

// fate is that of the only batch, of one event.
func (r *reply) fate() fate {
	return fate{outcome: r.outcome(0), version: r.version(0), before: r.head}
}

// callAppend runs append.sql.
func (s *Store) callAppend(ctx context.Context, conn *pgx.Conn, args *arguments) (reply, error) {
	var r reply
	var head pgtype.Int8
	var waited pgtype.Int4
	into := []any{&head, &r.versions, &r.outcomes, &waited}
	var err error
	if began := s.begins.Load(); s.binary && !began {
		err = runBinary(ctx, conn, s.sql.append, appendOIDs, args.binary(), into)
	} else {
		err = s.runPlain(ctx, conn, began, s.sql.append, args.plain(), into)
	}
	r.head, r.waited = store.Position(head.Int64), time.Duration(waited.Int32)*time.Microsecond
	return r, err
}

// callOne runs append_one.sql.
func (s *Store) callOne(ctx context.Context, conn *pgx.Conn, b store.Batch) (reply, error) {
	var head pgtype.Int8
	var version int64
	var outcome int32
	var waited pgtype.Int4
	into := []any{&head, &version, &outcome, &waited}
	var err error
	if began := s.begins.Load(); s.binary && !began {
		err = runBinary(ctx, conn, s.sql.appendOne, oneOIDs, binaryOne(b), into)
	} else {
		err = s.runPlain(ctx, conn, began, s.sql.appendOne, plainOne(b), into)
	}
	r := reply{head: store.Position(head.Int64), versions: []int64{version}, waited: time.Duration(waited.Int32) * time.Microsecond}
	if outcome != outcomeStored {
		r.outcomes = []int32{outcome}
	}
	return r, err
}

// runPlain runs a statement that returns one row with arguments that pgx encodes;
// if begin, in a transaction of its own, in one round trip: it works where sessions
// default to another isolation.
func (s *Store) runPlain(ctx context.Context, conn *pgx.Conn, begin bool, sql string, args, into []any) error {
	if !begin {
		return conn.QueryRow(ctx, sql, args...).Scan(into...)
	}
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
