package storetest

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// removedBy does more than a delete that succeeded.
func (b *broken) removedBy(more func(ctx context.Context, stream string, how store.Removal)) {
	b.remove = func(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
		err := b.Store.Delete(ctx, stream, expected, how)
		if err == nil {
			more(ctx, stream, how)
		}
		return err
	}
}

// answeredWith changes the errors of deletes.
func (b *broken) answeredWith(change func(stream string, how store.Removal, err error) error) {
	b.remove = func(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
		return change(stream, how, b.Store.Delete(ctx, stream, expected, how))
	}
}

// isGone reports whether a stream is softly deleted.
func (b *broken) isGone(ctx context.Context, stream string) bool {
	info, err := b.Store.StreamInfo(ctx, stream)
	return err == nil && !info.Deleted.IsZero()
}

// silent ends a read silently instead of with one of these errors.
func (b *broken) silent(what ...error) {
	b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
		return func(yield func(store.Recorded, error) bool) {
			for r, err := range b.Store.Read(ctx, q) {
				for _, w := range what {
					if errors.Is(err, w) {
						return
					}
				}
				if !yield(r, err) {
					return
				}
			}
		}
	}
}

// looksFirst looks whether a stream is deleted before it appends, and not again.
func looksFirst(b *broken) {
	var gone sync.Map
	b.remove = func(_ context.Context, stream string, _ store.Version, _ store.Removal) error {
		gone.Store(stream, true)
		return nil
	}
	b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
		deleted := func() bool { _, deleted := gone.Load(batches[0].Stream); return deleted }
		if deleted() {
			return nil, &store.StreamDeletedError{Op: "append to", Stream: batches[0].Stream}
		}
		if batches[0].Expected != store.NoStream { // the first has no rival
			spin(deleted)
		}
		return b.Store.Append(ctx, batches...)
	}
}

// destroysOriginals removes all that a stream shows, also what it links to.
func destroysOriginals(b *broken) {
	b.remove = func(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
		for r := range b.Store.Read(ctx, store.Query{Stream: stream}) {
			if how == store.Hard && r.OriginalStream != stream {
				_ = b.Store.Delete(ctx, r.OriginalStream, store.Any, how)
			}
		}
		return b.Store.Delete(ctx, stream, expected, how)
	}
}

// neverHard refuses to delete what is softly deleted.
func neverHard(b *broken) {
	b.remove = func(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
		if b.isGone(ctx, stream) {
			return &store.StreamDeletedError{Op: "delete", Stream: stream}
		}
		return b.Store.Delete(ctx, stream, expected, how)
	}
}

// leavesSnapshots forgets them when it deletes hard.
func leavesSnapshots(b *broken) {
	b.remove = func(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
		sn, left := b.LoadSnapshot(ctx, stream)
		err := b.Store.Delete(ctx, stream, expected, how)
		if left == nil {
			_ = b.SaveSnapshot(ctx, sn)
		}
		return err
	}
}

// countsWhatIsLeft gives the positions behind those that are left.
func countsWhatIsLeft(b *broken) {
	b.removedBy(func(ctx context.Context, _ string, how store.Removal) {
		if how == store.Soft {
			return
		}
		left := memory.New(memory.Config{HardDeletes: true})
		for r := range b.Store.Read(ctx, store.Query{}) {
			_, _ = left.Append(ctx, batch(r.Stream, store.Any, store.Event{Type: r.Type, Format: r.Format, Data: r.Data}))
		}
		b.Store = left
	})
}

// stopsAt ends a read at a hole of so many positions.
func (b *broken) stopsAt(hole store.Position) {
	b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
		return func(yield func(store.Recorded, error) bool) {
			var last store.Position
			for r, err := range b.Store.Read(ctx, q) {
				if last > 0 && max(r.Position, last)-min(r.Position, last) > hole || !yield(r, err) {
					return
				}
				last = r.Position
			}
		}
	}
}

