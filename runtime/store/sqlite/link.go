package sqlite

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Link puts references to all events or to none into stream, as [store.Linker]
// describes. When ctx ends, it does as [Store.Append] does.
func (s *Store) Link(ctx context.Context, stream string, expected store.Version, ids ...uuid.UUID) (store.Appended, error) {
	return s.observed.Link(ctx, stream, ids, func(ctx context.Context) (store.Appended, error) {
		return s.link(ctx, stream, expected, ids)
	})
}

func (s *Store) link(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
	if err := store.CheckLink(stream, expected, ids); err != nil {
		return store.Appended{}, err
	}
	op := "link to " + printable.Name(stream)
	ctx, cancel, err := s.begin(ctx, op)
	if err != nil {
		return store.Appended{}, err
	}
	defer cancel()
	l := &linking{op: op, stream: stream, expected: expected, ids: ids, now: s.now().UnixMicro()}
	err = s.writer.do(ctx, &change{op: op, apply: l.apply, events: len(ids)})
	if doubt, ok := errors.AsType[*doubtError](err); ok {
		return store.Appended{}, &store.UnknownOutcomeError{Err: opError(op, doubt.cause)}
	}
	if err != nil {
		return store.Appended{}, s.outcome(op, err)
	}
	return store.Appended{Stream: stream, Version: l.version}, nil
}

// linking is a link on its way.
type linking struct {
	op, stream string
	expected   store.Version
	ids        []uuid.UUID
	now        int64
	// version of the stream behind the links, once they were written.
	version store.Version
}

// apply checks everything before it writes anything, as an append does.
func (l *linking) apply(t *tx) error {
	to, found := t.target(l.stream)
	positions := make([]int64, len(l.ids))
	var unknown []uuid.UUID
	var held error
	own := t.resolving && l.version > 0
	for i, id := range l.ids {
		var at *store.Version
		if !t.row(linkPlaceSQL, []any{id[:], to.id}, &positions[i], &at) {
			unknown = append(unknown, id)
			continue
		}
		own = own && at != nil && *at == l.version-store.Version(len(l.ids)-1-i)
		if at != nil && held == nil {
			held = &store.DuplicateEventError{Op: "link to", ID: id, Stream: l.stream, StoredStream: l.stream, StoredVersion: *at}
		}
	}
	switch refusal := to.refusal("link to", l.stream, l.expected); {
	case own && len(unknown) == 0:
		// This very call made them, in a transaction that seemed lost.
		t.appended = true
		return nil
	case refusal != nil:
		return refusal
	case len(unknown) > 0:
		return &store.EventNotFoundError{Op: l.op, IDs: unknown, Of: len(l.ids)}
	case held != nil:
		return held
	}
	if !found {
		to = t.create(l.stream, l.now)
	}
	for _, position := range positions {
		to.version++
		if _, ok := t.exec(insertLinkSQL, to.id, int64(to.version), position); !ok {
			return nil
		}
	}
	l.version = to.version
	t.appended = true
	return nil
}
