package memory

import (
	"context"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Append stores all batches or none, as [store.Streams] describes. An ended
// context stores nothing.
func (s *Store) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	batches, err := store.Prepare(ctx, s.config.Now(), batches)
	if err != nil {
		return nil, err
	}
	if err := store.Ended(ctx, "append to "+printable.Name(batches[0].Stream)); err != nil {
		return nil, err
	}
	appended, err := s.append(batches)
	if err == nil && !appended[0].Duplicate {
		s.bell.Ring()
	}
	return appended, err
}

func (s *Store) append(batches []store.Batch) ([]store.Appended, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.contents
	if appended, err := store.Duplicates(batches, c.find); appended != nil || err != nil {
		return appended, err
	}
	for _, b := range batches {
		if actual := store.Version(len(c.streams[b.Stream])); !b.Expected.Met(actual) {
			return nil, &store.ConflictError{Stream: b.Stream, Expected: b.Expected, Actual: actual}
		}
	}
	appended := make([]store.Appended, len(batches))
	for i, b := range batches {
		appended[i] = c.add(b)
	}
	return appended, nil
}

func (c *contents) add(b store.Batch) store.Appended {
	category := store.Category(b.Stream)
	version, before := store.Version(len(c.streams[b.Stream])), store.Position(len(c.events))
	for _, r := range b.Record(version, before) {
		c.events = append(c.events, r)
		c.streams[b.Stream] = append(c.streams[b.Stream], r.Position)
		if category != "" {
			c.categories[category] = append(c.categories[category], r.Position)
		}
		c.ids[r.ID] = r.Position
	}
	added := len(b.Events)
	return store.Appended{
		Stream: b.Stream, Version: version + store.Version(added),
		First: before + 1, Last: before + store.Position(added),
	}
}

func (c *contents) find(id uuid.UUID) *store.Recorded {
	if place, ok := c.ids[id]; ok {
		return c.at(place)
	}
	return nil
}
