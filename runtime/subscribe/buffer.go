package subscribe

import (
	"fmt"
	"sync"

	"github.com/esgen/esgen/runtime/store"
)

// OverflowError tells that a transient subscription has not kept events, because the
// program was slower than they came. It is no end: later events follow.
type OverflowError struct {
	// Missed is how many events that were selected are not shown.
	Missed uint64
	// After is the place before the first of them: a position, or a version for one
	// stream. Start with [After] or [AfterVersion] of it to read them.
	After uint64
	// Last is the place of the last of them.
	Last uint64
	// Buffer is how many events were waiting when the first of them came.
	Buffer int
}

func (e *OverflowError) Error() string {
	return fmt.Sprintf("transient subscription: %d events after %d, up to %d, were not kept, for %d were waiting; read them after %[2]d, take events faster, or make the buffer larger",
		e.Missed, e.After, e.Last, e.Buffer)
}

// buffer is what waits for the program of a transient subscription: events, then the
// gap of those that were not kept, or the end.
type buffer struct {
	most, bytes int
	bell        store.Doorbell

	mu     sync.Mutex
	events []store.Recorded
	size   int
	last   uint64 // place of the event that was kept last
	gap    *OverflowError
	err    error
}

func payload(r *store.Recorded) int { return len(r.Data) + len(r.Metadata) }

// put keeps an event if there is room. After one that was not kept, none is until the
// program has come to the gap.
func (b *buffer) put(r store.Recorded, place uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.events)
	switch {
	case b.gap != nil:
		b.gap.Missed++
		b.gap.Last = place
	case n >= b.most || n > 0 && b.size+payload(&r) > b.bytes:
		b.gap = &OverflowError{Missed: 1, After: b.last, Last: place, Buffer: n}
	default:
		b.events = append(b.events, r)
		b.size += payload(&r)
		b.last = place
	}
	if n == 0 {
		b.bell.Ring()
	}
}

// end lets err be the last that the program gets.
func (b *buffer) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
	b.bell.Ring()
}

// take returns what is next, if something is there; else the error is the end, or
// nil if there may come more.
func (b *buffer) take() (r store.Recorded, there bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case len(b.events) > 0:
		r = b.events[0]
		b.events[0] = store.Recorded{} // it is the program's now, however long it keeps it
		b.size -= payload(&r)
		if b.events = b.events[1:]; len(b.events) == 0 {
			b.events = nil
		}
		return r, true, nil
	case b.gap != nil:
		gap := b.gap
		b.gap = nil
		return store.Recorded{}, true, gap
	default:
		return store.Recorded{}, false, b.err
	}
}
