package pgproxy

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"sync"
	"time"
)

// Point is where on its way a request is hit. A request is what a client sends up
// to the point where it waits: a query, or everything up to Sync, so that a batch
// of statements is one request.
type Point int

const (
	// Request is before the server gets anything of the request.
	Request Point = iota
	// MidRequest is when the server has half of the message that holds the
	// statement (Query, or Bind) and all that was sent before it.
	MidRequest
	// Sent is when the server has the whole request, and before the client gets
	// anything of the answer. The server may be at work, or have finished.
	Sent
	// Answer is when the server has answered in full, so that what it committed is
	// committed, and before the client gets anything of the answer.
	Answer
	// MidAnswer is when the server has answered in full, and the client has got the
	// answer up to the middle of the statement's last row, or of its
	// CommandComplete if it has none.
	MidAnswer
	// Complete is when the server has answered in full, and the client has got
	// everything up to the statement's CommandComplete, without it.
	Complete
	// Connect is when a client has sent who it is, and before the server hears of it.
	Connect
	// Cancel is when a client asks on a connection of its own to cancel what another
	// does, and before the server hears of it.
	Cancel
)

// Action is what happens there.
type Action int

const (
	// Cut closes the connection to the client. The server still gets all that was
	// forwarded before, and then the end of the connection; what it says is lost.
	Cut Action = iota
	// Reset is Cut, where the client of a TCP connection sees it reset, not ended.
	Reset
	// Delay goes on after [Fault.Delay].
	Delay
	// Hold goes on after [Trap.Release].
	Hold
	// Hole forwards nothing more on this connection the way of [Fault.Way], nor that
	// either side has closed it, until [Trap.Release] or [Proxy.Heal].
	Hole
)

// Way is a direction of messages.
type Way int

// The ways, of which Both is the default of [Fault.Way].
const (
	ToServer Way = 1 << iota
	ToClient
	Both = ToServer | ToClient
)

// Fault says what happens, where, to which requests. The zero value cuts the next
// connection that sends a request, before the server gets it.
type Fault struct {
	At Point
	Do Action
	// SQL is in the text of a statement of the request. Statements that are prepared
	// are meant when they are executed. Defaults to every statement. Connections and
	// cancel requests have none.
	SQL *regexp.Regexp
	// Skip lets the first so many pass. Defaults to none.
	Skip int
	// Times is how many are hit; negative is all. Defaults to one.
	Times int
	// Chance is how likely each is hit, from 0 to 1. Defaults to always.
	Chance float64
	// Delay is how long [Delay] takes.
	Delay time.Duration
	// Way is where a [Hole] forwards nothing. Defaults to [Both].
	Way Way
}

// Trap is a fault that was armed.
type Trap struct {
	p     *Proxy
	fault Fault
	first chan struct{} // closed at the first hit
	once  sync.Once
	skip  int // under the lock of p
	left  int // as skip; negative is for ever

	mu       sync.Mutex
	hits     int
	released chan struct{} // closed by Release, and made anew
	holed    []*session
}

// Arm lets f happen from now on, to requests that are sent later. Of several faults
// that fit a request, the one that was armed first takes it.
func (p *Proxy) Arm(f Fault) *Trap {
	if f.Times == 0 {
		f.Times = 1
	}
	if f.Way == 0 {
		f.Way = Both
	}
	t := &Trap{p: p, fault: f, first: make(chan struct{}), skip: f.Skip, left: f.Times, released: make(chan struct{})}
	p.mu.Lock()
	p.traps = append(p.traps, t)
	p.mu.Unlock()
	p.armed.Add(1)
	return t
}

// Hit is closed when the fault has happened the first time.
func (t *Trap) Hit() <-chan struct{} { return t.first }

// Hits returns how often the fault has happened so far.
func (t *Trap) Hits() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hits
}

// Release lets go on what the trap holds, or has put into a hole, at this moment.
func (t *Trap) Release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.released)
	t.released = make(chan struct{})
	for _, s := range t.holed {
		s.open()
	}
	t.holed = nil
}

// Disarm lets it happen no more. What it holds stays held.
func (t *Trap) Disarm() {
	t.p.mu.Lock()
	defer t.p.mu.Unlock()
	if i := slices.Index(t.p.traps, t); i >= 0 {
		t.p.traps = slices.Delete(t.p.traps, i, i+1)
		t.p.armed.Add(-1)
	}
}

// catch returns the trap that takes what fits, and what fit said beside, or nil.
func (p *Proxy) catch(dice *rand.Rand, fit func(Fault) (int, bool)) (*Trap, int) {
	if p.armed.Load() == 0 {
		return nil, 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range p.traps {
		which, fits := fit(t.fault)
		if !fits || t.fault.Chance > 0 && dice.Float64() >= t.fault.Chance {
			continue
		}
		if t.skip > 0 {
			t.skip--
			continue
		}
		if t.left > 0 {
			if t.left--; t.left == 0 {
				p.traps = slices.Delete(p.traps, i, i+1)
				p.armed.Add(-1)
			}
		}
		return t, which
	}
	return nil, 0
}

// reach notes that the point is reached. The channel is closed by the next Release.
func (t *Trap) reach(s *session) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hits++
	if t.fault.Do == Hole {
		t.holed = append(t.holed, s)
	}
	return t.released
}

// tell says that the fault has happened.
func (t *Trap) tell() { t.once.Do(func() { close(t.first) }) }
