package history_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/storetest/history"
)

// brokenLinker is a memory store whose links have a defect.
type brokenLinker struct {
	*memory.Store
	link func(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error)
}

func (b *brokenLinker) Link(ctx context.Context, stream string, expected store.Version, ids ...uuid.UUID) (store.Appended, error) {
	return b.link(ctx, stream, expected, ids)
}

// TestBrokenLinksAreFound breaks links in the ways in which a store may.
func TestBrokenLinksAreFound(t *testing.T) {
	t.Parallel()
	away := &store.UnavailableError{Op: "link", Err: context.DeadlineExceeded}
	for name, c := range map[string]struct {
		rule string
		// link gets a sound store, and is called every third time.
		link func(ctx context.Context, s *memory.Store, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error)
	}{
		"forgets what it acknowledged": {"lost", func(_ context.Context, _ *memory.Store, stream string, _ store.Version, ids []uuid.UUID) (store.Appended, error) {
			return store.Appended{Stream: stream, Version: store.Version(len(ids))}, nil
		}},
		"links in another order": {"lost", func(ctx context.Context, s *memory.Store, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
			ids = slices.Clone(ids)
			slices.Reverse(ids)
			return s.Link(ctx, stream, expected, ids...)
		}},
		"says that nothing was linked": {"ghost", func(ctx context.Context, s *memory.Store, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
			_, _ = s.Link(ctx, stream, expected, ids...)
			return store.Appended{}, away
		}},
		"links half of what nobody knows of": {"torn", func(ctx context.Context, s *memory.Store, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
			_, _ = s.Link(ctx, stream, expected, ids[:(len(ids)+1)/2]...)
			return store.Appended{}, &store.UnknownOutcomeError{Err: away}
		}},
		"checks the version before it locks": {"linear", func(ctx context.Context, s *memory.Store, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
			actual := store.NoStream
			if info, err := s.StreamInfo(ctx, stream); err == nil {
				actual = info.Version
			}
			if !expected.Met(actual) {
				return store.Appended{}, &store.ConflictError{Op: "link to", Stream: stream, Expected: expected, Actual: actual}
			}
			<-time.After(2 * time.Millisecond) // in which somebody else does the same
			return s.Link(ctx, stream, store.Any, ids...)
		}},
		"forgets a conflict": {"linear", func(_ context.Context, _ *memory.Store, stream string, expected store.Version, _ []uuid.UUID) (store.Appended, error) {
			return store.Appended{}, &store.ConflictError{Op: "link to", Stream: stream, Expected: expected, Actual: 1 << 40}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := memory.New(memory.Config{})
			var calls atomic.Int64
			b := &brokenLinker{s, func(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
				if calls.Add(1)%3 != 0 && c.rule != "linear" {
					return s.Link(ctx, stream, expected, ids...)
				}
				return c.link(ctx, s, stream, expected, ids)
			}}
			r := prove(t, b, func(c *history.Config) { c.Pause, c.Ops = 3*time.Millisecond, 200 })
			if !r.Broken(c.rule) {
				t.Errorf("want a breach of %q, got %v", c.rule, r.Err())
			}
			if r.Links < 20 {
				t.Errorf("%d links show little", r.Links)
			}
		})
	}
}
