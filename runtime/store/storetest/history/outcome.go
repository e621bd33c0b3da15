package history

import (
	"context"
	"errors"
	"slices"

	"github.com/esgen/esgen/runtime/store"
)

// outcomeOf is the line that an answer is written down as.
func outcomeOf(batches []batch, answer []store.Appended, err error) record {
	if err == nil {
		return storedRecord(answer)
	}
	o := record{Kind: kindRefused, Why: whyOther, Text: err.Error()}
	var conflict *store.ConflictError
	var duplicate *store.DuplicateEventError
	switch {
	case errors.Is(err, store.ErrUnknownOutcome):
		o.Kind, o.Why = kindUnknown, ""
	case errors.As(err, &conflict):
		if slices.ContainsFunc(batches, func(b batch) bool { return b.Stream == conflict.Stream && b.Expected == int64(conflict.Expected) }) {
			o.Why, o.Stream, o.Expected, o.Version = whyConflict, conflict.Stream, int64(conflict.Expected), int64(conflict.Actual)
		}
	case errors.As(err, &duplicate):
		o.Why, o.ID, o.Stream, o.Version = whyDuplicate, duplicate.ID, duplicate.StoredStream, int64(duplicate.StoredVersion)
	case errors.Is(err, store.ErrStreamDeleted):
		if slices.ContainsFunc(batches, func(b batch) bool { return category(b.Stream) == hidden }) {
			o.Why = whyDeleted
		}
	case errors.Is(err, store.ErrUnavailable):
		o.Why = whyGone
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		o.Why = whyEnded
	}
	return o
}

func storedRecord(answer []store.Appended) record {
	o := record{Kind: kindStored, Appended: make([]appended, len(answer))}
	for i, a := range answer {
		o.Appended[i] = appended{a.Stream, int64(a.Version), uint64(a.First), uint64(a.Last), a.Duplicate}
	}
	return o
}
