package storetest

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// linkedAs links with other arguments than were given.
func (b *broken) linkedAs(change func(stream string, expected *store.Version, ids *[]uuid.UUID)) {
	b.link = func(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
		change(stream, &expected, &ids)
		return b.Store.Link(ctx, stream, expected, ids...)
	}
}

// onceDuplicate answers the link of an event that the stream holds with success.
func onceDuplicate(b *broken) {
	b.link = func(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
		a, err := b.Store.Link(ctx, stream, expected, ids...)
		if errors.Is(err, store.ErrDuplicateEvent) {
			return store.Appended{Stream: stream}, nil
		}
		return a, err
	}
}

// partlyUnknown links those of the events that are stored.
func partlyUnknown(b *broken) {
	b.link = func(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
		a, err := b.Store.Link(ctx, stream, expected, ids...)
		if missing, ok := as[*store.EventNotFoundError](err); ok && len(missing.IDs) < len(ids) {
			known := slices.DeleteFunc(slices.Clone(ids), func(id uuid.UUID) bool { return slices.Contains(missing.IDs, id) })
			return b.Store.Link(ctx, stream, expected, known...)
		}
		return a, err
	}
}

// spin waits for what another goroutine does, but not for ever: it may not come.
func spin(until func() bool) {
	for range 100_000 {
		if until() {
			return
		}
		runtime.Gosched()
	}
}

// comparesFirst compares versions before it links, and not again.
func comparesFirst(b *broken) {
	var met [128]atomic.Int32 // by how many links, of each version
	b.link = func(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
		actual, err := versionOf(ctx, b.Store, stream)
		if err == nil && !expected.Met(actual) {
			err = &store.ConflictError{Stream: stream, Expected: expected, Actual: actual}
		}
		if err != nil {
			return store.Appended{}, err
		}
		met[actual].Add(1)
		spin(func() bool { return met[actual].Load() > 1 })
		return b.Store.Link(ctx, stream, store.Any, ids...)
	}
}

// createsOnly creates a stream that was missing when it looked, and does not look
// again when that fails.
func createsOnly(b *broken) {
	b.link = func(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
		missing := func() bool {
			actual, err := versionOf(ctx, b.Store, stream)
			return err == nil && actual == 0
		}
		if missing() && expected == store.Any {
			expected = store.NoStream
			spin(func() bool { return !missing() })
		}
		return b.Store.Link(ctx, stream, expected, ids...)
	}
}

var linkDefects = []defect{
	{"takes links for events of the stream", "a link keeps", func(b *broken) {
		b.changed(func(_ store.Query, r *store.Recorded) bool { r.OriginalStream = r.Stream; return true })
	}},
	{"copies what it links", "a link keeps", func(b *broken) {
		b.link = func(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
			var copies []store.Event
			for r := range b.Store.Read(ctx, store.Query{}) {
				if slices.Contains(ids, r.ID) {
					copies = append(copies, store.Event{Type: r.Type, Format: r.Format, Data: r.Data})
				}
			}
			a, err := appendOne(ctx, b.Store, batch(stream, expected, copies...))
			return store.Appended{Stream: stream, Version: a.Version}, err
		}
	}},
	{"links behind any version", "links meet expected", func(b *broken) {
		b.linkedAs(func(_ string, expected *store.Version, _ *[]uuid.UUID) { *expected = store.Any })
	}},
	{"takes a duplicate for a success", "an event is linked", onceDuplicate},
	{"does not know where a duplicate stands", "an event is linked", func(b *broken) {
		b.link = func(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
			a, err := b.Store.Link(ctx, stream, expected, ids...)
			if duplicate, ok := as[*store.DuplicateEventError](err); ok {
				duplicate.StoredVersion = 0
			}
			return a, err
		}
	}},
	{"links an event once that stands twice", "links that no store", func(b *broken) {
		b.linkedAs(func(_ string, _ *store.Version, ids *[]uuid.UUID) {
			if len(*ids) == 3 {
				*ids = (*ids)[:2]
			}
		})
	}},
	{"counts links apart from events", "a stream holds links", func(b *broken) {
		b.changed(func(q store.Query, r *store.Recorded) bool {
			if q.Stream == "list-1" && r.OriginalStream == "list-1" && r.Version == 3 {
				r.Version = 2
			}
			return true
		})
	}},
	{"shows links in $all", "a stream holds links", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			if len(q.Categories) == 1 && q.Categories[0] == "list" {
				q = store.Query{Stream: "list-1"}
			}
			return b.Store.Read(ctx, q)
		}
	}},
	{"takes the stream of a link for the original", "links of a stream of links", func(b *broken) {
		b.changed(func(q store.Query, r *store.Recorded) bool {
			if q.Stream == "list-2" {
				r.OriginalStream = "list-1"
			}
			return true
		})
	}},
	{"reads one page of links", "reads page through 3000 links", func(b *broken) {
		b.asked(func(q *store.Query) {
			if q.Stream == "list-1" {
				q.Limit = 1000
			}
		})
	}},
	{"does not ring for links", "the doorbell rings after a link", func(b *broken) { b.local = &store.Local{} }},
	{"links in a context that has ended", "a link in a context", func(b *broken) {
		b.link = func(ctx context.Context, stream string, expected store.Version, ids []uuid.UUID) (store.Appended, error) {
			return b.Store.Link(context.WithoutCancel(ctx), stream, expected, ids...)
		}
	}},
	{"does not describe links", "the catalog describes a stream of links", func(b *broken) {
		b.info = func(info store.StreamInfo) store.StreamInfo { info.Version = 0; return info }
	}},
	{"takes a duplicate for a success", "of concurrent links of one event", onceDuplicate},
}
