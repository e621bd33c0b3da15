// Package memory is an event store in the process's memory: the reference that
// other stores are compared with, and a fast store for tests and examples. It
// keeps events encoded, so what passes here has passed a serializer.
package memory

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// Config is how a [Store] behaves. The zero value works.
type Config struct {
	// Format of new payloads. Defaults to [store.JSON].
	Format store.Format
	// Now is the store's clock. Defaults to [time.Now].
	Now func() time.Time
}

// Store keeps everything that a store can keep except across the end of the
// process: it declares every capability but [store.Durable] and
// [store.SeveralProcesses]. Methods are safe for concurrent use and never wait
// for anything but each other. There is nothing to close.
type Store struct {
	config Config
	bell   store.Doorbell

	mu       sync.RWMutex
	contents contents
}

// contents only grow: an event at an index and a position in a list never
// change, so a reader that has taken the slices reads on without the lock.
type contents struct {
	events      []store.Recorded // position p at index p-1
	streams     map[string][]store.Position
	categories  map[string][]store.Position
	ids         map[uuid.UUID]store.Position
	checkpoints store.Checkpoints
	snapshots   map[string]store.Snapshot
}

var (
	_ store.Store     = (*Store)(nil)
	_ store.Catalog   = (*Store)(nil)
	_ store.Snapshots = (*Store)(nil)
)

// New returns an empty store.
func New(c Config) *Store {
	if c.Format == "" {
		c.Format = store.JSON
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Store{config: c, contents: empty(c)}
}

func empty(c Config) contents {
	return contents{
		streams:     make(map[string][]store.Position),
		categories:  make(map[string][]store.Position),
		ids:         make(map[uuid.UUID]store.Position),
		checkpoints: store.KeepCheckpoints(make(map[string]store.Checkpoint), c.Now, nil),
		snapshots:   make(map[string]store.Snapshot),
	}
}

// Reset forgets events, checkpoints and snapshots, as if the store were new.
// Reads under way still yield what was there when they began.
//
// End subscriptions before and run them again after. One that runs on keeps its
// place, so it passes over new events until there are as many as it has come to;
// and it ends with a [*store.CheckpointError] when it next stores its checkpoint,
// for that is gone.
func (s *Store) Reset() {
	s.mu.Lock()
	s.contents = empty(s.config)
	s.mu.Unlock()
	s.bell.Ring()
}

// Format is the configured one.
func (s *Store) Format() store.Format { return s.config.Format }

// Doorbell rings after every append.
func (s *Store) Doorbell() <-chan struct{} { return s.bell.Wait() }

// Capabilities are all but durable and several processes.
func (s *Store) Capabilities() store.Capabilities {
	return store.DenseOrder | store.SeveralStreams | store.KeepsSnapshots | store.KeepsCatalog
}

// StreamInfo describes stream, or returns a [*store.StreamNotFoundError].
func (s *Store) StreamInfo(ctx context.Context, stream string) (store.StreamInfo, error) {
	if err := store.CheckStream(stream); err != nil {
		return store.StreamInfo{}, err
	}
	if err := store.Ended(ctx, "describe "+printable.Name(stream)); err != nil {
		return store.StreamInfo{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	places := s.contents.streams[stream]
	if len(places) == 0 {
		return store.StreamInfo{}, &store.StreamNotFoundError{Stream: stream}
	}
	return store.StreamInfo{
		Stream:  stream,
		Version: store.Version(len(places)),
		Created: s.contents.at(places[0]).Time,
	}, nil
}

func (c *contents) at(p store.Position) *store.Recorded { return &c.events[p-1] }

// own returns a copy that shares no memory with r.
func own(r store.Recorded) store.Recorded {
	r.Data = bytes.Clone(r.Data)
	r.Metadata = bytes.Clone(r.Metadata)
	return r
}
