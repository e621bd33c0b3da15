// Package pgproxy breaks connections between pgx and a PostgreSQL server on
// purpose, at exactly the point that a test names.
//
//	proxy, err := pgproxy.New(server.URL(), pgproxy.Options{})
//	...
//	trap := proxy.Arm(pgproxy.Fault{At: pgproxy.Answer, SQL: regexp.MustCompile(`append`), Do: pgproxy.Cut})
//	// The next append is committed, and its caller never learns it.
//
// It reads the wire protocol, so that it knows which request a message belongs to.
// Programs connect to [Proxy.URL] and need not know: several processes may use one
// proxy. What it does without being told is nothing: bytes pass as they came.
//
// A client whose connection breaks, or whose context ends, makes pgx ask for the
// cancellation of what the server may be doing, on a connection of its own. Whoever
// wants the server to go on undisturbed arms a [Cut] at [Cancel] as well.
package pgproxy

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
)

// Options are how a proxy listens. The zero value works.
type Options struct {
	// TCP listens on the loopback interface. Defaults to a unix socket, which keeps
	// its name while the proxy is down.
	TCP bool
	// Seed decides what faults with a [Fault.Chance] do: each connection throws its
	// own dice, made from the seed and the number of the connection. Defaults to 0,
	// a seed as any.
	Seed uint64
}

// Proxy stands before one server. Its methods are safe for concurrent use.
type Proxy struct {
	upstream address // of the server
	listen   address // of the proxy
	dir      string  // of the socket
	url      string
	seed     uint64
	counts   counters
	armed    atomic.Int64 // traps that may still catch something

	mu       sync.Mutex
	listener net.Listener // nil while down
	sessions map[*session]bool
	dialled  uint64 // connections so far
	traps    []*Trap
	hole     Way // of the whole network
	closed   bool
	work     sync.WaitGroup
}

// New starts a proxy before the server of url, which may be a URL or words
// (host=… user=…). The connection to the server is not encrypted. Close ends it.
func New(url string, o Options) (*Proxy, error) {
	upstream, err := upstreamOf(url)
	if err != nil {
		return nil, err
	}
	p := &Proxy{upstream: upstream, seed: o.Seed, sessions: make(map[*session]bool)}
	if o.TCP {
		p.listen = address{network: "tcp", host: "127.0.0.1:0"}
	} else if p.listen, p.dir, err = socket(); err != nil {
		return nil, err
	}
	if err := p.Up(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(p.dir))
	}
	if p.url, err = rewrite(url, p.listen); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// URL returns the connection string with which programs reach the server through
// the proxy.
func (p *Proxy) URL() string { return p.url }

// Close cuts all connections and returns when no goroutine of the proxy is left.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	err := p.stopListening()
	for s := range p.sessions {
		s.abandon()
	}
	p.mu.Unlock()
	p.work.Wait()
	if p.dir != "" {
		err = errors.Join(err, os.RemoveAll(p.dir))
	}
	return err
}

// Down refuses new connections, cancel requests included, until [Proxy.Up]. Those
// that are open stay so; [Proxy.Cut] ends them.
func (p *Proxy) Down() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopListening()
}

// stopListening wants the lock.
func (p *Proxy) stopListening() error {
	if p.listener == nil {
		return nil
	}
	err := p.listener.Close()
	p.listener = nil
	return err
}

// Up accepts connections again, at the same address.
func (p *Proxy) Up() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.listener != nil {
		return nil
	}
	l, err := p.listen.open()
	if err != nil {
		return err
	}
	if p.listen.network == "tcp" {
		p.listen.host = l.Addr().String()
	}
	p.listener = l
	p.work.Go(func() { p.accept(l) })
	return nil
}

func (p *Proxy) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		// The listener may have been closed between the two.
		if p.listener != l {
			p.mu.Unlock()
			_ = client.Close()
			return
		}
		p.dialled++
		s := newSession(p, client, p.dialled)
		s.shut(p.hole)
		p.sessions[s] = true
		p.counts.connections.Add(1)
		p.work.Go(func() {
			s.serve()
			p.mu.Lock()
			delete(p.sessions, s)
			p.mu.Unlock()
		})
		p.mu.Unlock()
	}
}

// Cut cuts all open connections, as [Cut] does.
func (p *Proxy) Cut() {
	p.each(func(s *session) { s.cut(false) })
}

// Hole forwards nothing more the given way, on open and on new connections, and
// closes none, until [Proxy.Heal].
func (p *Proxy) Hole(w Way) {
	p.mu.Lock()
	p.hole |= w
	p.mu.Unlock()
	p.each(func(s *session) { s.shut(w) })
}

// Heal ends all holes: what was not forwarded is forwarded now.
func (p *Proxy) Heal() {
	p.mu.Lock()
	p.hole = 0
	p.mu.Unlock()
	p.each(func(s *session) { s.open() })
}

func (p *Proxy) each(do func(*session)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.sessions {
		do(s)
	}
}
