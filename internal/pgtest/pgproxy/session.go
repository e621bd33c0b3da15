package pgproxy

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// What a startup packet may hold in place of a version.
const (
	codeCancel = 80877102
	codeTLS    = 80877103
	codeGSS    = 80877104
)

// maxStartup is the server's own bound of a startup packet.
const maxStartup = 10000

// session is one connection of a client, with the one to the server.
type session struct {
	p        *Proxy
	client   net.Conn
	dice     *rand.Rand // thrown by the goroutine that reads requests
	toServer gate
	toClient gate
	asked    questions
	over     chan struct{} // closed when the connection is cut
	once     sync.Once

	mu     sync.Mutex
	server net.Conn
	gone   bool // the proxy closes
}

func newSession(p *Proxy, client net.Conn, number uint64) *session {
	return &session{p: p, client: client, dice: rand.New(rand.NewPCG(p.seed, number)), over: make(chan struct{})}
}

func (s *session) serve() {
	defer func() { _ = s.client.Close() }()
	packet, code, err := s.startup()
	if err != nil {
		return
	}
	at := Connect
	if code == codeCancel {
		at = Cancel
	}
	if t, _ := s.p.catch(s.dice, func(f Fault) (int, bool) { return 0, f.At == at }); t != nil && !s.act(t) {
		return
	}
	if !s.toServer.wait(s.over) || !s.reach() {
		return
	}
	defer func() { _ = s.server.Close() }()
	if _, err := s.server.Write(packet); err != nil {
		return
	}
	if at == Cancel {
		s.p.counts.cancels.Add(1)
		// The server has got it when it closes the connection.
		_, _ = io.Copy(io.Discard, s.server)
		return
	}
	var requests sync.WaitGroup
	requests.Go(s.passRequests)
	s.passAnswers()
	// The server is done with the client.
	s.once.Do(func() { close(s.over) })
	_ = s.client.Close()
	requests.Wait()
}

// startup reads what a client sends first, and refuses encryption: libraries go on
// without unless told otherwise.
func (s *session) startup() (packet []byte, code uint32, err error) {
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(s.client, head); err != nil {
			return nil, 0, err
		}
		size := binary.BigEndian.Uint32(head)
		if size < 8 || size > maxStartup {
			return nil, 0, fmt.Errorf("a startup packet of %d bytes", size)
		}
		packet = append(head, make([]byte, size-8)...)
		if _, err := io.ReadFull(s.client, packet[8:]); err != nil {
			return nil, 0, err
		}
		code = binary.BigEndian.Uint32(head[4:])
		if code != codeTLS && code != codeGSS {
			return packet, code, nil
		}
		if _, err := s.client.Write([]byte{'N'}); err != nil {
			return nil, 0, err
		}
	}
}

// reach connects to the server.
func (s *session) reach() bool {
	server, err := s.p.upstream.dial()
	if err != nil {
		s.p.counts.unreachable.Add(1)
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		_ = server.Close()
		return false
	}
	s.server = server
	return true
}

// act does what t says. It returns false if the connection is over.
func (s *session) act(t *Trap) bool {
	released := t.reach(s)
	var timer *time.Timer
	switch counts := &s.p.counts; t.fault.Do {
	case Cut:
		s.cut(false)
	case Reset:
		s.cut(true)
	case Delay:
		counts.delays.Add(1)
		timer = time.NewTimer(t.fault.Delay)
		defer timer.Stop()
	case Hold:
		counts.holds.Add(1)
	case Hole:
		counts.holes.Add(1)
		s.shut(t.fault.Way)
	}
	t.tell()
	switch t.fault.Do {
	case Delay:
		select {
		case <-timer.C:
		case <-s.over:
		}
	case Hold:
		select {
		case <-released:
		case <-s.over:
		}
	}
	select {
	case <-s.over:
		return false
	default:
		return true
	}
}

// cut ends the connection of the client. What the server has been sent it gets.
func (s *session) cut(reset bool) {
	s.once.Do(func() {
		close(s.over)
		if reset {
			s.p.counts.resets.Add(1)
			if c, ok := s.client.(*net.TCPConn); ok {
				_ = c.SetLinger(0)
			}
		} else {
			s.p.counts.cuts.Add(1)
		}
		_ = s.client.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.server != nil {
			endOfRequests(s.server)
		}
	})
}

// abandon ends everything at once.
func (s *session) abandon() {
	s.once.Do(func() { close(s.over) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	_ = s.client.Close()
	if s.server != nil {
		_ = s.server.Close()
	}
}

// endOfRequests lets the server read to the end, as it would if the client were
// gone: closing both ways could lose what it has not read yet.
func endOfRequests(server net.Conn) {
	if c, ok := server.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

func (s *session) shut(w Way) {
	if w&ToServer != 0 {
		s.toServer.shut()
	}
	if w&ToClient != 0 {
		s.toClient.shut()
	}
}

func (s *session) open() {
	s.toServer.open()
	s.toClient.open()
}

// link writes one way, a buffer at a time, through a gate.
type link struct {
	s     *session
	gate  *gate
	out   *bufio.Writer
	bytes interface{ Add(delta int64) int64 }
}

// write returns false if nothing more can be written.
func (l link) write(p []byte) bool {
	if !l.gate.wait(l.s.over) {
		return false
	}
	l.bytes.Add(int64(len(p)))
	_, err := l.out.Write(p)
	return err == nil
}

func (l link) flush() bool { return l.gate.wait(l.s.over) && l.out.Flush() == nil }
