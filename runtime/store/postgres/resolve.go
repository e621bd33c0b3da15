package postgres

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/esgen/esgen/runtime/store"
)

// place is where an event is stored.
type place struct {
	stream   string
	version  store.Version
	position store.Position
}

// resolve answers an append that was refused, from where its events are stored,
// or with refusal if none is. done is false if there is no answer yet: because of
// err, or, without one, because the append is to be sent again.
func (a *appending) resolve(ctx context.Context, refusal error) (_ []store.Appended, done bool, _ error) {
	if refusal != nil && a.fresh && a.lost == nil {
		return nil, true, refusal // nobody can have stored ids that are so new
	}
	places, err := a.find(ctx)
	if err != nil {
		return nil, false, err
	}
	if len(places) == 0 {
		if a.lost != nil && mayYetBeMet(refusal) {
			return nil, false, nil
		}
		return nil, refusal != nil, refusal
	}
	appended, err := a.settle(places)
	return appended, true, err
}

// mayYetBeMet reports that a call whose reply was lost may arrive when others have
// brought the stream to where it is expected, or undeleted it, although it is refused
// now. No other expectation can be met again later.
func mayYetBeMet(refusal error) bool {
	if _, deleted := errors.AsType[*store.StreamDeletedError](refusal); deleted {
		return true
	}
	conflict, ok := errors.AsType[*store.ConflictError](refusal)
	return ok && (conflict.Expected == store.StreamExists || conflict.Expected > conflict.Actual)
}

// settle answers with where the events are stored, or with the first that is
// elsewhere.
func (a *appending) settle(places map[uuid.UUID]place) ([]store.Appended, error) {
	appended := make([]store.Appended, len(a.batches))
	for i, b := range a.batches {
		stored, ok := storedAt(b, places)
		if !ok {
			return nil, a.duplicate(places)
		}
		// What this very call has stored is no duplicate.
		stored.Duplicate = a.lost == nil
		appended[i] = stored
	}
	return appended, nil
}

func (a *appending) find(ctx context.Context) (places map[uuid.UUID]place, _ error) {
	err := a.s.do(ctx, func(ctx context.Context, conn *pgx.Conn) (err error) {
		places, err = a.findOn(ctx, conn)
		return err
	})
	return places, err
}

// findOn looks for the events on a connection.
func (a *appending) findOn(ctx context.Context, conn *pgx.Conn) (map[uuid.UUID]place, error) {
	ids := make([]pgtype.UUID, 0, a.events)
	for _, b := range a.batches {
		for _, e := range b.Events {
			ids = append(ids, pgtype.UUID{Bytes: e.ID, Valid: true})
		}
	}
	rows, err := conn.Query(ctx, a.s.sql.findEvents, ids)
	if err != nil {
		return nil, err
	}
	places := make(map[uuid.UUID]place)
	var id pgtype.UUID
	var p place
	_, err = pgx.ForEachRow(rows, []any{&id, &p.stream, (*int64)(&p.version), (*uint64)(&p.position)}, func() error {
		places[id.Bytes] = p
		return nil
	})
	return places, err
}

// storedAt returns where b is stored, if all of it is, in its order, side by side
// in its stream, and behind the version that it expects.
func storedAt(b store.Batch, places map[uuid.UUID]place) (store.Appended, bool) {
	first, ok := places[b.Events[0].ID]
	if !ok || first.stream != b.Stream || !b.Expected.Met(first.version-1) {
		return store.Appended{}, false
	}
	a := store.Appended{Stream: b.Stream, First: first.position}
	for j, e := range b.Events {
		p, ok := places[e.ID]
		if !ok || p.stream != b.Stream || p.version != first.version+store.Version(j) {
			return store.Appended{}, false
		}
		a.Version, a.Last = p.version, p.position
	}
	return a, true
}

// duplicate names the first event that is stored already.
func (a *appending) duplicate(places map[uuid.UUID]place) error {
	for _, b := range a.batches {
		for _, e := range b.Events {
			if p, ok := places[e.ID]; ok {
				return &store.DuplicateEventError{Op: opAppend, ID: e.ID, Stream: b.Stream, StoredStream: p.stream, StoredVersion: p.version}
			}
		}
	}
	return nil
}
