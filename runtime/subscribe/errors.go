package subscribe

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

var (
	// ErrRunning tells that the subscription is being run already. Make another
	// one of the same name to have a standby.
	ErrRunning = errors.New("already running")
	// ErrLeaseLost is the cause with which a handler's context ends when its lane
	// is this process's no longer, and what a [Delivery] of it answers.
	ErrLeaseLost = errors.New("the lane is held no longer")
	// ErrStale tells that a delivery was acknowledged before, or has been taken
	// back because it or an earlier one of its key was refused.
	ErrStale = errors.New("the delivery is no longer in flight")
)

// HandlerError tells which event ended a subscription. It was not handled and
// the checkpoint stands before it: the next Run begins with it.
type HandlerError struct {
	Subscription string
	Lane         int
	Stream       string
	Version      store.Version
	Position     store.Position
	// Type is the stored name of the event's type.
	Type string
	// Attempts is how often the event was handled, at least 1.
	Attempts int
	// Err is what the handler returned last.
	Err error
}

func (e *HandlerError) Error() string {
	times := "once"
	if e.Attempts > 1 {
		times = fmt.Sprintf("%d times", e.Attempts)
	}
	return fmt.Sprintf("subscription %s: handle %s, version %d of %s at position %d, tried %s: %v",
		printable.Name(e.Subscription), printable.Name(e.Type), int64(e.Version), printable.Name(e.Stream), e.Position, times, e.Err)
}

func (e *HandlerError) Unwrap() error { return e.Err }

// PanicError is what a handler that panicked counts as having returned.
type PanicError struct {
	// Value is what the handler panicked with.
	Value any
	// Stack is the stack of the handler's goroutine.
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Unwrap returns Value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// SettingsError tells that a subscription exists under this name and reads
// something else, or is divided otherwise. Nothing was handled.
type SettingsError struct {
	Name string
	// Stored is what the subscription was created to read, Given what the
	// program asked for.
	Stored, Given string
}

func (e *SettingsError) Error() string {
	stored, given := differences(e.Stored, e.Given)
	return fmt.Sprintf("subscription %s: it was created with %s, this program asks for %s; give what differs another name, or delete the subscription first",
		printable.Name(e.Name), stored, given)
}

// BeyondHeadError tells that a lane has handled events which are no longer there:
// the store was restored from a backup, or the end of the log or the stream was
// deleted for good. Those that come will have numbers that were handled, so the
// subscription must not wait for higher ones; reset it to go on.
type BeyondHeadError struct {
	Subscription string
	Lane         int
	// At is the checkpoint, Head the last place that there is.
	At, Head uint64
}

func (e *BeyondHeadError) Error() string {
	return fmt.Sprintf("subscription %s: lane %d has its checkpoint at %d, beyond the last event, which is at %d: the store was restored, or events were deleted; reset the subscription to the place from which to go on",
		printable.Name(e.Subscription), e.Lane, e.At, e.Head)
}

// EpochError tells that the store was replaced by another one while the
// subscription ran, so that places mean other events.
type EpochError struct {
	Subscription  string
	Before, After uuid.UUID
}

func (e *EpochError) Error() string {
	return fmt.Sprintf("subscription %s: the store was %s and is %s now: it was replaced by another; start the program again to go on with it",
		printable.Name(e.Subscription), e.Before, e.After)
}

// ParkedError tells that a lane has as many keys with parked events as it may
// have. Retry or discard them, or allow more with [Config.MaxParkedKeys].
type ParkedError struct {
	Subscription string
	Lane         int
	Keys         int
	// Key is that of the event that would have been the next, at place At; Err why
	// it was to be parked.
	Key string
	At  uint64
	Err error
}

func (e *ParkedError) Error() string {
	return fmt.Sprintf("subscription %s: lane %d has %d keys with parked events and may not have more: retry or discard them, or raise MaxParkedKeys; the next would be %s at %d: %v",
		printable.Name(e.Subscription), e.Lane, e.Keys, printable.Name(e.Key), e.At, e.Err)
}

// Unwrap returns Err.
func (e *ParkedError) Unwrap() error { return e.Err }

func invalid(format string, args ...any) error {
	return &store.InvalidError{What: "subscription", Reason: fmt.Sprintf(format, args...)}
}

// permanent reports whether trying again cannot help.
func permanent(err error) bool {
	for _, never := range []error{store.ErrInvalid, store.ErrClosed, store.ErrStreamDeleted, store.ErrSubscriptionNotFound} {
		if errors.Is(err, never) {
			return true
		}
	}
	for err := err; err != nil; err = errors.Unwrap(err) {
		switch err.(type) { //nolint:errorlint // each of the chain is looked at
		case *SettingsError, *SortError, *BeyondHeadError, *EpochError, *ParkedError:
			return true
		}
	}
	return false
}
