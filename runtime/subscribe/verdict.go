package subscribe

import (
	"errors"
	"time"
)

// Policy is what happens to an event that was handled in vain as often as
// [Retry.Attempts] says.
type Policy int

const (
	// ThenStop ends Run with a [*HandlerError], in all lanes of this process.
	ThenStop Policy = iota
	// ThenSkip passes the event over. It is recorded with its error.
	ThenSkip
	// ThenPark puts the event aside, and all later ones of its key behind it, in
	// order; events of other keys are handled. Parked events wait until somebody
	// asks for them to be tried again or discards them.
	ThenPark
)

// Stop returns an error by which a handler says that handling the event again
// would not help: Run ends with a [*HandlerError] at once, whatever
// [Config.OnFailure] says. A nil err stands for an error that says so.
func Stop(err error) error { return decide(stops, 0, err, "the handler asked to stop") }

// Skip returns an error by which a handler says that the event is to be passed
// over, at once; it is recorded. A nil err stands for an error that says so.
func Skip(err error) error { return decide(skips, 0, err, "the handler asked to skip the event") }

// Park returns an error by which a handler says that the event is to be parked,
// at once; see [ThenPark]. A nil err stands for an error that says so.
func Park(err error) error { return decide(parksIt, 0, err, "the handler asked to park the event") }

// RetryAfter returns an error by which a handler says when to handle the event
// again. It does not count as one of [Retry.Attempts]. A nil err stands for an
// error that says so; a pause below a millisecond is one.
func RetryAfter(pause time.Duration, err error) error {
	return decide(later, max(pause, time.Millisecond), err, "the handler asked to wait")
}

// Unreadable returns an error by which a handler says that this program cannot
// read the event, which another release of it can. The lane waits at the event
// and tries it again for ever; it is never skipped or parked, and other lanes go
// on. A nil err stands for an error that says so.
func Unreadable(err error) error { return decide(foreign, 0, err, "the event cannot be read") }

type decision int

const (
	// usual: as Retry and OnFailure say.
	usual decision = iota
	stops
	skips
	parksIt
	later
	foreign
)

// verdict is an error that says what is to happen.
type verdict struct {
	error
	decision decision
	pause    time.Duration
}

func decide(d decision, pause time.Duration, err error, otherwise string) error {
	if err == nil {
		err = errors.New(otherwise)
	}
	return &verdict{err, d, pause}
}

func (v *verdict) Unwrap() error { return v.error }

// verdictOf returns what err says; the outermost counts.
func verdictOf(err error) (decision, time.Duration) {
	if v, ok := errors.AsType[*verdict](err); ok {
		return v.decision, v.pause
	}
	return usual, 0
}
