package memory

import (
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// stream is what is known of one.
type stream struct {
	events  list          // its own and links, as they are read
	version store.Version // of the last that was ever in it
	first   store.Version // reads begin there
	number  int           // in the order of creation
	created time.Time
	deleted time.Time // zero if it is not
}

// open returns a stream to append or to link to, nil if there is none, or why
// that is not to be done.
func (c *contents) open(op, name string, expected store.Version) (*stream, error) {
	s, actual := c.streams[name], store.NoStream
	if s != nil {
		if !s.deleted.IsZero() {
			return nil, &store.StreamDeletedError{Op: op, Stream: name, Deleted: s.deleted}
		}
		actual = s.version
	}
	if !expected.Met(actual) {
		return nil, &store.ConflictError{Op: op, Stream: name, Expected: expected, Actual: actual}
	}
	return s, nil
}

func (c *contents) create(name string, created time.Time) *stream {
	c.created++
	s := &stream{first: 1, number: c.created, created: created}
	c.streams[name] = s
	return s
}

// readable is what reads of s show.
func (s *stream) readable() list { return s.events[s.events.search(version, uint64(s.first)):] }

// at returns where s holds an event, 0 if it does not.
func (s *stream) at(id uuid.UUID) store.Version {
	for _, r := range s.events {
		if r.ID == id {
			return r.Version
		}
	}
	return 0
}

func (s *stream) info(name string) store.StreamInfo {
	info := store.StreamInfo{Stream: name, Version: s.version, First: s.version + 1, Created: s.created, Deleted: s.deleted}
	if shown := s.readable(); len(shown) > 0 {
		info.First = shown[0].Version
	}
	return info
}