var deleteDefects = []defect{
	{"appends to a deleted stream", "a softly deleted stream refuses", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			if b.isGone(ctx, batches[0].Stream) {
				_ = b.Store.Undelete(ctx, batches[0].Stream)
			}
			return b.Store.Append(ctx, batches...)
		}
	}},
	{"compares versions before it looks whether a stream is deleted", "a softly deleted stream refuses", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			appended, err := b.Store.Append(ctx, batches...)
			if errors.Is(err, store.ErrStreamDeleted) && !batches[0].Expected.Met(3) {
				return nil, &store.ConflictError{Stream: batches[0].Stream, Expected: batches[0].Expected, Actual: 3}
			}
			return appended, err
		}
	}},
	{"links to a deleted stream", "a softly deleted stream refuses", func(b *broken) {
		b.linkedAs(func(stream string, _ *store.Version, _ *[]uuid.UUID) {
			_ = b.Store.Undelete(context.Background(), stream)
		})
	}},
	{"reads a deleted stream as nothing", "a softly deleted stream is not read", func(b *broken) { b.silent(store.ErrStreamDeleted) }},
	{"hides softly deleted events", "$all and categories show", func(b *broken) {
		b.changed(func(_ store.Query, r *store.Recorded) bool { return !b.isGone(context.Background(), r.Stream) })
	}},
	{"hides softly deleted events from links", "links show softly", func(b *broken) {
		b.changed(func(_ store.Query, r *store.Recorded) bool { return !b.isGone(context.Background(), r.OriginalStream) })
	}},
	{"forgets a truncation when it undeletes", "undelete makes", func(b *broken) {
		b.restore = func(ctx context.Context, stream string) error {
			err := b.Store.Undelete(ctx, stream)
			if err == nil {
				err = b.Store.Truncate(ctx, stream, 1, store.Soft)
			}
			return err
		}
	}},
	{"deletes at any version", "delete meets", func(b *broken) {
		b.remove = func(ctx context.Context, stream string, _ store.Version, how store.Removal) error {
			return b.Store.Delete(ctx, stream, store.Any, how)
		}
	}},
	{"takes no stream for any", "deletes that no store", func(b *broken) {
		b.remove = func(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
			if expected == store.NoStream {
				return nil
			}
			return b.Store.Delete(ctx, stream, expected, how)
		}
	}},
	{"stores the streams before the deleted one", "an append to several streams of which", func(b *broken) {
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
	{"forgets what it stored when the stream is deleted", "a retry of what was stored before the delete", func(b *broken) {
		b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
			if b.isGone(ctx, batches[0].Stream) {
				return nil, &store.StreamDeletedError{Op: "append to", Stream: batches[0].Stream}
			}
			return b.Store.Append(ctx, batches...)
		}
	}},
	{"ends a read when the stream is deleted", "a read of a stream that is deleted", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			return func(yield func(store.Recorded, error) bool) {
				for r, err := range b.Store.Read(ctx, q) {
					if _, gone := b.Store.StreamInfo(ctx, q.Stream); gone != nil || b.isGone(ctx, q.Stream) || !yield(r, err) {
						return
					}
				}
			}
		}
	}},
	{"does not say when a stream was deleted", "softly deleted streams are listed", func(b *broken) {
		b.info = func(info store.StreamInfo) store.StreamInfo {
			info.Deleted = info.Created.AddDate(-1, 0, 0)
			return info
		}
	}},
	{"deletes in a context that has ended", "deletes in a context", func(b *broken) {
		b.remove = func(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
			return b.Store.Delete(context.WithoutCancel(ctx), stream, expected, how)
		}
	}},

	{"deletes hard without leave", "hard deletes are refused", func(b *broken) {
		b.answeredWith(func(_ string, _ store.Removal, err error) error {
			if errors.Is(err, store.ErrNotEnabled) {
				return nil
			}
			return err
		})
	}},
	{"deletes softly instead of hard", "a hard delete removes a stream", func(b *broken) {
		b.remove = func(ctx context.Context, stream string, expected store.Version, _ store.Removal) error {
			return b.Store.Delete(ctx, stream, expected, store.Soft)
		}
	}},
	{"deletes a neighbour", "a hard delete removes a stream", func(b *broken) {
		b.removedBy(func(ctx context.Context, _ string, _ store.Removal) {
			_ = b.Store.Delete(ctx, "bank-2", store.Any, store.Hard)
		})
	}},
	{"keeps the name of a deleted stream", "the name of a hard-deleted", func(b *broken) {
		b.removedBy(func(ctx context.Context, stream string, _ store.Removal) {
			_, _ = b.Store.Append(ctx, batch(stream, store.NoStream, event(0)))
		})
	}},
	{"takes a second delete for a success", "a second hard delete", func(b *broken) {
		b.answeredWith(func(_ string, _ store.Removal, err error) error {
			if errors.Is(err, store.ErrStreamNotFound) {
				return nil
			}
			return err
		})
	}},
	{"removes the originals of links", "a hard delete of a stream of links and events", destroysOriginals},
	{"closes the gaps that links leave", "links to removed events", func(b *broken) {
		b.changed(func(q store.Query, r *store.Recorded) bool {
			if q.Stream == "list-1" {
				r.Version /= 2
			}
			return true
		})
	}},
	{"gives versions again", "links to removed events", func(b *broken) {
		b.info = func(info store.StreamInfo) store.StreamInfo { info.Version = min(info.Version, 2); return info }
	}},
	{"stops at long holes", "reads page over long holes", func(b *broken) { b.stopsAt(1000) }},
	{"passes over events behind holes", "readers that follow", func(b *broken) {
		b.changed(func(_ store.Query, r *store.Recorded) bool { return r.Position%31 != 0 })
	}},
}

