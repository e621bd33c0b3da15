package runtime

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// Key is a Setting that makes a command idempotent: pass the id of the command,
// and what it appends to a stream is stored once, however often and in however
// many processes it arrives. A repeat is a success with [store.Appended.Duplicate]
// set and the numbers of the first time.
//
// The ids of the events are derived from the key, the stream and the place of the
// event in the append. A key therefore stands for one append per stream. A command
// that decided to append nothing leaves no trace, and decides again.
type Key string

func (k Key) set(s *settings) error {
	s.key, s.keyed = k, true
	if k == "" {
		return invalidSetting("es.Key", "empty; commands without an id would count as one command")
	}
	return nil
}

// id is a UUID of version 8. What goes into it must never change, for a repeat may
// come from a newer release than the first time.
func (k Key) id(stream string, index int) uuid.UUID {
	b := make([]byte, 0, 256)
	b = append(b, "esgen key 1"...)
	for _, part := range [...]string{string(k), stream} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(index))
	sum := sha256.Sum256(b)
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// isOvertaken reports whether another append was faster, perhaps of the same key.
func isOvertaken(err error) bool {
	return errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrDuplicateEvent)
}

// trace finds what an earlier call with the same key has appended to a stream,
// from the events of that stream in order.
type trace struct {
	key  Key
	next uuid.UUID
	// found is how many events there are, appended where.
	found    int
	appended store.Appended
}

func newTrace(k Key, stream string) *trace { return &trace{key: k, next: k.id(stream, 0)} }

func (t *trace) see(r store.Recorded) {
	if r.ID != t.next {
		return
	}
	if t.found == 0 {
		t.appended = store.Appended{Stream: r.Stream, First: r.Position, Duplicate: true}
	}
	t.found++
	t.appended.Version, t.appended.Last = r.Version, r.Position
	t.next = t.key.id(r.Stream, t.found)
}
