// Package ownstore is the event store that docs/own-store.md builds: one file
// of appends, one of checkpoints, and an index in memory. One process at a time
// may open a directory.
package ownstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// Store keeps events in dir/events: a line per append, so that a line is there
// or not, and with it all events of the append. Events never change, so readers
// need the lock only to take the slices.
type Store struct {
	dir  string
	file *os.File
	bell store.Doorbell

	mu          sync.RWMutex
	failed      error // why appends are refused until the store is opened again
	events      []store.Recorded
	streams     map[string][]store.Position
	ids         map[uuid.UUID]store.Position
	checkpoints map[string]store.Checkpoint
}

// Open reads what dir holds, or begins a new store there. Close it when done.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "events"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{
		dir: dir, file: file,
		streams:     map[string][]store.Position{},
		ids:         map[uuid.UUID]store.Position{},
		checkpoints: map[string]store.Checkpoint{},
	}
	if err := errors.Join(s.load(), s.loadCheckpoints(), syncDir(dir)); err != nil {
		return nil, fmt.Errorf("open store in %s: %w", dir, errors.Join(err, file.Close()))
	}
	return s, nil
}

// load indexes every whole line. A last line without its end was cut off by a
// crash before its append was acknowledged: it goes. Any other damage is an error.
func (s *Store) load() error {
	text, err := os.ReadFile(s.file.Name())
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	if whole < len(text) {
		if err := s.file.Truncate(int64(whole)); err != nil {
			return err
		}
	}
	for number, line := range bytes.Split(text[:whole], []byte("\n")) {
		if len(line) == 0 {
			continue // behind the last line end
		}
		var events []store.Recorded
		if err := json.Unmarshal(line, &events); err != nil {
			return fmt.Errorf("line %d of %s is damaged: %w; restore it from a backup", number+1, s.file.Name(), err)
		}
		s.index(events)
	}
	return s.file.Sync()
}

func (s *Store) index(events []store.Recorded) {
	for _, r := range events {
		s.events = append(s.events, r)
		s.streams[r.Stream] = append(s.streams[r.Stream], r.Position)
		s.ids[r.ID] = r.Position
	}
}

// Close closes the file. Appends after it are refused.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = store.ErrClosed
	return s.file.Close()
}

// Dir is the directory that the store keeps its files in.
func (s *Store) Dir() string { return s.dir }

// Format of new payloads. Lines hold data in base64, so any other is kept as well.
func (s *Store) Format() store.Format { return store.JSON }

// Doorbell rings after every append.
func (s *Store) Doorbell() <-chan struct{} { return s.bell.Wait() }

// Capabilities are what a file and one process can promise.
func (s *Store) Capabilities() store.Capabilities {
	return store.DenseOrder | store.SeveralStreams | store.Durable
}

// syncDir makes new names in dir survive a power loss.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
