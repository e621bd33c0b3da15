package memory

import (
	"context"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Link puts references to all events or to none into stream, as [store.Linker]
// describes. An ended context links nothing.
func (s *Store) Link(ctx context.Context, stream string, expected store.Version, ids ...uuid.UUID) (store.Appended, error) {
	return s.observed.Link(ctx, stream, ids, func(ctx context.Context) (store.Appended, error) {
		return s.linkAll(ctx, stream, expected, ids)
	})
}

func (s *Store) linkAll(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
	if err := store.CheckLink(stream, expected, ids); err != nil {
		return store.Appended{}, err
	}
	op := "link to " + printable.Name(stream)
	if err := store.Ended(ctx, op); err != nil {
		return store.Appended{}, err
	}
	linked, err := s.link(op, stream, expected, ids)
	if err == nil {
		s.local.Ring()
	}
	return linked, err
}

func (s *Store) link(op, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.contents
	to, err := c.open("link to", stream, expected)
	if err != nil {
		return store.Appended{}, err
	}
	var unknown []uuid.UUID
	for _, id := range ids {
		if c.ids[id] == nil {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) > 0 {
		return store.Appended{}, &store.EventNotFoundError{Op: op, IDs: unknown, Of: len(ids)}
	}
	if to == nil {
		to = c.create(stream, s.now())
	}
	for _, id := range ids {
		if at := to.at(id); at > 0 {
			return store.Appended{}, &store.DuplicateEventError{Op: "link to", ID: id, Stream: stream, StoredStream: stream, StoredVersion: at}
		}
	}
	for _, id := range ids {
		r := *c.ids[id]
		to.version++
		r.Stream, r.Version = stream, to.version
		to.events = append(to.events, &r)
	}
	return store.Appended{Stream: stream, Version: to.version}, nil
}
