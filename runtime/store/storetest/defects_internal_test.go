package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// defects are those of appends, reads, checkpoints and snapshots. The table is one
// list, and read as one.
var defects = []defect{
	{"loses the last event of a batch", "case 02", func(b *broken) {
		b.given(func(batches []store.Batch) {
			for i, batch := range batches {
				batches[i].Events = batch.Events[:max(1, len(batch.Events)-1)]
			}
		})
	}},
	{"loses the last event of a batch", "append answers the versions", func(b *broken) {
		b.changed(func(_ store.Query, r *store.Recorded) bool { return r.Version%50 != 49 })
	}},
	{"lets two win", "of appends that expect the same version", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			for _, batch := range batches { // checks first, appends later
				if actual, err := versionOf(ctx, b.Store, batch.Stream); err != nil {
					return nil, err
				} else if !batch.Expected.Met(actual) {
					return nil, &store.ConflictError{Stream: batch.Stream, Expected: batch.Expected, Actual: actual}
				}
			}
			runtime.Gosched()
			batches = slices.Clone(batches)
			for i := range batches {
				batches[i].Expected = store.Any
			}
			return b.Store.Append(ctx, batches...)
		}
	}},
	{"takes an exact version as any", "case 09", func(b *broken) {
		b.given(func(batches []store.Batch) {
			for i := range batches {
				if batches[i].Expected > 0 {
					batches[i].Expected = store.Any
				}
			}
		})
	}},
	{"gives positions before the commit", "the order holds under", early},
	{"skips an event now and then", "the order holds under", func(b *broken) {
		var mu sync.Mutex
		n := 0
		b.changed(func(_ store.Query, r *store.Recorded) bool {
			mu.Lock()
			defer mu.Unlock()
			n++
			return n%1999 != 0
		})
	}},
	{"yields an event twice", "the order holds under", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			if q.FromPosition > 9 {
				q.FromPosition--
			}
			return b.Store.Read(ctx, q)
		}
	}},
	{"ignores duplicates", "a retry of one event", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			appended, err := b.Store.Append(ctx, batches...)
			if err == nil && appended[0].Duplicate {
				batches = slices.Clone(batches)
				for i := range batches {
					batches[i].Expected = store.Any
					batches[i].Events = slices.Clone(batches[i].Events)
					for j := range batches[i].Events {
						batches[i].Events[j].ID = uuid.Nil
					}
				}
				return b.Store.Append(ctx, batches...)
			}
			return appended, err
		}
	}},
	{"hides that it was a duplicate", "of concurrent retries", func(b *broken) {
		b.answered(func(a []store.Appended) { a[0].Duplicate = false })
	}},
	{"takes partly stored ids", "partly stored ids", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			appended, err := b.Store.Append(ctx, batches...)
			if duplicate, ok := as[*store.DuplicateEventError](err); ok {
				batches = slices.Clone(batches)
				batches[0].Expected = store.Any
				batches[0].Events = slices.DeleteFunc(slices.Clone(batches[0].Events), func(e store.Event) bool { return e.ID == duplicate.ID })
				if len(batches[0].Events) > 0 {
					return b.Append(ctx, batches...)
				}
			}
			return appended, err
		}
	}},
	{"stores some streams of several", "a conflict in one of several", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) (all []store.Appended, err error) {
			for _, batch := range batches {
				appended, err := b.Store.Append(ctx, batch)
				if err != nil {
					return nil, err
				}
				all = append(all, appended...)
			}
			return all, nil
		}
	}},
	{"answers positions that are off", "append answers the versions", func(b *broken) {
		b.answered(func(a []store.Appended) { a[0].Last++ })
	}},
	{"says the wrong actual version", "case 05", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			appended, err := b.Store.Append(ctx, batches...)
			if conflict, ok := as[*store.ConflictError](err); ok {
				conflict.Actual--
			}
			return appended, err
		}
	}},
	{"leaves holes in a dense order", "append answers the versions", func(b *broken) {
		b.answered(func(a []store.Appended) { a[0].First, a[0].Last = a[0].First*2, a[0].Last*2 })
		b.changed(func(_ store.Query, r *store.Recorded) bool { r.Position *= 2; return true })
	}},
	{"takes a prefix for a category", "every reading variant", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			if len(q.Categories) == 0 || q.Backward || q.Limit > 0 {
				return b.Store.Read(ctx, q)
			}
			return func(yield func(store.Recorded, error) bool) {
				whole := q
				whole.Categories = nil
				for r, err := range b.Store.Read(ctx, whole) {
					if strings.HasPrefix(r.Stream, q.Categories[0]) && !yield(r, err) {
						return
					}
				}
			}
		}
	}},
	{"ignores the types", "every reading variant", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			q.Types = nil
			return b.Store.Read(ctx, q)
		}
	}},
	{"counts the limit before the filter", "every reading variant", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			types := q.Types
			q.Types = nil
			return func(yield func(store.Recorded, error) bool) {
				for r, err := range b.Store.Read(ctx, q) {
					if (len(types) == 0 || slices.Contains(types, r.Type)) && !yield(r, err) {
						return
					}
				}
			}
		}
	}},
	{"stops after its first page", "reads page through", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			if q.Limit == 0 || q.Limit > 1000 {
				q.Limit = 1000
			}
			return b.Store.Read(ctx, q)
		}
	}},
	{"finds unknown streams empty", "case 10", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			return func(yield func(store.Recorded, error) bool) {
				for r, err := range b.Store.Read(ctx, q) {
					if errors.Is(err, store.ErrStreamNotFound) || !yield(r, err) {
						return
					}
				}
			}
		}
	}},
	{"ends a cancelled read silently", "a read that is cancelled", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			return func(yield func(store.Recorded, error) bool) {
				for r, err := range b.Store.Read(ctx, q) {
					if errors.Is(err, context.Canceled) || !yield(r, err) {
						return
					}
				}
			}
		}
	}},
	{"stores in spite of a cancelled context", "an append in a cancelled", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			appended, err := b.Store.Append(context.WithoutCancel(ctx), batches...)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return appended, err
		}
	}},
	{"says cancelled after the commit", "an append whose context ends at any", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			appended, err := b.Store.Append(ctx, batches...)
			if err == nil && batches[0].Events[0].ID[15]%5 == 0 {
				return nil, context.DeadlineExceeded
			}
			return appended, err
		}
	}},
	{"a bell that never rings", "the doorbell", func(b *broken) {
		b.local = &store.Local{}
	}},
	{"forgets the cause", "correlation and causation", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			return b.Store.Append(store.WithCause(ctx, uuid.Nil, uuid.Nil), batches...)
		}
	}},
	{"keeps milliseconds", "times are kept", func(b *broken) {
		b.changed(func(_ store.Query, r *store.Recorded) bool { r.Time = r.Time.Truncate(time.Millisecond); return true })
	}},
	{"reads local time", "times are kept", func(b *broken) {
		b.changed(func(_ store.Query, r *store.Recorded) bool { r.Time = r.Time.In(time.FixedZone("x", 60)); return true })
	}},
	{"changes data", "data comes back", func(b *broken) {
		b.changed(func(_ store.Query, r *store.Recorded) bool {
			r.Data = bytes.TrimSuffix(r.Data, []byte{0xfe})
			return true
		})
	}},
	{"rounds numbers of metadata", "metadata comes back", func(b *broken) {
		b.changed(func(_ store.Query, r *store.Recorded) bool {
			r.Metadata = store.Metadata(strings.ReplaceAll(string(r.Metadata), "12345678901234567890", "12345678901234567000"))
			return true
		})
	}},
	{"shares memory with the reader", "what was appended and what was read", func(b *broken) {
		kept := map[uuid.UUID][]byte{}
		b.changed(func(_ store.Query, r *store.Recorded) bool {
			if kept[r.ID] == nil {
				kept[r.ID] = r.Data
			}
			r.Data = kept[r.ID]
			return true
		})
	}},
	{"changes the caller's events", "what was appended and what was read", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			batches[0].Events[0].ID = uuid.New()
			return b.Store.Append(ctx, batches...)
		}
	}},
	{"takes invalid JSON", "invalid appends", func(b *broken) {
		b.given(func(batches []store.Batch) {
			for _, batch := range batches {
				for j := range batch.Events {
					batch.Events[j].Data = []byte("1")
				}
			}
		})
	}},
	{"makes ids of version 4", "ids are those given", func(b *broken) {
		b.given(func(batches []store.Batch) {
			for _, batch := range batches {
				for j, e := range batch.Events {
					if e.ID == uuid.Nil {
						batch.Events[j].ID = uuid.New()
					}
				}
			}
		})
	}},
	{"keeps the first snapshot of a version", "a snapshot of the same version", func(b *broken) {
		b.save = func(ctx context.Context, s store.Snapshot) error {
			if old, err := b.LoadSnapshot(ctx, s.Stream); err == nil && old.Version == s.Version {
				return nil
			}
			return b.Store.SaveSnapshot(ctx, s)
		}
	}},
	{"takes snapshots unchecked", "invalid snapshots", func(b *broken) {
		b.save = func(ctx context.Context, s store.Snapshot) error {
			s.Version = max(s.Version, 1)
			return b.Store.SaveSnapshot(ctx, s)
		}
	}},
	{"keeps the cause to itself", "a cause of a context", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			return func(yield func(store.Recorded, error) bool) {
				for r, err := range b.Store.Read(ctx, q) {
					if err != nil {
						err = ctx.Err()
					}
					if !yield(r, err) {
						return
					}
				}
			}
		}
	}},
	{"tells the cause alone", "an append in a cancelled", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return b.Store.Append(ctx, batches...)
		}
	}},
	{"shows names as they are", "names in errors", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			appended, err := b.Store.Append(ctx, batches...)
			if err != nil && len(batches) > 0 {
				err = fmt.Errorf("append to %s: %w", batches[0].Stream, err)
			}
			return appended, err
		}
	}},
	{"forgets the last position with its event", "the catalog knows the last position also", func(b *broken) {
		b.lastPosition = func(ctx context.Context) (last store.Position, err error) {
			for r, err := range b.Store.Read(ctx, store.Query{Backward: true, Limit: 1}) {
				return r.Position, err
			}
			return 0, nil
		}
	}},
	{"counts conflicts as positions", "the catalog knows the last position", func(b *broken) {
		var conflicts store.Position
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			a, err := b.Store.Append(ctx, batches...)
			if errors.Is(err, store.ErrConflict) {
				conflicts++
			}
			return a, err
		}
		b.lastPosition = func(ctx context.Context) (store.Position, error) {
			last, err := b.Store.LastPosition(ctx)
			return last + conflicts, err
		}
	}},
	{"describes streams by the clock", "the catalog describes", func(b *broken) {
		b.info = func(info store.StreamInfo) store.StreamInfo { info.Created = time.Now(); return info }
	}},
	{"declares more than it should", "case 01", func(b *broken) { b.declares = store.Durable }},
}
