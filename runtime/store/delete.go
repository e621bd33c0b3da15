package store

import (
	"context"
	"fmt"

	"github.com/esgen/esgen/internal/printable"
)

// Removal is how thoroughly events are removed.
type Removal int

const (
	// Soft hides: a stream that was deleted so can be neither read nor appended
	// to, and of one that was truncated so nothing earlier is read. $all, links and
	// categories still show every event. It can be undone.
	Soft Removal = iota
	// Hard removes the events for ever, with all links to them. Their positions
	// become holes in $all, and are not given again. A store refuses it with a
	// [*NotEnabledError] unless its configuration enables hard deletes.
	Hard
)

// String returns "soft" or "hard".
func (r Removal) String() string {
	if r == Hard {
		return "hard"
	}
	return "soft"
}

// Deleter is implemented by stores that can remove streams.
type Deleter interface {
	// Delete removes a stream that is at the expected version, or [Any], or
	// [StreamExists], which is the same here. Soft: it can be neither read nor
	// appended to until [Deleter.Undelete]; it keeps its name. Hard: its events,
	// its links and its snapshot are gone and its name is free; the next append to
	// it makes version 1. Links in it are removed without the events that they
	// refer to. Links to its events disappear from other streams, which keep their
	// versions: those of the links become holes, and are not given again. A stream
	// that is deleted softly may be deleted hard.
	//
	// Errors: [*StreamNotFoundError]; [*StreamDeletedError] for a soft delete of a
	// stream that is; [*ConflictError]; [*NotEnabledError]; [*InvalidError];
	// [*UnavailableError], also if the reply was lost: calling again is safe and
	// then says that the stream is not there.
	Delete(ctx context.Context, stream string, expected Version, how Removal) error

	// Undelete makes a softly deleted stream what it was. One that is not deleted
	// stays as it is. Errors: [*StreamNotFoundError], [*InvalidError],
	// [*UnavailableError].
	Undelete(ctx context.Context, stream string) error

	// Truncate removes what is before a version of a stream, which keeps its
	// version. Soft: reads of the stream begin there; a lower version brings back
	// what hard truncation has left, 1 everything. Hard: events and links before
	// it are gone. before is at most one more than the stream's version, which
	// leaves nothing to read.
	//
	// Errors: [*StreamNotFoundError], [*StreamDeletedError], [*NotEnabledError],
	// [*InvalidError], [*UnavailableError]; calling again is safe.
	Truncate(ctx context.Context, stream string, before Version, how Removal) error
}

// CheckDelete returns an [*InvalidError] for a call of [Deleter.Delete] that no
// store takes.
func CheckDelete(stream string, expected Version, how Removal) error {
	if stream == All {
		return &InvalidError{What: "delete " + All, Reason: "the order of all events cannot be deleted; delete streams, or drop the store"}
	}
	if err := CheckStream(stream); err != nil {
		return err
	}
	if expected < StreamExists || expected == NoStream {
		return &InvalidError{What: "delete " + printable.Name(stream), Reason: fmt.Sprintf("expected version %d; name the version, or Any", int64(expected))}
	}
	return checkRemoval("delete "+printable.Name(stream), how)
}

// CheckTruncate returns an [*InvalidError] for a call of [Deleter.Truncate] that
// no store takes, but for a version beyond the stream's.
func CheckTruncate(stream string, before Version, how Removal) error {
	if stream == All {
		return &InvalidError{What: "truncate " + All, Reason: "the order of all events cannot be truncated; truncate streams"}
	}
	if err := CheckStream(stream); err != nil {
		return err
	}
	if before < 1 {
		return &InvalidError{What: "truncate " + printable.Name(stream), Reason: fmt.Sprintf("before version %d; versions begin at 1", int64(before))}
	}
	return checkRemoval("truncate "+printable.Name(stream), how)
}

func checkRemoval(op string, how Removal) error {
	if how == Soft || how == Hard {
		return nil
	}
	return &InvalidError{What: op, Reason: fmt.Sprintf("removal %d is neither Soft nor Hard", int(how))}
}

// InvalidTruncate is the error of [Deleter.Truncate] for a version beyond that of
// the stream.
func InvalidTruncate(stream string, before, version Version) error {
	return &InvalidError{What: "truncate " + printable.Name(stream), Reason: fmt.Sprintf(
		"before version %d, but the stream is at %d; %d is the highest, and leaves nothing to read", int64(before), int64(version), int64(version)+1)}
}
