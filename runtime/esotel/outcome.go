package esotel

import (
	"context"
	"errors"

	"github.com/esgen/esgen/runtime/store"
)

// outcome is how an operation ended, in a few words.
type outcome struct{ name, errorType string }

// answers are errors that programs ask for: they decide again, or begin a stream.
var answers = []struct {
	err  error
	name string
}{
	{store.ErrConflict, "conflict"},
	{store.ErrDuplicateEvent, "duplicate_event"},
	{store.ErrStreamNotFound, "not_found"},
	{store.ErrSnapshotNotFound, "not_found"},
}

// failures are in the order in which an error that is several of them is told: what
// happened to the events before what the database said.
var failures = []struct {
	err       error
	errorType string
}{
	{store.ErrUnknownOutcome, "unknown_outcome"},
	{store.ErrInvalid, "invalid"},
	{store.ErrStreamDeleted, "stream_deleted"},
	{store.ErrEventNotFound, "event_not_found"},
	{store.ErrNotEnabled, "not_enabled"},
	{store.ErrNotMigrated, "not_migrated"},
	{store.ErrClosed, "closed"},
	{context.Canceled, "canceled"},
	{context.DeadlineExceeded, "timeout"},
	{store.ErrUnavailable, "unavailable"},
}

func outcomeOf(r store.Result) outcome {
	switch {
	case r.Err == nil && r.Duplicate:
		return outcome{name: "duplicate"}
	case r.Err == nil:
		return outcome{name: "ok"}
	}
	for _, a := range answers {
		if errors.Is(r.Err, a.err) {
			return outcome{name: a.name}
		}
	}
	out := outcome{name: "error", errorType: "_OTHER"}
	for _, f := range failures {
		if errors.Is(r.Err, f.err) {
			out.errorType = f.errorType
			break
		}
	}
	if errors.Is(r.Err, store.ErrUnknownOutcome) {
		out.name = "unknown"
	}
	return out
}
