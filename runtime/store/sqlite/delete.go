package sqlite

import (
	"context"
	"math"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// verbDelete is what errors say of streams and subscriptions.
const verbDelete = "delete"

// Delete removes a stream, as [store.Deleter] describes. A hard delete takes as
// long as its events are many, and appends wait for it.
func (s *Store) Delete(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
	return s.observed.Do(ctx, store.OperationDelete, stream, func(ctx context.Context) error {
		return s.delete(ctx, stream, expected, how)
	})
}

func (s *Store) delete(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
	if err := store.CheckDelete(stream, expected, how); err != nil {
		return err
	}
	now := s.now().UnixMicro()
	return s.remove(ctx, verbDelete, stream, how, func(t *tx, of target) error { //nolint:contextcheck // as in remove
		switch {
		case how == store.Soft && of.deleted != nil:
			return of.refusal(verbDelete, stream, expected)
		case !expected.Met(of.version):
			return &store.ConflictError{Op: verbDelete, Stream: stream, Expected: expected, Actual: of.version}
		case how == store.Soft:
			t.exec(deleteStreamSQL, of.id, now)
		default:
			t.remove(of, math.MaxInt64, func() {
				t.exec(removeStreamSQL, of.id)
				t.exec(deleteSnapshotSQL, stream)
			})
		}
		return nil
	})
}

// Undelete makes a softly deleted stream what it was.
func (s *Store) Undelete(ctx context.Context, stream string) error {
	return s.observed.Do(ctx, store.OperationUndelete, stream, func(ctx context.Context) error {
		return s.undelete(ctx, stream)
	})
}

func (s *Store) undelete(ctx context.Context, stream string) error {
	if err := store.CheckStream(stream); err != nil {
		return err
	}
	return s.remove(ctx, "undelete", stream, store.Soft, func(t *tx, of target) error {
		if of.deleted != nil {
			t.exec(deleteStreamSQL, of.id, nil)
			t.appended = true // for who waits for the stream
		}
		return nil
	})
}

// Truncate removes what is before a version, as [store.Deleter] describes. A hard
// one takes as long as its events are many, and appends wait for it.
func (s *Store) Truncate(ctx context.Context, stream string, before store.Version, how store.Removal) error {
	return s.observed.Do(ctx, store.OperationTruncate, stream, func(ctx context.Context) error {
		return s.truncate(ctx, stream, before, how)
	})
}

func (s *Store) truncate(ctx context.Context, stream string, before store.Version, how store.Removal) error {
	if err := store.CheckTruncate(stream, before, how); err != nil {
		return err
	}
	return s.remove(ctx, "truncate", stream, how, func(t *tx, of target) error { //nolint:contextcheck // as in remove
		switch {
		case of.deleted != nil:
			return of.refusal("truncate", stream, store.Any)
		case before > of.version+1:
			return store.InvalidTruncate(stream, before, of.version)
		case how == store.Soft:
			t.exec(truncateStreamSQL, of.id, int64(before))
		default:
			t.remove(of, before, nil)
		}
		return nil
	})
}

// remove runs do on a stream that there is, if the configuration allows it.
func (s *Store) remove(ctx context.Context, verb, stream string, how store.Removal, do func(*tx, target) error) error {
	op := verb + " " + printable.Name(stream)
	if how == store.Hard && !s.config.HardDeletes {
		return &store.NotEnabledError{Op: op + " hard", Remedy: "set HardDeletes in the Config of package sqlite"}
	}
	ctx, cancel, err := s.begin(ctx, op)
	if err != nil {
		return err
	}
	defer cancel()
	wrote := false
	return s.change(ctx, op, func(t *tx) error { //nolint:contextcheck // a flush is no caller's to interrupt
		of, found := t.target(stream)
		// What this very call removed, in a transaction that seemed lost, is no
		// reason to refuse it.
		if verb == verbDelete && t.resolving && wrote && (!found || how == store.Soft && of.deleted != nil) {
			return nil
		}
		if !found {
			return &store.StreamNotFoundError{Stream: stream}
		}
		err := do(t, of)
		wrote = err == nil
		return err
	})
}

// remove takes away what a stream holds before a version: links alone, its own
// events with all links to them. Then it runs more, unless that is nil, which may
// remove further rows.
func (t *tx) remove(of target, before store.Version, more func()) {
	t.exec(beginRemovalSQL)
	t.exec(keepVersionsSQL, of.id, int64(before))
	t.exec(removeLinksToSQL, of.id, int64(before))
	t.exec(removeLinksSQL, of.id, int64(before))
	t.exec(removeEventsSQL, of.id, int64(before))
	if more != nil {
		more()
	}
	t.exec(endRemovalSQL)
}
