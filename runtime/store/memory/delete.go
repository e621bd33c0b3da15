package memory

import (
	"context"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Delete removes a stream, as [store.Deleter] describes.
func (s *Store) Delete(ctx context.Context, name string, expected store.Version, how store.Removal) error {
	return s.observed.Do(ctx, store.OperationDelete, name, func(ctx context.Context) error {
		return s.delete(ctx, name, expected, how)
	})
}

func (s *Store) delete(ctx context.Context, name string, expected store.Version, how store.Removal) error {
	if err := store.CheckDelete(name, expected, how); err != nil {
		return err
	}
	return s.remove(ctx, "delete", name, how, func(c *contents, of *stream) error {
		switch {
		case how == store.Soft && !of.deleted.IsZero():
			return &store.StreamDeletedError{Op: "delete", Stream: name, Deleted: of.deleted}
		case !expected.Met(of.version):
			return &store.ConflictError{Op: "delete", Stream: name, Expected: expected, Actual: of.version}
		case how == store.Soft:
			of.deleted = s.now()
		default:
			c.remove(name, math.MaxInt64)
			delete(c.streams, name)
			delete(c.snapshots, name)
		}
		return nil
	})
}

// Undelete makes a softly deleted stream what it was.
func (s *Store) Undelete(ctx context.Context, name string) error {
	return s.observed.Do(ctx, store.OperationUndelete, name, func(ctx context.Context) error {
		return s.undelete(ctx, name)
	})
}

func (s *Store) undelete(ctx context.Context, name string) error {
	if err := store.CheckStream(name); err != nil {
		return err
	}
	err := s.remove(ctx, "undelete", name, store.Soft, func(_ *contents, of *stream) error {
		of.deleted = time.Time{}
		return nil
	})
	if err == nil {
		s.local.Ring() // for who waits for the stream
	}
	return err
}

// Truncate removes what is before a version, as [store.Deleter] describes.
func (s *Store) Truncate(ctx context.Context, name string, before store.Version, how store.Removal) error {
	return s.observed.Do(ctx, store.OperationTruncate, name, func(ctx context.Context) error {
		return s.truncate(ctx, name, before, how)
	})
}

func (s *Store) truncate(ctx context.Context, name string, before store.Version, how store.Removal) error {
	if err := store.CheckTruncate(name, before, how); err != nil {
		return err
	}
	return s.remove(ctx, "truncate", name, how, func(c *contents, of *stream) error {
		switch {
		case !of.deleted.IsZero():
			return &store.StreamDeletedError{Op: "truncate", Stream: name, Deleted: of.deleted}
		case before > of.version+1:
			return store.InvalidTruncate(name, before, of.version)
		case how == store.Soft:
			of.first = before
		default:
			c.remove(name, before)
		}
		return nil
	})
}

// remove runs do on a stream that there is, if the configuration allows it.
func (s *Store) remove(ctx context.Context, verb, name string, how store.Removal, do func(*contents, *stream) error) error {
	op := verb + " " + printable.Name(name)
	if how == store.Hard && !s.config.HardDeletes {
		return &store.NotEnabledError{Op: op + " hard", Remedy: "set HardDeletes in the memory store's Config"}
	}
	if err := store.Ended(ctx, op); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.contents.streams[name]
	if of == nil {
		return &store.StreamNotFoundError{Stream: name}
	}
	return do(&s.contents, of)
}

// remove takes away what a stream holds before a version: links alone, its own
// events with all links to them.
func (c *contents) remove(name string, before store.Version) {
	of := c.streams[name]
	end := of.events.search(version, uint64(before))
	gone := make(map[uuid.UUID]bool)
	for _, r := range of.events[:end] {
		if r.OriginalStream == name {
			gone[r.ID] = true
			delete(c.ids, r.ID)
		}
	}
	of.events = of.events[end:]
	if len(gone) == 0 {
		return
	}
	c.events = c.events.without(gone)
	if category := store.Category(name); category != "" {
		c.categories[category] = c.categories[category].without(gone)
	}
	for _, other := range c.streams {
		other.events = other.events.without(gone)
	}
}
