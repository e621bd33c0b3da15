package subscribe

import (
	"sync"
	"sync/atomic"

	"github.com/esgen/esgen/runtime/store"
)

// standings are how far the lanes of this process are, ahead of what is stored: who
// waits for an event in the process that handles it need not wait for a checkpoint.
// They are kept in the store's Local.
type standings struct {
	mu    sync.Mutex
	lanes map[laneID]*standing
	// moved rings when a lane has moved while somebody waits.
	moved   store.Doorbell
	waiting atomic.Int32
}

type laneID struct {
	subscription string
	lane         int
}

// standing is a lane that this process owns. Its owner moves it, from one goroutine;
// anybody reads it.
type standing struct {
	of       *standings
	token    uint64
	at       atomic.Uint64
	inFlight atomic.Int64
}

type standingsKey struct{}

func standingsOf(l *store.Local) *standings {
	return l.Value(standingsKey{}, func() any { return &standings{lanes: make(map[laneID]*standing)} }).(*standings)
}

// own is called when the process gets a lane.
func (s *standings) own(l store.Lane) *standing {
	p := &standing{of: s, token: l.Token}
	p.at.Store(l.At)
	s.mu.Lock()
	s.lanes[laneID{l.Subscription, l.Lane}] = p
	s.mu.Unlock()
	s.wake()
	return p
}

// leave is called when the process owns the lane no longer.
func (s *standings) leave(name string, lane int, p *standing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lanes[laneID{name, lane}] == p {
		delete(s.lanes, laneID{name, lane})
	}
}

// find returns a lane, or nil if this process does not own it.
func (s *standings) find(l store.Lane) *standing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lanes[laneID{l.Subscription, l.Lane}]
}

// place is how far the lane is that the store tells of. The owner may not know yet that
// it has lost it: the lane may have been put back meanwhile.
func (p *standing) place(l store.Lane) uint64 {
	if p == nil || p.token < l.Token {
		return l.At
	}
	return max(l.At, p.at.Load())
}

// wait returns a channel that the next move closes, and what to call when nobody
// waits any more.
func (s *standings) wait() (moved <-chan struct{}, done func()) {
	s.waiting.Add(1)
	return s.moved.Wait(), func() { s.waiting.Add(-1) }
}

func (s *standings) wake() {
	if s.waiting.Load() > 0 {
		s.moved.Ring()
	}
}

// moveTo tells that all events up to a place are handled, parked or skipped. It costs
// two loads and a store while nobody waits.
func (p *standing) moveTo(at uint64) {
	if p.at.Load() == at {
		return
	}
	p.at.Store(at)
	p.of.wake()
}
