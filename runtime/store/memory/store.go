// Package memory is an event store in the process's memory: the reference that
// other stores are compared with, and a fast store for tests and examples. It
// keeps events encoded, so what passes here has passed a serializer.
package memory

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// Config is how a [Store] behaves. The zero value works.
type Config struct {
	// Format of new payloads. Defaults to [store.JSON].
	Format store.Format
	// Now is the store's clock. Defaults to [time.Now].
	Now func() time.Time
	// HardDeletes allows [store.Hard] removals. Defaults to false: they are
	// refused with a [*store.NotEnabledError].
	HardDeletes bool
	// Observer is told of every operation, as system "memory". Defaults to none.
	Observer store.Observer
}

// Store keeps everything that a store can keep except across the end of the
// process: it declares every capability but [store.Durable] and
// [store.SeveralProcesses]. Methods are safe for concurrent use and never wait
// for anything but each other. There is nothing to close.
type Store struct {
	config   Config
	observed *store.Observed
	local    store.Local

	mu       sync.RWMutex
	contents contents
}

// contents is all that is stored. A list never changes where a reader may have
// taken it: appends write behind its end and removals make a new one, so readers
// need no lock once they have it.
type contents struct {
	events     list           // $all
	last       store.Position // that was given, also if its event is gone: none is given twice
	streams    map[string]*stream
	created    int // how many streams were
	categories map[string]list
	ids        map[uuid.UUID]*store.Recorded
	ledger     *store.Ledger
	snapshots  map[string]store.Snapshot
}

var (
	_ store.Store     = (*Store)(nil)
	_ store.Catalog   = (*Store)(nil)
	_ store.Snapshots = (*Store)(nil)
	_ store.Linker    = (*Store)(nil)
	_ store.Deleter   = (*Store)(nil)
)

// New returns an empty store.
func New(c Config) *Store {
	if c.Format == "" {
		c.Format = store.JSON
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Store{config: c, observed: store.Observe(c.Observer, "memory", "", nil), contents: empty(c)}
}

func empty(c Config) contents {
	return contents{
		streams:    make(map[string]*stream),
		categories: make(map[string]list),
		ids:        make(map[uuid.UUID]*store.Recorded),
		ledger:     store.NewLedger(store.Kept{}, c.Now, nil),
		snapshots:  make(map[string]store.Snapshot),
	}
}

// Reset forgets events, subscriptions and snapshots, as if the store were new.
// Reads under way still yield what was there when they began. Its epoch is another
// one, so that subscriptions that run on end: their places mean other events.
func (s *Store) Reset() {
	s.mu.Lock()
	s.contents = empty(s.config)
	s.mu.Unlock()
	s.local.Ring()
}

// Format is the configured one.
func (s *Store) Format() store.Format { return s.config.Format }

// Local rings after every append and link.
func (s *Store) Local() *store.Local { return &s.local }

// Capabilities are all but durable and several processes.
func (s *Store) Capabilities() store.Capabilities {
	return store.DenseOrder | store.SeveralStreams | store.KeepsSnapshots | store.KeepsCatalog |
		store.Links | store.Deletes
}

// now is the clock in the precision that is stored.
func (s *Store) now() time.Time { return s.config.Now().UTC().Truncate(time.Microsecond) }
