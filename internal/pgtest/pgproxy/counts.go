package pgproxy

import "sync/atomic"

// Counts is what a proxy has seen and done since it was made.
type Counts struct {
	// Connections were accepted, cancel requests included.
	Connections int64
	// Unreachable connections could not be passed on: the server was away.
	Unreachable int64
	// Cancels are requests to cancel that reached the server.
	Cancels int64
	// Requests reached the server in full, Answers the client.
	Requests, Answers int64
	// ToServer and ToClient are bytes that were forwarded.
	ToServer, ToClient int64
	// Cuts, Resets, Delays, Holds and Holes happened.
	Cuts, Resets, Delays, Holds, Holes int64
}

type counters struct {
	connections, unreachable, cancels  atomic.Int64
	requests, answers                  atomic.Int64
	toServer, toClient                 atomic.Int64
	cuts, resets, delays, holds, holes atomic.Int64
}

// Counts returns what the proxy has seen and done so far.
func (p *Proxy) Counts() Counts {
	c := &p.counts
	return Counts{
		Connections: c.connections.Load(), Unreachable: c.unreachable.Load(), Cancels: c.cancels.Load(),
		Requests: c.requests.Load(), Answers: c.answers.Load(),
		ToServer: c.toServer.Load(), ToClient: c.toClient.Load(),
		Cuts: c.cuts.Load(), Resets: c.resets.Load(), Delays: c.delays.Load(), Holds: c.holds.Load(), Holes: c.holes.Load(),
	}
}

// Open returns how many connections are open, on either side.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sessions)
}
