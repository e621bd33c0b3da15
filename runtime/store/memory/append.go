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
	return s.observed.Append(ctx, batches, func(ctx context.Context) ([]store.Appended, error) {
		return s.appendAll(ctx, batches)
	})
}

func (s *Store) appendAll(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
	batches, err := store.Prepare(ctx, s.config.Now(), batches)
	if err != nil {
		return nil, err
	}
	if err := store.Ended(ctx, "append to "+printable.Name(batches[0].Stream)); err != nil {
		return nil, err
	}
	appended, err := s.append(batches)
	if err == nil && !appended[0].Duplicate {
		s.local.Ring()
	}
	return appended, err
}

func (s *Store) append(batches []store.Batch) ([]store.Appended, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.contents
	find := func(id uuid.UUID) *store.Recorded { return c.ids[id] }
	if appended, err := store.Duplicates(batches, find); appended != nil || err != nil {
		return appended, err
	}
	for _, b := range batches {
		if _, err := c.open("append to", b.Stream, b.Expected); err != nil {
			return nil, err
		}
	}
	appended := make([]store.Appended, len(batches))
	for i, b := range batches {
		appended[i] = c.add(b)
	}
	return appended, nil
}

func (c *contents) add(b store.Batch) store.Appended {
	to := c.streams[b.Stream]
	if to == nil {
		to = c.create(b.Stream, b.Events[0].Time)
	}
	category := store.Category(b.Stream)
	recorded := b.Record(to.version, c.last)
	for i := range recorded {
		r := &recorded[i]
		c.events = append(c.events, r)
		to.events = append(to.events, r)
		if category != "" {
			c.categories[category] = append(c.categories[category], r)
		}
		c.ids[r.ID] = r
		to.version, c.last = r.Version, r.Position
	}
	return store.Appended{Stream: b.Stream, Version: to.version, First: recorded[0].Position, Last: c.last}
}
