package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/printable"
)

// Identities of errors, for errors.Is. Where there is data, the types below
// carry it, for errors.As.
var (
	// ErrConflict: a stream was not at the expected version. Read again and
	// decide again; the same append cannot succeed.
	ErrConflict = errors.New("conflict")
	// ErrStreamNotFound: the stream has no events.
	ErrStreamNotFound = errors.New("stream not found")
	// ErrStreamExists: the stream was expected not to exist.
	ErrStreamExists = errors.New("stream exists")
	// ErrStreamDeleted: the stream was softly deleted.
	ErrStreamDeleted = errors.New("stream deleted")
	// ErrEventNotFound: no event has this id.
	ErrEventNotFound = errors.New("event not found")
	// ErrNotEnabled: the store's configuration does not allow it.
	ErrNotEnabled = errors.New("not enabled")
	// ErrDuplicateEvent: an event id is stored already, at another place.
	ErrDuplicateEvent = errors.New("duplicate event")
	// ErrInvalid: input that no store takes.
	ErrInvalid = errors.New("invalid")
	// ErrUnknownOutcome: whether the events were committed is not known.
	ErrUnknownOutcome = errors.New("unknown outcome")
	// ErrSnapshotNotFound: the stream has no snapshot.
	ErrSnapshotNotFound = errors.New("snapshot not found")
	// ErrUnavailable: the database cannot be reached or refuses work for now.
	ErrUnavailable = errors.New("unavailable")
	// ErrNotMigrated: the store's tables are missing or of another release.
	ErrNotMigrated = errors.New("not migrated")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store closed")
)

// opAppend is what errors say that do not say what was attempted.
const opAppend = "append to"

// ConflictError tells that a stream was not at the expected version. It is an
// [ErrConflict]; also an [ErrStreamNotFound] if the stream was expected to
// exist, and an [ErrStreamExists] if it was expected not to.
type ConflictError struct {
	// Op is what was attempted: "append to", also if it is empty, "link to" or "delete".
	Op, Stream       string
	Expected, Actual Version
}

func (e *ConflictError) Error() string {
	op := cmp.Or(e.Op, opAppend)
	if e.Actual == NoStream {
		return fmt.Sprintf("%s %s: conflict: expected version %s, the stream has no events", op, printable.Name(e.Stream), e.Expected)
	}
	return fmt.Sprintf("%s %s: conflict: expected version %s, the stream is at %s", op, printable.Name(e.Stream), e.Expected, e.Actual)
}

func (e *ConflictError) Is(target error) bool {
	return target == ErrConflict ||
		target == ErrStreamNotFound && e.Expected == StreamExists ||
		target == ErrStreamExists && e.Expected == NoStream
}

// StreamNotFoundError tells that a stream has no events.
type StreamNotFoundError struct{ Stream string }

func (e *StreamNotFoundError) Error() string {
	return fmt.Sprintf("stream %s not found: it has no events", printable.Name(e.Stream))
}

func (e *StreamNotFoundError) Is(target error) bool { return target == ErrStreamNotFound }

// StreamDeletedError tells that a stream was softly deleted: it can be neither read
// nor appended to.
type StreamDeletedError struct {
	// Op is what was attempted: "append to".
	Op, Stream string
	// Deleted is when; zero if the store does not tell.
	Deleted time.Time
}

func (e *StreamDeletedError) Error() string {
	when := ""
	if !e.Deleted.IsZero() {
		when = " at " + e.Deleted.Format(time.RFC3339)
	}
	return fmt.Sprintf("%s %s: the stream was deleted%s; undelete it, or delete it hard to use its name again", e.Op, printable.Name(e.Stream), when)
}

func (e *StreamDeletedError) Is(target error) bool { return target == ErrStreamDeleted }

// EventNotFoundError tells which of the events that were to be linked are not
// stored.
type EventNotFoundError struct {
	// Op is what was attempted: "link to bank-a-17".
	Op string
	// IDs are those that are not stored, Of how many there were.
	IDs []uuid.UUID
	Of  int
}

func (e *EventNotFoundError) Error() string {
	first := "none"
	if len(e.IDs) > 0 {
		first = e.IDs[0].String()
	}
	return fmt.Sprintf("%s: event not found: %d of %d ids are not stored, the first is %s; nothing was linked", e.Op, len(e.IDs), e.Of, first)
}

func (e *EventNotFoundError) Is(target error) bool { return target == ErrEventNotFound }

// NotEnabledError tells that the store's configuration does not allow something.
type NotEnabledError struct {
	// Op is what was attempted, Remedy the setting that allows it.
	Op, Remedy string
}

func (e *NotEnabledError) Error() string        { return e.Op + ": not enabled: " + e.Remedy }
func (e *NotEnabledError) Is(target error) bool { return target == ErrNotEnabled }

