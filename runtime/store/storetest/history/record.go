package history

import (
	"encoding/binary"

	"github.com/google/uuid"
)

// What a line of a log tells.
const (
	// kindIntent is written before an append, kindStored, kindRefused or
	// kindUnknown after it. An intent that nothing follows was cut off.
	kindIntent  = "intent"
	kindStored  = "stored"
	kindRefused = "refused"
	kindUnknown = "unknown"
	// kindLooked is the version of a stream that a writer read.
	kindLooked = "looked"
	// kindRead is a read of several events, or a part of it.
	kindRead = "read"
	// kindFault is a time in which nothing could work.
	kindFault = "fault"
	// kindHidden is what a writer knows of a stream that it has hidden: whether it is;
	// kindShows, whether it is in the end.
	kindHidden = "hidden"
	kindShows  = "shows"
	// kindShown is what a stream of links shows in the end.
	kindShown = "shown"
	// kindFinal is a part of what is stored in the end.
	kindFinal = "final"
	// kindProblem is what somebody saw to be wrong.
	kindProblem = "problem"
	// kindGiven is written when a handler is given an event, kindHandled when it
	// has returned. Of one that nothing follows, nobody knows.
	kindGiven   = "given"
	kindHandled = "handled"
	// kindStopped is a time in which a process was stopped, and knew it not.
	kindStopped = "stopped"
	// kindEffect is what a handler has left of an event.
	kindEffect = "effect"
)

// Why an append was refused.
const (
	whyConflict  = "conflict"
	whyDuplicate = "duplicate"
	whyGone      = "unavailable"
	whyEnded     = "ended" // the caller's context
	whyRollback  = "rolled back"
	whyRetry     = "retry"   // the error says that it is transient
	whyDeleted   = "deleted" // the stream, softly
	whyOther     = "other"
)

// record is one line of a log. Its names are stable, so that logs outlive the
// checker that they failed.
type record struct {
	Kind string `json:"k"`
	// Time in nanoseconds, of one clock for all processes of the machine. Begin
	// is that of what took time.
	Time  int64 `json:"t"`
	Begin int64 `json:"t0,omitempty"`
	// Op numbers what a writer does. Tries of one append share it.
	Op int `json:"op,omitempty"`

	Batches []batch `json:"b,omitempty"`
	// Tx tells that the batches were appended one by one in the caller's
	// transaction, which then waited.
	Tx bool `json:"tx,omitempty"`
	// Alone tells that nobody else has a use for the streams.
	Alone bool `json:"alone,omitempty"`
	// Links tells that the ids were not appended, but linked.
	Links  bool   `json:"links,omitempty"`
	Delete string `json:"delete,omitempty"`

	Appended []appended `json:"a,omitempty"`
	Why      string     `json:"why,omitempty"`
	Text     string     `json:"text,omitempty"`

	// Of a conflict and of a look: a stream and its version. Of a read: the
	// stream, and From the version. Of a duplicate: where ID is stored.
	Stream   string    `json:"s,omitempty"`
	Expected int64     `json:"x,omitempty"`
	Version  int64     `json:"v,omitempty"`
	ID       uuid.UUID `json:"id,omitzero"`

	Category string `json:"c,omitempty"`
	From     uint64 `json:"from,omitempty"`
	Backward bool   `json:"back,omitempty"`
	// Follows tells that the read goes on behind the log's last one.
	Follows bool  `json:"follows,omitempty"`
	Seen    []run `json:"e,omitempty"`
	// Done tells that the read came to its end, with no error and no limit; of a
	// handled event, that the handler returned nil.
	Done bool `json:"done,omitempty"`

	// Subscription and Key are those of a given event, whose Op numbers it in its
	// log. Log is who was stopped. Count is how often an effect is there.
	Subscription string `json:"sub,omitempty"`
	Key          string `json:"key,omitempty"`
	Log          string `json:"log,omitempty"`
	Count        int    `json:"n,omitempty"`
}

// batch is what was to be appended to one stream.
type batch struct {
	Stream   string  `json:"s"`
	Expected int64   `json:"x"`
	IDs      []idRun `json:"i"`
}

func (b batch) size() (n int) {
	for _, r := range b.IDs {
		n += r.N
	}
	return n
}

func (b batch) each(do func(i int, id uuid.UUID)) {
	i := 0
	for _, r := range b.IDs {
		id := r.ID
		for range r.N {
			do(i, id)
			i, id = i+1, after(id)
		}
	}
}

// idRun is N ids that count up from ID.
type idRun struct {
	ID uuid.UUID `json:"id"`
	N  int       `json:"n"`
}

// appended is where a batch was said to be.
type appended struct {
	Stream    string `json:"s"`
	Version   int64  `json:"v"`
	First     uint64 `json:"f,omitempty"`
	Last      uint64 `json:"l,omitempty"`
	Duplicate bool   `json:"dup,omitempty"`
}

// run is N events of one stream, side by side, whose ids, versions and positions
// count up.
type run struct {
	Position uint64    `json:"p"`
	Stream   string    `json:"s"`
	Version  int64     `json:"v"`
	ID       uuid.UUID `json:"id"`
	N        int       `json:"n"`
}

// seen is one event of a run.
type seen struct {
	position uint64
	stream   string
	version  int64
	id       uuid.UUID
}

func (r run) each(do func(seen)) {
	e := seen{r.Position, r.Stream, r.Version, r.ID}
	for range r.N {
		do(e)
		e.position, e.version, e.id = e.position+1, e.version+1, after(e.id)
	}
}

// add puts one more event behind runs.
func add(runs []run, e seen) []run {
	if n := len(runs); n > 0 {
		last := &runs[n-1]
		k := uint64(last.N)
		if e.stream == last.Stream && e.position == last.Position+k && e.version == last.Version+int64(k) && e.id == plus(last.ID, k) {
			last.N++
			return runs
		}
	}
	return append(runs, run{Position: e.position, Stream: e.stream, Version: e.version, ID: e.id, N: 1})
}

// bits of an id that count the events of a batch; the rest is the batch's own.
const countBits = 16

// newIDs returns the first of up to 2^countBits ids that count up.
func newIDs() (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return id, err
	}
	return plus(id, -(binary.BigEndian.Uint64(id[8:]) & (1<<countBits - 1))), nil
}

func after(id uuid.UUID) uuid.UUID { return plus(id, 1) }

func plus(id uuid.UUID, n uint64) uuid.UUID {
	binary.BigEndian.PutUint64(id[8:], binary.BigEndian.Uint64(id[8:])+n)
	return id
}
