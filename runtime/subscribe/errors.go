package subscribe

import (
	"errors"
	"fmt"

	"github.com/esgen/esgen/internal/printable"
	"github.com/esgen/esgen/runtime/store"
)

// ErrRunning tells that the subscription is being run already, in this process.
// One Run at a time handles its events.
var ErrRunning = errors.New("already running")

// HandlerError tells which event ended a subscription. It was not handled and
// the checkpoint stands before it: the next Run begins with it.
type HandlerError struct {
	Subscription string
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
// something else. Nothing was handled.
type SettingsError struct {
	Name string
	// Stored is what the subscription was created to read, Given what the
	// program asked for.
	Stored, Given string
}

func (e *SettingsError) Error() string {
	return fmt.Sprintf("subscription %s: it was created to read %s, this program asks for %s; give what reads something else another name",
		printable.Name(e.Name), printable.Name(e.Stored), printable.Name(e.Given))
}

func invalid(format string, args ...any) error {
	return &store.InvalidError{What: "subscription", Reason: fmt.Sprintf(format, args...)}
}

// permanent reports whether trying again cannot help.
func permanent(err error) bool {
	var settings *SettingsError
	return errors.Is(err, store.ErrInvalid) || errors.Is(err, store.ErrClosed) ||
		errors.Is(err, store.ErrFenced) || errors.Is(err, store.ErrStreamDeleted) || errors.As(err, &settings)
}
