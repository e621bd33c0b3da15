package sqlite

import (
	"context"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// Synchronous is how far an append has gone when it is acknowledged.
type Synchronous uint8

const (
	// Full has told the disk to keep it: an acknowledged event survives a power
	// loss.
	Full Synchronous = iota
	// Normal has told the operating system: an acknowledged event survives the
	// end of the process, but a power loss may take the last ones. The file is
	// never damaged. Appends that come one at a time are several times faster.
	Normal
)

// Config is how a [Store] behaves. The zero value works.
type Config struct {
	// Format of new payloads. Defaults to [store.JSON].
	Format store.Format
	// Timeout bounds calls whose context has no deadline. Negative means none.
	// Defaults to [store.DefaultTimeout].
	Timeout time.Duration
	// Now is the store's clock. Defaults to [time.Now].
	Now func() time.Time
	// Synchronous is how far an acknowledged append has gone. Defaults to [Full].
	Synchronous Synchronous
	// HardDeletes allows [store.Hard] removals. Defaults to false: they are
	// refused with a [*store.NotEnabledError].
	HardDeletes bool
	// Readers is the most connections that read at once; further reads wait for
	// one. Writing has a connection of its own. Defaults to 4.
	Readers int
	// Observer is told of every operation, as system "sqlite" and by the file's
	// absolute path, and of every transaction that holds appends. Defaults to none.
	Observer store.Observer
}

// Store keeps events in one SQLite file. It declares every capability. Methods
// are safe for concurrent use, and other processes of the same machine may use
// the file at the same time.
type Store struct {
	file     string
	config   Config
	observed *store.Observed
	local    store.Local
	base     *base
	writer   writer
	window   int64 // see there; tests make it small
}

var (
	_ store.Store      = (*Store)(nil)
	_ store.Catalog    = (*Store)(nil)
	_ store.Snapshots  = (*Store)(nil)
	_ store.Linker     = (*Store)(nil)
	_ store.Deleter    = (*Store)(nil)
	_ store.Transactor = (*Store)(nil)
)

// Open returns the store in file, a path. It checks its arguments; the file is
// opened by the first call that needs it, and created by [Store.Migrate] only.
// The error is a [*store.InvalidError].
//
// Programs that take the place of a store as one string write "sqlite:FILE" and
// cut the prefix off.
func Open(file string, c Config) (*Store, error) {
	path, err := checkFile(file)
	if err != nil {
		return nil, err
	}
	if c.Synchronous > Normal {
		return nil, &store.InvalidError{What: "sqlite config", Reason: "Synchronous is neither Full nor Normal"}
	}
	if c.Readers < 0 {
		return nil, &store.InvalidError{What: "sqlite config", Reason: "Readers is negative"}
	}
	if c.Format == "" {
		c.Format = store.JSON
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Readers == 0 {
		c.Readers = 4
	}
	s := &Store{
		file: path, config: c, observed: store.Observe(c.Observer, "sqlite", path, nil),
		base: newBase(path, c), window: window,
	}
	s.writer.base, s.writer.local, s.writer.observed = s.base, &s.local, s.observed
	s.writer.turn = make(chan struct{}, 1)
	s.writer.turn <- struct{}{}
	return s, nil
}

// File is the absolute path of the store's file.
func (s *Store) File() string { return s.file }

// Format is the configured one.
func (s *Store) Format() store.Format { return s.config.Format }

// Local rings after every append and link of this store. Those of other processes,
// and of another Store on the same file, do not ring: who waits also polls.
func (s *Store) Local() *store.Local { return &s.local }

// Capabilities are all that there are.
func (s *Store) Capabilities() store.Capabilities {
	return store.DenseOrder | store.SeveralStreams | store.Durable | store.SeveralProcesses |
		store.KeepsSnapshots | store.KeepsCatalog | store.Links | store.Deletes | store.Transacts
}

// Close waits until every append that has begun has ended, and closes the file.
// Later calls return [store.ErrClosed]; a second Close does nothing. If ctx ends
// first, its error is returned, calls are refused all the same, and Close may be
// called again to wait on.
func (s *Store) Close(ctx context.Context) error {
	s.base.refuse()
	if err := s.writer.close(ctx); err != nil {
		return opError("close "+s.file, err)
	}
	return s.base.close()
}

// begin returns ctx with the store's timeout, or why op is not to be started.
func (s *Store) begin(ctx context.Context, op string) (context.Context, context.CancelFunc, error) {
	if err := store.Ended(ctx, op); err != nil {
		return nil, nil, err
	}
	if _, err := s.base.opened(); err != nil {
		return nil, nil, opError(op, err)
	}
	ctx, cancel := store.WithTimeout(ctx, s.config.Timeout)
	return ctx, cancel, nil
}

// now is the clock in the precision that is stored.
func (s *Store) now() time.Time { return s.config.Now().UTC().Truncate(time.Microsecond) }
