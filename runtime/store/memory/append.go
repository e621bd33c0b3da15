package memory

import (
	"context"

	"github.com/esgen/esgen/runtime/store"
)

// Append stores all batches or none, as [store.Streams] describes. An ended
// context stores nothing.
func (s *Store) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	batches, err := store.Prepare(ctx, s.config.Now(), batches)
	if err != nil {
		return nil, err
	}
	if err := begin(ctx, "append to "+batches[0].Stream); err != nil {
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
	if c.holdsAny(batches) {
		return c.duplicates(batches)
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
	a := store.Appended{Stream: b.Stream, First: store.Position(len(c.events) + 1)}
	category := store.Category(b.Stream)
	for _, e := range b.Events {
		a.Last = store.Position(len(c.events) + 1)
		a.Version = store.Version(len(c.streams[b.Stream]) + 1)
		c.events = append(c.events, own(store.Recorded{
			Position: a.Last,
			Stream:   b.Stream, Version: a.Version,
			OriginalStream: b.Stream, OriginalVersion: a.Version,
			ID: e.ID, Type: e.Type, Revision: e.Revision,
			Correlation: e.Correlation, Causation: e.Causation,
			Format: e.Format, Data: e.Data, Metadata: e.Metadata,
			Time: e.Time,
		}))
		c.streams[b.Stream] = append(c.streams[b.Stream], a.Last)
		if category != "" {
			c.categories[category] = append(c.categories[category], a.Last)
		}
		c.ids[e.ID] = a.Last
	}
	return a
}

func (c *contents) holdsAny(batches []store.Batch) bool {
	for _, b := range batches {
		for _, e := range b.Events {
			if _, ok := c.ids[e.ID]; ok {
				return true
			}
		}
	}
	return false
}

// duplicates answers an append of which at least one id is stored: a success if
// every id stands where this append would have put it, else an error that names
// the first one that is stored.
func (c *contents) duplicates(batches []store.Batch) ([]store.Appended, error) {
	appended := make([]store.Appended, len(batches))
	for i, b := range batches {
		a, ok := c.stored(b)
		if !ok {
			return nil, c.duplicate(batches)
		}
		appended[i] = a
	}
	return appended, nil
}

// stored returns where b is stored, if all of it is, in its order, side by side,
// and behind the version that it expects.
func (c *contents) stored(b store.Batch) (store.Appended, bool) {
	place, ok := c.ids[b.Events[0].ID]
	if !ok {
		return store.Appended{}, false
	}
	first := c.at(place).Version
	if !b.Expected.Met(first - 1) {
		return store.Appended{}, false
	}
	places := c.streams[b.Stream]
	last := first + store.Version(len(b.Events)) - 1
	if last > store.Version(len(places)) {
		return store.Appended{}, false
	}
	for j, e := range b.Events {
		// Also false if the first id stands in another stream.
		if c.at(places[int(first)-1+j]).ID != e.ID {
			return store.Appended{}, false
		}
	}
	return store.Appended{
		Stream: b.Stream, Version: last,
		First: places[first-1], Last: places[last-1],
		Duplicate: true,
	}, true
}

func (c *contents) duplicate(batches []store.Batch) error {
	for _, b := range batches {
		for _, e := range b.Events {
			if place, ok := c.ids[e.ID]; ok {
				at := c.at(place)
				return &store.DuplicateEventError{
					ID: e.ID, Stream: b.Stream,
					StoredStream: at.Stream, StoredVersion: at.Version,
				}
			}
		}
	}
	return nil
}
