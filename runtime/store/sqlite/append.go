package sqlite

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Append stores all batches or none, as [store.Streams] describes. Appends of
// concurrent callers share a transaction.
//
// If ctx ends before the append's transaction has begun, nothing is stored: the
// error is ctx's, or a [*store.UnavailableError] if another process held the
// file's write lock until the deadline. Later than that the append cannot be
// called off; its outcome is waited for up to a second and returned, and only if
// that is not enough the error is a [*store.UnknownOutcomeError].
func (s *Store) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	return s.observed.Append(ctx, batches, func(ctx context.Context) ([]store.Appended, error) {
		return s.appendAll(ctx, batches)
	})
}

func (s *Store) appendAll(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
	batches, err := store.Prepare(ctx, s.config.Now(), batches)
	if err != nil {
		return nil, err
	}
	op := "append to " + printable.Name(batches[0].Stream)
	ctx, cancel, err := s.begin(ctx, op)
	if err != nil {
		return nil, err
	}
	defer cancel()
	a := &appending{batches: batches}
	c := s.observable(ctx, &change{op: op, apply: a.apply, streams: len(batches)})
	for _, b := range batches {
		c.events += len(b.Events)
		for _, e := range b.Events {
			c.bytes += len(e.Data) + len(e.Metadata)
		}
	}
	err = s.writer.do(ctx, c)
	if err == nil {
		return a.appended, nil
	}
	if doubt, ok := errors.AsType[*doubtError](err); ok {
		return nil, &store.UnknownOutcomeError{Batches: batches, Err: doubt.cause}
	}
	return nil, s.outcome(op, err)
}

// outcome words the error of a change. Refusals are in the store's words already.
func (s *Store) outcome(op string, err error) error {
	for _, known := range []error{
		store.ErrConflict, store.ErrDuplicateEvent, store.ErrUnavailable,
		store.ErrFenced, store.ErrSubscriptionNotFound, store.ErrSubscriptionExists,
		store.ErrStreamNotFound, store.ErrStreamDeleted, store.ErrEventNotFound, store.ErrInvalid,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, known) {
			return err
		}
	}
	return interpret(nil, s.file, op, err)
}

// appending is an append on its way.
type appending struct {
	batches  []store.Batch
	appended []store.Appended
	wrote    bool
}

// apply checks everything before it writes anything: under the write lock what it
// has read stays true, so nothing is ever to be undone because of a refusal.
func (a *appending) apply(t *tx) error {
	a.appended = make([]store.Appended, len(a.batches))
	if a.anyStored(t) {
		return a.duplicates(t)
	}
	targets := make([]target, len(a.batches))
	for i, b := range a.batches {
		targets[i], _ = t.target(b.Stream)
		if err := targets[i].refusal("append to", b.Stream, b.Expected); err != nil {
			return err
		}
	}
	for i, b := range a.batches {
		if t.failed == nil {
			a.appended[i] = t.append(b, targets[i])
		}
	}
	a.wrote = true
	t.appended = true
	return nil
}

func (t *tx) append(b store.Batch, to target) store.Appended {
	if to.version == 0 {
		to = t.create(b.Stream, b.Events[0].Time.UnixMicro())
	}
	a := store.Appended{Stream: b.Stream}
	for _, e := range b.Events {
		position := t.next()
		to.version++
		var metadata any
		if len(e.Metadata) > 0 {
			metadata = string(e.Metadata)
		}
		data := e.Data
		if data == nil {
			data = []byte{}
		}
		_, ok := t.exec(insertEventSQL, position, to.id, int64(to.version), to.category, e.ID[:],
			e.Type, e.Revision, e.Time.UnixMicro(), optional(e.Correlation), optional(e.Causation),
			string(e.Format), metadata, data)
		if !ok {
			return a
		}
		a.Last = store.Position(position)
		if a.First == 0 {
			a.First = a.Last
		}
	}
	a.Version = to.version
	return a
}

// insert returns the number that the new row was given.
func (t *tx) insert(query string, args ...any) int64 {
	result, ok := t.exec(query, args...)
	if !ok {
		return 0
	}
	id, err := result.LastInsertId()
	if err != nil {
		t.fail(err)
	}
	return id
}

func optional(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id[:]
}

// anyStored reports whether any of the events' ids is stored.
func (a *appending) anyStored(t *tx) (stored bool) {
	if len(a.batches) == 1 && len(a.batches[0].Events) == 1 {
		_, stored = t.place(a.batches[0].Events[0].ID)
		return stored
	}
	var ids strings.Builder
	separator := byte('[')
	for _, b := range a.batches {
		for _, e := range b.Events {
			ids.WriteByte(separator)
			ids.WriteByte('"')
			ids.WriteString(hex.EncodeToString(e.ID[:]))
			ids.WriteByte('"')
			separator = ','
		}
	}
	ids.WriteByte(']')
	t.row(anyEventSQL, []any{ids.String()}, &stored)
	return stored
}

// place is where an event is stored.
type place struct {
	stream   string
	version  store.Version
	position store.Position
}

func (t *tx) place(id uuid.UUID) (p place, found bool) {
	var position int64
	found = t.row(eventPlaceSQL, []any{id[:]}, &p.stream, &p.version, &position)
	p.position = store.Position(position)
	return p, found
}

// duplicates answers an append of which at least one id is stored: a success if
// every id stands where this append would have put it, else an error that names
// the first one that is stored.
func (a *appending) duplicates(t *tx) error {
	var refusal error
	whole := true
	for i, b := range a.batches {
		var first, last place
		for j, e := range b.Events {
			p, found := t.place(e.ID)
			if !found {
				whole = false
				continue
			}
			if refusal == nil {
				refusal = &store.DuplicateEventError{Op: "append to", ID: e.ID, Stream: b.Stream, StoredStream: p.stream, StoredVersion: p.version}
			}
			if j == 0 {
				first = p
			}
			last = p
			whole = whole && p.stream == b.Stream && p.version == first.version+store.Version(j)
		}
		whole = whole && b.Expected.Met(first.version-1)
		// What this very call stored, in a transaction that seemed lost, is no
		// duplicate.
		own := t.resolving && a.wrote
		a.appended[i] = store.Appended{
			Stream: b.Stream, Version: last.version, First: first.position, Last: last.position,
			Duplicate: !own,
		}
		t.appended = t.appended || own
	}
	if whole {
		return nil
	}
	return refusal
}
