package ownstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// Checkpoints are all in one small file, which every change replaces.
func (s *Store) Checkpoints() store.Checkpoints { return checkpoints{s} }

type checkpoints struct{ s *Store }

func (c checkpoints) Open(ctx context.Context, given store.Checkpoint) (store.Checkpoint, error) {
	if err := store.CheckSubscription(given.Name); err != nil {
		return store.Checkpoint{}, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if ctx.Err() != nil {
		return store.Checkpoint{}, fmt.Errorf("open checkpoint %s: %w", given.Name, context.Cause(ctx))
	}
	if stored, ok := c.s.checkpoints[given.Name]; ok {
		return stored, nil
	}
	return c.s.saveCheckpoint(given)
}

func (c checkpoints) Advance(ctx context.Context, name string, from, to uint64) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if ctx.Err() != nil {
		return fmt.Errorf("advance checkpoint %s: %w", name, context.Cause(ctx))
	}
	stored, ok := c.s.checkpoints[name]
	switch {
	case to < from:
		return &store.InvalidError{What: "checkpoint", Value: name, Reason: fmt.Sprintf("a move from %d back to %d", from, to)}
	case ok && stored.At == to:
		return nil
	case !ok || stored.At != from:
		return &store.CheckpointError{Name: name, From: from, To: to, Actual: stored.At}
	}
	stored.At = to
	_, err := c.s.saveCheckpoint(stored)
	return err
}

// saveCheckpoint writes a new file, and only when that is on the disk gives it
// the old one's name: a crash leaves the old file or the new one.
func (s *Store) saveCheckpoint(c store.Checkpoint) (store.Checkpoint, error) {
	c.Time = time.Now().UTC().Truncate(time.Microsecond)
	changed := maps.Clone(s.checkpoints)
	changed[c.Name] = c
	text, err := json.Marshal(changed)
	if err == nil {
		err = s.replace("checkpoints", text)
	}
	if err != nil {
		return store.Checkpoint{}, fmt.Errorf("save checkpoint %s: %w", c.Name, err)
	}
	s.checkpoints = changed
	return c, nil
}

func (s *Store) replace(name string, text []byte) error {
	path := filepath.Join(s.dir, name)
	file, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(path+".new", path), syncDir(s.dir))
}

func (s *Store) loadCheckpoints() error {
	text, err := os.ReadFile(filepath.Join(s.dir, "checkpoints"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, &s.checkpoints)
}
