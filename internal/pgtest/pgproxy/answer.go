package pgproxy

import (
	"bufio"
	"io"
)

func (s *session) passAnswers() {
	in := bufio.NewReaderSize(s.server, 64<<10)
	out := link{s, &s.toClient, bufio.NewWriterSize(s.client, 64<<10), &s.p.counts.toClient}
	var held []message
	for {
		m, err := readMessage(in)
		if err != nil {
			// The server has gone, perhaps in the middle of an answer.
			_ = out.write(join(held)) && out.flush()
			return
		}
		r := s.asked.first()
		if r.collected() {
			var ok bool
			if held, ok = s.release(out, r, append(held, m)); !ok {
				break
			} else if held != nil {
				continue
			}
		} else if !s.await(r) || !out.write(m) {
			break
		}
		// Without a question it is the greeting.
		if m.kind() == 'Z' && r != nil {
			s.asked.pop()
			s.p.counts.answers.Add(1)
		}
		if in.Buffered() == 0 && !out.flush() {
			break
		}
	}
	// What the server says to nobody: it is at work yet, and then reads that the
	// client has gone.
	_, _ = io.Copy(io.Discard, in)
}

// collected reports that the whole answer to r is wanted before any of it goes on.
func (r *request) collected() bool { return r != nil && r.trap != nil && r.trap.fault.At > Sent }

// await returns when the answer to r, which may be nil, may be forwarded.
func (s *session) await(r *request) bool {
	if r == nil || r.passed == nil {
		return true
	}
	select {
	case <-r.passed:
		return true
	case <-s.over:
		return false
	}
}

// release forwards what is held once it is complete, with what the trap of r does
// at its point. It returns what is held then, and false if the connection is over.
func (s *session) release(out link, r *request, held []message) ([]message, bool) {
	switch held[len(held)-1].kind() {
	case 'G', 'W':
		// The server waits for what the client is to copy.
		return nil, out.write(join(held)) && out.flush()
	case 'Z':
		n := r.until(held)
		all := join(held)
		return nil, out.write(all[:n]) && out.flush() && s.act(r.trap) && out.write(all[n:])
	default:
		return held, true
	}
}

// until is how many bytes of the answer the client gets before the point of the trap.
func (r *request) until(answer []message) int {
	if r.trap.fault.At == Answer {
		return 0
	}
	row, end := -1, len(answer)-1
	// A simple query is one statement here, however many it holds.
	simple := r.messages[len(r.messages)-1].kind() == 'Q'
	completed := 0
	for i, m := range answer {
		about := simple || completed == r.which
		switch m.kind() {
		case 'D':
			if about {
				row = i
			}
		case 'C', 'I', 's', 'E':
			if about || m.kind() == 'E' {
				end = i
			}
			completed++
		}
	}
	if r.trap.fault.At == Complete || row > end {
		return size(answer[:end])
	}
	if row < 0 {
		row = end
	}
	return size(answer[:row]) + len(answer[row])/2
}
