package store

import "strconv"

// Version numbers the events of one stream: 1, 2, 3, …. The version of a stream
// is that of its last event. As an expectation it may also be [NoStream], [Any]
// or [StreamExists].
type Version int64

const (
	// NoStream expects that the stream has no events. It is also the version of
	// such a stream.
	NoStream Version = 0
	// Any expects nothing: the events follow whatever is there.
	Any Version = -1
	// StreamExists expects that the stream has at least one event.
	StreamExists Version = -2
)

// String returns the number, or the name of an expectation.
func (v Version) String() string {
	switch v {
	case NoStream:
		return "0 (no stream)"
	case Any:
		return "any"
	case StreamExists:
		return "stream exists"
	default:
		return strconv.FormatInt(int64(v), 10)
	}
}

// Met reports whether a stream at version actual fulfils expectation v.
func (v Version) Met(actual Version) bool {
	switch v {
	case Any:
		return true
	case StreamExists:
		return actual > 0
	default:
		return v == actual
	}
}

// Position is an event's place in $all. The first is 1; 0 is before all events,
// and the position of an event whose transaction is not committed yet.
type Position uint64
