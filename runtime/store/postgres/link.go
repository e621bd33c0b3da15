package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Link puts references to stored events into a stream, as [store.Linker] describes,
// in one round trip. It waits for other writers of the stream.
func (o *operations) Link(ctx context.Context, stream string, expected store.Version, ids ...uuid.UUID) (store.Appended, error) {
	return o.observed.Link(ctx, stream, ids, func(ctx context.Context) (store.Appended, error) {
		return o.link(ctx, stream, expected, ids)
	})
}

func (o *operations) link(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
	if err := store.CheckLink(stream, expected, ids); err != nil {
		return store.Appended{}, err
	}
	l := linking{operations: o, op: opLink + " " + printable.Name(stream), stream: stream, expected: expected, ids: encodeIDs(ids)}
	err := o.settle(ctx, l.op, func() bool { return l.lost != nil }, l.run)
	switch {
	case err != nil && l.lost != nil:
		err = &store.UnknownOutcomeError{Err: fmt.Errorf("%w; the reply was lost: %w", err, l.lost)}
	case err == nil:
		err = l.refusal
	}
	if err != nil {
		return store.Appended{}, err
	}
	if o.tx == nil {
		o.s.ring()
	}
	return store.Appended{Stream: stream, Version: l.version}, nil
}

const opLink = "link to"

// Outcomes of link.sql beyond those of appends.
const (
	linkTwice   = 4
	linkUnknown = 5
)

type linking struct {
	*operations
	op       string
	stream   string
	expected store.Version
	ids      []pgtype.UUID

	version store.Version
	refusal error
	// lost is why an earlier reply is missing: the links may be there.
	lost error
}

func (l *linking) run(ctx context.Context, conn *pgx.Conn) error {
	for {
		l.refusal = nil
		var version int64
		var outcome int32
		var about []pgtype.UUID
		into := []any{&version, &outcome, &about}
		args := []any{l.stream, store.Category(l.stream), int64(l.expected), l.ids, l.s.now()}
		err := l.s.runPlain(ctx, conn, l.tx == nil && l.s.begins.Load(), l.s.sql.link, args, into)
		if l.tx == nil && sqlState(err) == stateIsolation && !l.s.begins.Load() {
			l.s.begin(ctx)
			continue
		}
		if l.tx == nil && lost(err) {
			l.lost = err
		}
		if err != nil {
			return err
		}
		l.version = store.Version(version)
		switch outcome {
		case outcomeStored:
			l.version += store.Version(len(l.ids))
			return nil
		case outcomeBusy:
			continue // somebody else has created the stream
		case outcomeConflict:
			l.refusal = &store.ConflictError{Op: opLink, Stream: l.stream, Expected: l.expected, Actual: l.version}
		case outcomeDeleted:
			l.refusal = &store.StreamDeletedError{Op: opLink, Stream: l.stream}
		case linkTwice:
			if len(about) > 0 {
				l.refusal = &store.DuplicateEventError{Op: opLink, ID: about[0].Bytes, Stream: l.stream, StoredStream: l.stream, StoredVersion: l.version}
			}
		case linkUnknown:
			missing := &store.EventNotFoundError{Op: l.op, Of: len(l.ids)}
			for _, id := range about {
				missing.IDs = append(missing.IDs, id.Bytes)
			}
			l.refusal = missing
		default:
			l.refusal = fmt.Errorf("%s: outcome %d; the store's functions are of another release", l.op, outcome)
		}
		if l.lost != nil {
			// The links may be what is in the way.
			return l.resolve(ctx, conn)
		}
		return nil
	}
}

// resolve takes the refusal back if the links are where they were to be put, or may
// yet be put there.
func (l *linking) resolve(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, l.s.sql.linked, l.stream, l.ids)
	if err != nil {
		return err
	}
	versions, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(versions) != len(l.ids) {
		if mayYetBeMet(l.refusal) {
			l.refusal = unknown(l.op, l.lost)
		}
		return err
	}
	first, last := versions[0], versions[len(versions)-1]
	if last-first == int64(len(versions)-1) && l.expected.Met(store.Version(first-1)) {
		l.version, l.refusal = store.Version(last), nil
	}
	return nil
}

func encodeIDs(ids []uuid.UUID) []pgtype.UUID {
	encoded := make([]pgtype.UUID, len(ids))
	for i, id := range ids {
		encoded[i] = pgtype.UUID{Bytes: id, Valid: true}
	}
	return encoded
}