// DuplicateEventError tells that an event id which was to be appended to Stream is
// stored already at another place, or that one which was to be linked to it is there
// already.
type DuplicateEventError struct {
	// Op is what was attempted: "append to", also if it is empty, or "link to".
	Op     string
	ID     uuid.UUID
	Stream string
	// StoredStream and StoredVersion are where the id is stored; empty and 0 if
	// the store does not know, because that append is not committed yet.
	StoredStream  string
	StoredVersion Version
}

func (e *DuplicateEventError) Error() string {
	op := cmp.Or(e.Op, opAppend)
	if e.StoredStream == "" {
		return fmt.Sprintf("%s %s: duplicate event: id %s is stored already", op, printable.Name(e.Stream), e.ID)
	}
	return fmt.Sprintf("%s %s: duplicate event: id %s is stored already as version %d of %s",
		op, printable.Name(e.Stream), e.ID, int64(e.StoredVersion), printable.Name(e.StoredStream))
}

func (e *DuplicateEventError) Is(target error) bool { return target == ErrDuplicateEvent }

// InvalidError tells what was wrong with an argument. Nothing was stored.
type InvalidError struct {
	// What is the thing that is wrong: "stream name", "query".
	What string
	// Value is the offending value, if showing it helps.
	Value  string
	Reason string
}

func (e *InvalidError) Error() string {
	if e.Value == "" {
		return e.What + ": " + e.Reason
	}
	return fmt.Sprintf("%s %q: %s", e.What, e.Value, e.Reason)
}

func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// UnknownOutcomeError tells that the reply to an append was lost and the store
// could not ask again in time. Appending Batches again, which carry their ids,
// resolves it: the events end up stored once. It has no batches if it is about a link
// or a transaction: what they have written, if anything, must be looked for.
type UnknownOutcomeError struct {
	Batches []Batch
	// Err is what cut the reply off.
	Err error
}

func (e *UnknownOutcomeError) Error() string {
	if len(e.Batches) == 0 {
		return fmt.Sprintf("unknown outcome: %v; look for what it has written before doing it again", e.Err)
	}
	where := printable.Name(e.Batches[0].Stream)
	if n := len(e.Batches) - 1; n > 0 {
		where += fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("append to %s: unknown outcome: %v; append the same batches again to resolve it", where, e.Err)
}

func (e *UnknownOutcomeError) Is(target error) bool { return target == ErrUnknownOutcome }
func (e *UnknownOutcomeError) Unwrap() error        { return e.Err }

// Retryable is true if there are batches: they carry their ids, so appending them
// again is safe. What else has been written may be written twice.
func (e *UnknownOutcomeError) Retryable() bool { return len(e.Batches) > 0 }

// SnapshotNotFoundError tells that a stream has no snapshot.
type SnapshotNotFoundError struct{ Stream string }

func (e *SnapshotNotFoundError) Error() string {
	return fmt.Sprintf("snapshot of %s not found", printable.Name(e.Stream))
}

func (e *SnapshotNotFoundError) Is(target error) bool { return target == ErrSnapshotNotFound }

// UnavailableError tells that the database could not be reached, or refuses work
// for now. Nothing was stored. The text never holds a password.
type UnavailableError struct {
	// Op is what was attempted: "append to bank-a-17".
	Op  string
	Err error
}

func (e *UnavailableError) Error() string        { return e.Op + ": database unavailable: " + e.Err.Error() }
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }
func (e *UnavailableError) Unwrap() error        { return e.Err }

// Retryable is true: the database may come back.
func (e *UnavailableError) Retryable() bool { return true }

// NotMigratedError tells that the tables of a store are missing or of another
// release than this program's.
type NotMigratedError struct {
	// Store is the schema or file.
	Store string
	// Have and Want are the last migrations there and here; Have is 0 if the
	// tables are missing.
	Have, Want int
	// Remedy is the call and the command that mend it.
	Remedy string
}

func (e *NotMigratedError) Error() string {
	if e.Have > e.Want {
		return fmt.Sprintf("store %s: is at migration %d, this program knows only %d: update the program", e.Store, e.Have, e.Want)
	}
	return fmt.Sprintf("store %s: not migrated: it is at migration %d of %d: %s", e.Store, e.Have, e.Want, e.Remedy)
}

func (e *NotMigratedError) Is(target error) bool { return target == ErrNotMigrated }

// TimeoutError tells that a call without a deadline of its own took longer than
// the store's timeout.
type TimeoutError struct{ After time.Duration }

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("no answer within %s, the store's timeout for calls without a deadline", e.After)
}

func (e *TimeoutError) Unwrap() error { return context.DeadlineExceeded }

// Retryable is true: the server may answer later. An append that timed out is an
// [UnknownOutcomeError] instead.
func (e *TimeoutError) Retryable() bool { return true }

// Retryable reports whether making the same call again is safe and may succeed:
// the store was away or overloaded, or the outcome is unknown. A conflict is not
// retryable: decide again instead.
func Retryable(err error) bool {
	var r interface{ Retryable() bool }
	return errors.As(err, &r) && r.Retryable()
}
