package estest

import (
	"context"
	"encoding/binary"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// Config is how a [Store] behaves. The zero value works.
type Config struct {
	// Clock dates the events. Defaults to one that stands at 2000-01-01 12:00 UTC.
	Clock *Clock
	// Format of new payloads. Defaults to [store.JSON].
	Format store.Format
}

// Store is a store in memory whose times and ids a test knows before: events are
// dated by its clock, and the nth event that is appended without an id gets ID(n).
// Use it with typed streams as any store.
//
// The events of es.Atomic have ids before they reach the store, and so not
// these.
type Store struct {
	*memory.Store
	// Clock is the one of the Config.
	Clock *Clock

	tb        testing.TB
	appending sync.Mutex // ids are given in the order of appends

	mu       sync.Mutex
	last     int
	overtake map[string][]func(context.Context, store.Streams) error
}

var (
	_ store.Store     = (*Store)(nil)
	_ store.Snapshots = (*Store)(nil)
)

// NewStore returns an empty store for one test.
func NewStore(tb testing.TB, c Config) *Store {
	tb.Helper()
	if c.Clock == nil {
		c.Clock = NewClock(time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC))
	}
	s := &Store{
		Store:    memory.New(memory.Config{Now: c.Clock.Now, Format: c.Format, HardDeletes: true}),
		Clock:    c.Clock,
		tb:       tb,
		overtake: make(map[string][]func(context.Context, store.Streams) error),
	}
	tb.Cleanup(s.unused)
	return s
}

// ID is the id of the nth event that a [Store] stores, from 1: a UUID of version 7
// that ends in n.
func ID(n int) uuid.UUID {
	id := uuid.UUID{6: 0x70, 8: 0x80}
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return id
}

// Overtake lets somebody else be faster: the next append to a stream, by its stored
// name, waits until first has returned, which appends to the same stream through the
// streams it is given. So the append meets the conflict that it would meet in life,
// and a decision is made again. Each call is for one append; several are used up in
// turn. The test fails if first does, and if no append came.
func (s *Store) Overtake(stream string, first func(ctx context.Context, others store.Streams) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.overtake[stream] = append(s.overtake[stream], first)
}

// overtaker takes the function that is to go before an append to a stream.
func (s *Store) overtaker(stream string) func(context.Context, store.Streams) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.overtake[stream]
	if len(waiting) == 0 {
		return nil
	}
	s.overtake[stream] = waiting[1:]
	return waiting[0]
}

// unused reports overtakers that nothing has met.
func (s *Store) unused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for stream, waiting := range s.overtake {
		if len(waiting) > 0 {
			s.tb.Errorf("%d calls of Overtake wait for an append to %s that never came", len(waiting), stream)
		}
	}
}

// Append implements [store.Streams].
func (s *Store) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	for _, b := range batches {
		if first := s.overtaker(b.Stream); first != nil {
			if err := first(ctx, others{s}); err != nil {
				s.tb.Errorf("overtake an append to %s: %v", b.Stream, err)
			}
		}
	}
	return s.append(ctx, batches)
}

// append gives ids to the events and stores them. Those of an append that fails are
// given again.
func (s *Store) append(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
	s.appending.Lock()
	defer s.appending.Unlock()
	n := s.last
	batches = slices.Clone(batches)
	for i := range batches {
		events := slices.Clone(batches[i].Events)
		for j := range events {
			if events[j].ID == uuid.Nil {
				n++
				events[j].ID = ID(n)
			}
		}
		batches[i].Events = events
	}
	appended, err := s.Store.Append(ctx, batches...)
	if err == nil {
		s.last = n
	}
	return appended, err
}

// others are those who overtake: nobody overtakes them.
type others struct{ s *Store }

func (o others) Format() store.Format { return o.s.Format() }

func (o others) Append(ctx context.Context, batches ...store.Batch) ([]store.Appended, error) {
	return o.s.append(ctx, batches)
}

func (o others) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	return o.s.Read(ctx, q)
}

// Recorded returns what a stream holds, by its stored name, as it is stored: with
// metadata, correlation and causation. None if it does not exist.
func (s *Store) Recorded(stream string) []store.Recorded {
	s.tb.Helper()
	if _, err := s.StreamInfo(context.Background(), stream); err != nil {
		return nil
	}
	var list []store.Recorded
	for r, err := range s.Read(context.Background(), store.Query{Stream: stream}) {
		if err != nil {
			s.tb.Fatalf("read %s: %v", stream, err)
		}
		list = append(list, r)
	}
	return list
}
