// Package ownstore is the event store that docs/own-store.md builds: a file of
// appends, a file of subscriptions, and an index in memory. One process at a time
// may open a directory.
package ownstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// Store writes a line per append: the line is there or not, and with it all events
// of the append. Methods are safe for concurrent use.
type Store struct {
	file          *os.File
	local         store.Local
	subscriptions *store.Ledger

	mu       sync.Mutex
	failed   error             // why appends are refused until the store is opened again
	events   []*store.Recorded // position p at index p-1; they never change
	versions map[string]store.Version
	ids      map[uuid.UUID]*store.Recorded
}

// Open reads what the directory dir holds, or begins a new store there. Close it when done.
func Open(dir string) (*Store, error) {
	file, err := os.OpenFile(filepath.Join(dir, "events"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{file: file, versions: map[string]store.Version{}, ids: map[uuid.UUID]*store.Recorded{}}
	s.subscriptions, err = loadSubscriptions(filepath.Join(dir, "subscriptions"))
	if err := errors.Join(err, s.load(), syncDir(dir)); err != nil {
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
	for line := range bytes.Lines(text[:whole]) {
		var events []store.Recorded
		next := store.Position(len(s.events) + 1)
		if json.Unmarshal(line, &events) != nil || len(events) == 0 || events[0].Position != next {
			return fmt.Errorf("%s is damaged: no line holds position %d; restore the file from a backup", s.file.Name(), next)
		}
		s.index(events)
	}
	return errors.Join(s.file.Truncate(int64(whole)), s.file.Sync())
}

func (s *Store) index(events []store.Recorded) {
	for i := range events {
		r := &events[i]
		s.events, s.versions[r.Stream], s.ids[r.ID] = append(s.events, r), r.Version, r
	}
}

// Close closes the file. Appends after it are refused.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = store.ErrClosed
	return s.file.Close()
}

// Format of new payloads. Lines hold data in base64, so any other is kept as well.
func (s *Store) Format() store.Format { return store.JSON }

// Capabilities are what a file and one process can promise.
func (s *Store) Capabilities() store.Capabilities { return store.DenseOrder | store.Durable }

// Local rings after every append.
func (s *Store) Local() *store.Local { return &s.local }

// Append writes one line and waits until it is on the disk.
func (s *Store) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	batches, err := store.Prepare(ctx, time.Now(), batches)
	if err != nil {
		return nil, err
	}
	if len(batches) > 1 {
		return nil, &store.InvalidError{What: "append", Reason: "this store does not declare several streams; append one batch"}
	}
	b := batches[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := store.Ended(ctx, "append to "+b.Stream); err != nil {
		return nil, err
	}
	if s.failed != nil {
		return nil, fmt.Errorf("append to %s: %w; open the store again", b.Stream, s.failed)
	}
	appended, err := store.Duplicates(batches, func(id uuid.UUID) *store.Recorded { return s.ids[id] })
	if appended != nil || err != nil {
		return appended, err
	}
	version := s.versions[b.Stream]
	if !b.Expected.Met(version) {
		return nil, &store.ConflictError{Stream: b.Stream, Expected: b.Expected, Actual: version}
	}
	events := b.Record(version, store.Position(len(s.events)))
	if s.failed = write(s.file, events); s.failed != nil {
		// The line may be on the disk or not. Opening the store again tells.
		return nil, &store.UnknownOutcomeError{Batches: batches, Err: s.failed}
	}
	s.index(events)
	s.local.Ring()
	first, last := events[0], events[len(events)-1]
	return []store.Appended{{Stream: b.Stream, Version: last.Version, First: first.Position, Last: last.Position}}, nil
}

// Read yields what was there when the loop began.
func (s *Store) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return func(yield func(store.Recorded, error) bool) {
		if err := s.read(ctx, q, yield); err != nil {
			yield(store.Recorded{}, err)
		}
	}
}

func (s *Store) read(ctx context.Context, q store.Query, yield func(store.Recorded, error) bool) error {
	if err := q.Check(); err != nil {
		return err
	}
	s.mu.Lock()
	events, version := slices.Clone(s.events), s.versions[q.Stream]
	s.mu.Unlock()
	if q.Stream != "" && version == store.NoStream && ctx.Err() == nil {
		return &store.StreamNotFoundError{Stream: q.Stream}
	}
	if q.Backward {
		slices.Reverse(events)
	}
	yielded := 0
	for i := 0; ctx.Err() == nil; i++ {
		if i == len(events) {
			return nil
		}
		r := *events[i]
		if !q.Matches(r) {
			continue
		}
		r.Data, r.Metadata = bytes.Clone(r.Data), bytes.Clone(r.Metadata)
		if yielded++; !yield(r, nil) || yielded == q.Limit {
			return nil
		}
	}
	return store.Ended(ctx, "read "+q.String())
}

// Subscriptions are all in one small file, which every change replaces.
func (s *Store) Subscriptions() store.Subscriptions { return s.subscriptions }

func loadSubscriptions(path string) (*store.Ledger, error) {
	var all store.Kept
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	save := func(all store.Kept) error { return replace(path, all) }
	return store.NewLedger(all, time.Now, save), nil
}

// replace writes a new file, and only when that is on the disk gives it the old
// one's name: a crash leaves the old file or the new one.
func replace(path string, value any) error {
	file, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	if err := errors.Join(write(file, value), file.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(path+".new", path), syncDir(filepath.Dir(path)))
}

// write returns when value is a line on the disk.
func write(file *os.File, value any) error {
	return errors.Join(json.NewEncoder(file).Encode(value), file.Sync())
}

// syncDir makes new names in dir survive a power loss.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
