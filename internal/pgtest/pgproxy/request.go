package pgproxy

import (
	"bufio"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

// request is what a client sends before it waits.
type request struct {
	messages   []message
	statements []statement
	// answered tells that the server ends its answer with ReadyForQuery.
	answered bool

	trap   *Trap         // the fault that takes it, nil if none does
	which  int           // statement the fault is about
	passed chan struct{} // closed when the answer may be forwarded, of a trap at Sent
}

// statement is one that a request executes.
type statement struct {
	sql string
	// bound is the place of the message that brings its text or its arguments.
	bound int
}

// reader reads requests. It knows what a connection has prepared.
type reader struct {
	in       *bufio.Reader
	prepared map[string]string // SQL by the name of the statement
	portals  map[string]statement
}

// read returns the next request, or a message that is none, as a password is.
func (d *reader) read() (*request, error) {
	r := new(request)
	for {
		m, err := readMessage(d.in)
		if err != nil {
			return nil, err
		}
		r.messages = append(r.messages, m)
		if err := d.note(r, m); err != nil {
			return nil, err
		}
		switch m.kind() {
		case 'P', 'B', 'D', 'E', 'C':
			// More follows, up to Sync or Flush.
		case 'Q', 'S', 'F':
			r.answered = true
			return r, nil
		default:
			return r, nil
		}
	}
}

// note takes down what m says of statements.
func (d *reader) note(r *request, m message) error {
	last := len(r.messages) - 1
	switch m.kind() {
	case 'Q':
		var q pgproto3.Query
		if err := q.Decode(m.body()); err != nil {
			return err
		}
		r.statements = append(r.statements, statement{q.String, last})
	case 'P':
		var p pgproto3.Parse
		if err := p.Decode(m.body()); err != nil {
			return err
		}
		d.prepared[p.Name] = p.Query
	case 'B':
		var b pgproto3.Bind
		if err := b.Decode(m.body()); err != nil {
			return err
		}
		d.portals[b.DestinationPortal] = statement{d.prepared[b.PreparedStatement], last}
	case 'E':
		var e pgproto3.Execute
		if err := e.Decode(m.body()); err != nil {
			return err
		}
		r.statements = append(r.statements, d.portals[e.Portal])
	}
	return nil
}

// fits reports whether f is about r, and about which of its statements.
func (r *request) fits(f Fault) (int, bool) {
	if f.At > Complete {
		return 0, false
	}
	for i, s := range r.statements {
		if f.SQL == nil || f.SQL.MatchString(s.sql) {
			return i, true
		}
	}
	return 0, false
}

// half is how many bytes of r come before the middle of the message that brings
// the statement.
func (r *request) half() int {
	// Bound in an earlier request, as some may do, it is the message of that place.
	at := min(r.statements[r.which].bound, len(r.messages)-1)
	return size(r.messages[:at]) + len(r.messages[at])/2
}

func (s *session) passRequests() {
	in := bufio.NewReaderSize(s.client, 64<<10)
	d := reader{in: in, prepared: make(map[string]string), portals: make(map[string]statement)}
	out := link{s, &s.toServer, bufio.NewWriterSize(s.server, 64<<10), &s.p.counts.toServer}
	for {
		r, err := d.read()
		if err != nil {
			// The client has gone. Behind a hole nobody learns that.
			if s.toServer.wait(s.over) {
				endOfRequests(s.server)
			}
			return
		}
		r.trap, r.which = s.p.catch(s.dice, r.fits)
		if r.trap != nil && r.trap.fault.At == Sent {
			r.passed = make(chan struct{})
		}
		if !s.pass(out, r) || in.Buffered() == 0 && !out.flush() {
			return
		}
	}
}

// pass forwards one request. It returns false if the connection is over.
func (s *session) pass(out link, r *request) bool {
	at := Complete
	if r.trap != nil {
		at = r.trap.fault.At
	}
	if at == Request && !(out.flush() && s.act(r.trap)) {
		return false
	}
	if r.answered {
		s.asked.push(r)
	}
	rest := join(r.messages)
	if at == MidRequest {
		n := r.half()
		if !(out.write(rest[:n]) && out.flush() && s.act(r.trap)) {
			return false
		}
		rest = rest[n:]
	}
	if !out.write(rest) {
		return false
	}
	if at == Sent {
		defer close(r.passed)
		if !(out.flush() && s.act(r.trap)) {
			return false
		}
	}
	if r.answered {
		s.p.counts.requests.Add(1)
	}
	return true
}

// questions are the requests that the server has not answered yet.
type questions struct {
	mu   sync.Mutex
	list []*request
}

func (q *questions) push(r *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, r)
}

// first returns the one that the server answers now, or nil.
func (q *questions) first() *request {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.list) == 0 {
		return nil
	}
	return q.list[0]
}

func (q *questions) pop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.list) > 0 {
		q.list = q.list[1:]
	}
}