var truncateDefects = []defect{
	{"truncates hard instead of softly", "a soft truncation", func(b *broken) {
		b.truncate = func(ctx context.Context, stream string, before store.Version, _ store.Removal) error {
			return b.Store.Truncate(ctx, stream, before, store.Hard)
		}
	}},
	{"truncates what it names too", "a soft truncation", func(b *broken) {
		b.truncate = func(ctx context.Context, stream string, before store.Version, how store.Removal) error {
			return b.Store.Truncate(ctx, stream, before+1, how)
		}
	}},
	{"truncates softly instead of hard", "a hard truncation", func(b *broken) {
		b.truncate = func(ctx context.Context, stream string, before store.Version, _ store.Removal) error {
			return b.Store.Truncate(ctx, stream, before, store.Soft)
		}
	}},
	{"takes a stream without events for none", "a stream that was truncated", func(b *broken) {
		b.read = func(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
			return func(yield func(store.Recorded, error) bool) {
				n := 0
				for r, err := range b.Store.Read(ctx, q) {
					if n++; !yield(r, err) {
						return
					}
				}
				if n == 0 && q.Stream != "" {
					yield(store.Recorded{}, &store.StreamNotFoundError{Stream: q.Stream})
				}
			}
		}
	}},
	{"takes a version beyond the end for the end", "a truncation beyond", func(b *broken) {
		b.truncate = func(ctx context.Context, stream string, before store.Version, how store.Removal) error {
			if info, err := b.Store.StreamInfo(ctx, stream); err == nil {
				before = min(before, info.Version+1)
			}
			return b.Store.Truncate(ctx, stream, before, how)
		}
	}},
	{"truncates the originals of links", "a truncation of links", func(b *broken) {
		b.truncate = func(ctx context.Context, stream string, before store.Version, how store.Removal) error {
			for r := range b.Store.Read(ctx, store.Query{Stream: stream}) {
				if how == store.Hard && r.Version < before && r.OriginalStream != stream {
					_ = b.Store.Truncate(ctx, r.OriginalStream, r.OriginalVersion+1, how)
				}
			}
			return b.Store.Truncate(ctx, stream, before, how)
		}
	}},
	{"counts what is hidden to the limit", "reads page through a truncated", func(b *broken) {
		b.asked(func(q *store.Query) {
			if q.Limit > 0 && q.FromVersion > 0 {
				q.Limit -= max(0, 1201-int(q.FromVersion))
			}
		})
	}},
}
