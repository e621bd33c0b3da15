package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Checkpoints returns where subscriptions keep how far they have come: beside the
// events, and as durable.
func (s *Store) Checkpoints() store.Checkpoints { return checkpoints{s} }

type checkpoints struct{ s *Store }

func (c checkpoints) Open(ctx context.Context, ck store.Checkpoint) (store.Checkpoint, error) {
	if err := ck.Check(); err != nil {
		return store.Checkpoint{}, err
	}
	op := "open checkpoint " + printable.Name(ck.Name)
	ctx, cancel, err := c.s.begin(ctx, op)
	if err != nil {
		return store.Checkpoint{}, err
	}
	defer cancel()
	// Most are stored already, and reading waits for nobody.
	stored, err := c.load(ctx, ck.Name)
	switch {
	case err == nil:
		return stored, nil
	case !errors.Is(err, sql.ErrNoRows):
		return store.Checkpoint{}, interpret(store.Ended(ctx, ""), c.s.file, op, err)
	}
	now := c.s.now()
	err = c.s.change(ctx, op, func(t *tx) error { //nolint:contextcheck // a flush is no caller's to interrupt
		var found bool
		if stored, found = t.checkpoint(ck.Name); found {
			return nil
		}
		stored = ck
		stored.Time = now
		t.exec(insertCheckpointSQL, ck.Name, ck.Settings, int64(ck.At), now.UnixMicro())
		return nil
	})
	if err != nil {
		return store.Checkpoint{}, err
	}
	return stored, nil
}

func (c checkpoints) Advance(ctx context.Context, name string, from, to uint64) error {
	if err := store.CheckAdvance(name, from, to); err != nil {
		return err
	}
	op := "advance checkpoint " + printable.Name(name)
	ctx, cancel, err := c.s.begin(ctx, op)
	if err != nil {
		return err
	}
	defer cancel()
	now := c.s.now()
	return c.s.change(ctx, op, func(t *tx) error { //nolint:contextcheck // a flush is no caller's to interrupt
		stored, found := t.checkpoint(name)
		switch {
		case found && stored.At == to:
			return nil
		case !found || stored.At != from:
			return &store.CheckpointError{Name: name, From: from, To: to, Actual: stored.At, Missing: !found}
		}
		t.exec(advanceCheckpointSQL, name, int64(to), now.UnixMicro())
		return nil
	})
}

func (c checkpoints) load(ctx context.Context, name string) (store.Checkpoint, error) {
	ck := store.Checkpoint{Name: name}
	var place, micros int64
	err := c.s.base.row(ctx, checkpointSQL, []any{name}, &ck.Settings, &place, &micros)
	ck.At, ck.Time = uint64(place), instant(micros)
	return ck, err
}

func (t *tx) checkpoint(name string) (ck store.Checkpoint, found bool) {
	var place, micros int64
	if !t.row(checkpointSQL, []any{name}, &ck.Settings, &place, &micros) {
		return store.Checkpoint{}, false
	}
	ck.Name, ck.At, ck.Time = name, uint64(place), instant(micros)
	return ck, true
}

// change writes through the writer. Unlike an append it may simply be made again
// when its outcome is unknown, so that is a [*store.UnavailableError].
func (s *Store) change(ctx context.Context, op string, apply func(*tx) error) error {
	err := s.writer.do(ctx, &change{op: op, apply: apply})
	if err == nil {
		return nil
	}
	if _, doubt := errors.AsType[*doubtError](err); doubt {
		return &store.UnavailableError{Op: op, Err: err}
	}
	return s.outcome(op, err)
}
