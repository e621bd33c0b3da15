package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/runtime/store"
)

// DefaultSchema is where a store's tables are unless [Config.Schema] says otherwise.
const DefaultSchema = "esgen"

// Config is how a [Store] behaves. The zero value works.
type Config struct {
	// Schema holds the store's tables and functions: 1 to 63 bytes, any
	// characters. Stores in different schemas share nothing. Defaults to
	// [DefaultSchema].
	Schema string
	// Format of new payloads. Defaults to [store.JSON].
	Format store.Format
	// Timeout bounds calls whose context has no deadline; of a read, each page.
	// Negative is no timeout. Defaults to [store.DefaultTimeout].
	Timeout time.Duration
	// HardDeletes allows [store.Hard] removals. Without it nobody can lose events
	// through this store. Defaults to false.
	HardDeletes bool
	// NoGroupCommit sends every append in a transaction of its own, instead of those
	// of concurrent callers together. The answers are the same; under load it is
	// many times slower. Defaults to false.
	NoGroupCommit bool
	// Listener hears of the appends of other processes, which notify each other after
	// they have committed. Several stores of a database share one; see [NewListener].
	// Defaults to none: subscriptions then find what others have appended by polling.
	Listener *Listener
	// NoNotify sends no notification after appends. It saves up to 200 short statements
	// per second, where no other process has a Listener. Defaults to false.
	NoNotify bool
	// Observer is told of every operation, as system "postgresql" and by database and
	// schema, "shop|esgen", and of flushes. Defaults to nobody.
	Observer store.Observer
	// Logger is told what an operator acts on. Defaults to nobody.
	Logger *slog.Logger
	// Now is the clock for events without a time. Defaults to [time.Now].
	Now func() time.Time
}

// Store keeps events in one schema of a PostgreSQL database. It declares every
// capability. Methods are safe for concurrent use. The pool is its maker's; before
// closing it, call [Store.Close] if appends may be under way.
type Store struct {
	operations

	pool   *pgxpool.Pool
	config Config
	schema string // quoted
	sql    statements
	local  store.Local
	queue  queue
	ringer *ringer
	// signature is in what this store notifies others of.
	signature string
	// lane is for appends that wait for streams: they occupy at most these
	// connections.
	lane chan struct{}
	// binary tells that statements take arguments in binary form.
	binary bool
	// seen is the highest position that was appended or read here.
	seen  atomic.Int64
	noted noted

	// begins is set once an append was refused because the sessions of the pool
	// default to another isolation level: appends then begin a transaction.
	begins atomic.Bool
}

var (
	_ store.Store      = (*Store)(nil)
	_ store.Snapshots  = (*Store)(nil)
	_ store.Linker     = (*Store)(nil)
	_ store.Deleter    = (*Store)(nil)
	_ store.Transactor = (*Store)(nil)
)

// New returns a store on the connections of pool, which stays the caller's: the
// store never closes it and sets nothing in its sessions. New connects to
// nothing; call [Store.Migrate] before the first use. The error is a
// [*store.InvalidError] about c.
func New(pool *pgxpool.Pool, c Config) (*Store, error) {
	if pool == nil {
		return nil, &store.InvalidError{What: "pool", Reason: "nil; make one with pgxpool.New"}
	}
	if c.Schema == "" {
		c.Schema = DefaultSchema
	}
	if err := checkSchema(c.Schema); err != nil {
		return nil, err
	}
	if c.Format == "" {
		c.Format = store.JSON
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	quoted := pgx.Identifier{c.Schema}.Sanitize()
	pc := pool.Config()
	s := &Store{
		pool: pool, config: c, schema: quoted, sql: statementsOf(quoted),
		binary: pc.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeSimpleProtocol,
		lane:   make(chan struct{}, max(1, pc.MaxConns/2)),
	}
	s.operations = operations{s: s, observed: store.Observe(c.Observer, "postgresql", pc.ConnConfig.Database+"|"+c.Schema, c.Logger)}
	s.queue = queue{
		send:    s.sendFlush,
		stall:   s.logStall,
		full:    s.logQueueFull,
		acquire: func(ctx context.Context) (conn, error) { return s.acquire(ctx) },
		abandon: make(map[*context.CancelFunc]struct{}),
	}
	s.ringer, s.signature = newRinger(s.notify), signature()
	if l := c.Listener; l != nil {
		s.local.Hear(func() func() {
			return l.hear(channelOf(c.Schema), &ear{signature: s.signature, ring: s.local.Ring})
		})
	}
	return s, nil
}

// Close lets no append in any more and returns when those under way are answered
// and other processes are notified of them, or ctx has ended. The store listens to
// other processes no longer. The pool stays open, and reading goes on.
func (s *Store) Close(ctx context.Context) error {
	s.local.Hear(nil)
	return errors.Join(s.queue.close(ctx), s.ringer.close(ctx))
}

func checkSchema(name string) error {
	var reason string
	switch {
	// PostgreSQL would cut the name off, and two stores could become one.
	case len(name) > 63:
		reason = fmt.Sprintf("%d bytes long; names in PostgreSQL have at most 63", len(name))
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		reason = "not valid UTF-8 without U+0000"
	case strings.HasPrefix(name, "pg_"):
		reason = "names that begin with pg_ belong to PostgreSQL"
	default:
		return nil
	}
	return &store.InvalidError{What: "schema", Value: name, Reason: reason}
}

// Format is [Config.Format].
func (s *Store) Format() store.Format { return s.config.Format }

// Capabilities declares everything that package store names.
func (s *Store) Capabilities() store.Capabilities {
	return store.DenseOrder | store.SeveralStreams | store.Durable | store.SeveralProcesses |
		store.KeepsSnapshots | store.KeepsCatalog | store.Links | store.Deletes | store.Transacts
}

// Local rings after appends of this process, and of others if there is a
// [Config.Listener], while somebody attends.
func (s *Store) Local() *store.Local { return &s.local }

// now is the clock in the precision that the tables keep.
func (s *Store) now() time.Time { return s.config.Now().UTC().Truncate(time.Microsecond) }

// saw notes how far the order of all events goes.
func (s *Store) saw(position int64) {
	for {
		seen := s.seen.Load()
		if position <= seen || s.seen.CompareAndSwap(seen, position) {
			return
		}
	}
}

// stages end the statements that read events: PostgreSQL keeps one plan for each
// text, and a plan made while the tables were small would scan them when they are
// not. So the text changes with every tenfold growth.
var stages = [...]string{"", " -- 1", " -- 2", " -- 3", " -- 4", " -- 5", " -- 6", " -- 7", " -- 8", " -- 9"}

func (s *Store) stage() string {
	stage := 0
	for n := s.seen.Load(); n >= 10 && stage < len(stages)-1; n /= 10 {
		stage++
	}
	return stages[stage]
}
