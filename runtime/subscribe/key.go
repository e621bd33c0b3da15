package subscribe

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// LaneOf tells which of so many lanes the events of a key fall to, from 0 on. It never
// changes, for it decides who handles what is stored: FNV-1a of 64 bits, finalised,
// modulo the lanes, which must be at least 1.
func LaneOf(key string, lanes int) int {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return int(h % uint64(lanes))
}

// origin is the stream that an event was appended to.
func origin(r *store.Recorded) string {
	if r.OriginalStream != "" {
		return r.OriginalStream
	}
	return r.Stream
}

func (c *Config) key(r *store.Recorded) string {
	switch {
	case c.Key != nil:
		return c.Key(*r)
	case c.KeyTag != "":
		return r.Metadata.Get(c.KeyTag)
	default:
		return streamKey(origin(r))
	}
}

// streamKey is the name, or of one longer than a key may be its beginning and
// what tells it from others.
func streamKey(stream string) string {
	if len(stream) <= store.MaxNameBytes {
		return stream
	}
	sum := sha256.Sum256([]byte(stream))
	return strings.ToValidUTF8(stream[:store.MaxNameBytes-2*len(sum)-1], "") + "#" + hex.EncodeToString(sum[:])
}

// sorter tells which events are a lane's, before the machine sees them: it calls
// the program's functions.
type sorter struct {
	name string
	c    *Config
	lane int
}

// sort adds an item for each event of the page. An event at which a function of
// the program panics ends it with an error; those before are good.
func (s sorter) sort(items []item, page []store.Recorded) (_ []item, err error) {
	i := 0
	defer func() {
		if v := recover(); v != nil {
			err = s.broken(&page[i], &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	for ; i < len(page); i++ {
		r := &page[i]
		it := item{r: r, place: s.c.place(r)}
		if s.c.Select == nil || s.c.Select(*r) {
			it.key = s.c.key(r)
			if s.c.Key != nil || s.c.KeyTag != "" { // names of streams are checked
				if err := store.CheckKey(it.key); err != nil {
					return items, s.broken(r, err)
				}
			}
			it.mine = s.c.Lanes == 1 || LaneOf(it.key, s.c.Lanes) == s.lane
		}
		items = append(items, it)
	}
	return items, nil
}

// sortBeside sorts in a goroutine that a function of the program may end, which ends
// the page with an error as a panic does.
func (s sorter) sortBeside(items []item, page []store.Recorded) (_ []item, err error) {
	if s.c.Select == nil && s.c.Key == nil {
		return s.sort(items, page)
	}
	at, returned, done := 0, false, make(chan struct{})
	go func() {
		defer close(done)
		for ; at < len(page) && err == nil; at++ {
			items, err = s.sort(items, page[at:at+1])
		}
		returned = true
	}()
	if <-done; !returned {
		err = s.broken(&page[at], errSortGoexit)
	}
	return items, err
}

var errSortGoexit = errors.New("it ended its goroutine with runtime.Goexit, as testing's FailNow does; return a value instead")

func (s sorter) broken(r *store.Recorded, err error) error {
	return &SortError{Subscription: s.name, Stream: r.Stream, Version: r.Version, Position: r.Position, Type: r.Type, Err: err}
}

// SortError tells that [Config.Select] or [Config.Key] panicked, or gave a key
// that cannot be stored, so that nobody knows to whom an event belongs. It ends
// Run; the checkpoints stand before the event.
type SortError struct {
	Subscription string
	Stream       string
	Version      store.Version
	Position     store.Position
	// Type is the stored name of the event's type.
	Type string
	// Err is a [*PanicError] or a [*store.InvalidError], or tells of [runtime.Goexit].
	Err error
}

func (e *SortError) Error() string {
	return fmt.Sprintf("subscription %s: select or find the key of %s, version %d of %s at position %d: %v",
		printable.Name(e.Subscription), printable.Name(e.Type), int64(e.Version), printable.Name(e.Stream), e.Position, e.Err)
}

// Unwrap returns Err.
func (e *SortError) Unwrap() error { return e.Err }
