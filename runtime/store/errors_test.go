package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func TestConflictIsWhatTheExpectationSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err              store.ConflictError
		notFound, exists bool
		text             string
	}{
		{store.ConflictError{Stream: "bank-1", Expected: store.NoStream, Actual: 3}, false, true, "append to bank-1: conflict: expected version 0 (no stream), the stream is at 3"},
		{store.ConflictError{Stream: "bank-1", Expected: store.StreamExists}, true, false, "append to bank-1: conflict: expected version stream exists, the stream has no events"},
		{store.ConflictError{Stream: "bank-1", Expected: 2, Actual: 3}, false, false, "append to bank-1: conflict: expected version 2, the stream is at 3"},
		{store.ConflictError{Op: "link to", Stream: "bank-1", Expected: 2}, false, false, "link to bank-1: conflict: expected version 2, the stream has no events"},
		{store.ConflictError{Op: "delete", Stream: "bank-1", Expected: 2, Actual: 4}, false, false, "delete bank-1: conflict: expected version 2, the stream is at 4"},
		{store.ConflictError{Stream: "bank-1", Expected: 2}, false, false, "append to bank-1: conflict: expected version 2, the stream has no events"},
	} {
		err := fmt.Errorf("deposit: %w", &c.err)
		if !errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrStreamNotFound) != c.notFound || errors.Is(err, store.ErrStreamExists) != c.exists {
			t.Errorf("%v: conflict %t, not found %t, exists %t", err, errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrStreamNotFound), errors.Is(err, store.ErrStreamExists))
		}
		if c.err.Error() != c.text {
			t.Errorf("the error says %q, want %q", c.err.Error(), c.text)
		}
	}
}

func TestErrorsHaveAnIdentity(t *testing.T) {
	t.Parallel()
	identities := []error{
		store.ErrConflict, store.ErrStreamNotFound, store.ErrStreamExists, store.ErrDuplicateEvent, store.ErrInvalid, store.ErrUnknownOutcome,
		store.ErrSnapshotNotFound, store.ErrFenced, store.ErrSubscriptionNotFound, store.ErrSubscriptionExists, store.ErrUnavailable, store.ErrNotMigrated, store.ErrClosed, context.DeadlineExceeded,
	}
	reset := errors.New("connection reset")
	for _, c := range []struct {
		err       error
		is        error
		retryable bool
	}{
		{&store.ConflictError{Expected: 1}, store.ErrConflict, false},
		{&store.StreamNotFoundError{}, store.ErrStreamNotFound, false},
		{&store.DuplicateEventError{Op: "link to", ID: uuid.New()}, store.ErrDuplicateEvent, false},
		{&store.InvalidError{}, store.ErrInvalid, false},
		{&store.UnknownOutcomeError{Batches: make([]store.Batch, 1), Err: reset}, store.ErrUnknownOutcome, true},
		{&store.UnknownOutcomeError{Err: reset}, store.ErrUnknownOutcome, false},
		{&store.SnapshotNotFoundError{}, store.ErrSnapshotNotFound, false},
		{&store.FencedError{}, store.ErrFenced, false},
		{&store.SubscriptionNotFoundError{}, store.ErrSubscriptionNotFound, false},
		{&store.SubscriptionExistsError{}, store.ErrSubscriptionExists, false},
		{&store.UnavailableError{Err: reset}, store.ErrUnavailable, true},
		{&store.NotMigratedError{}, store.ErrNotMigrated, false},
		{&store.TimeoutError{}, context.DeadlineExceeded, true},
	} {
		err := fmt.Errorf("outer: %w", c.err)
		for _, identity := range identities {
			if got := errors.Is(err, identity); got != (identity == c.is) { //nolint:errorlint // the table names the identity itself
				t.Errorf("%T is %q: %t", c.err, identity, got)
			}
		}
		if got := store.Retryable(err); got != c.retryable {
			t.Errorf("%T is retryable: %t", c.err, got)
		}
	}
	if !errors.Is(&store.UnknownOutcomeError{Err: reset}, reset) || !errors.Is(&store.UnavailableError{Err: reset}, reset) {
		t.Error("the cause is lost")
	}
	if store.Retryable(nil) || store.Retryable(reset) {
		t.Error("no error, or a foreign one, is retryable")
	}
}

func TestTimeoutOnlyWhereThereIsNoDeadline(t *testing.T) {
	t.Parallel()
	ctx, cancel := store.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	var timeout *store.TimeoutError
	if err := context.Cause(ctx); !errors.As(err, &timeout) || timeout.After != time.Nanosecond {
		t.Errorf("the cause is %v, want a TimeoutError", err)
	}
	if got, _ := store.WithTimeout(ctx, time.Hour); got != ctx {
		t.Error("a context with a deadline was changed")
	}
	if _, ok := deadline(t, -1); ok {
		t.Error("a negative timeout set a deadline")
	}
	if in, ok := deadline(t, 0); !ok || in > store.DefaultTimeout || in < store.DefaultTimeout/2 {
		t.Errorf("timeout 0 ends in %s, want the default %s", in, store.DefaultTimeout)
	}
}

func deadline(t *testing.T, d time.Duration) (time.Duration, bool) {
	t.Helper()
	ctx, cancel := store.WithTimeout(t.Context(), d)
	defer cancel()
	at, ok := ctx.Deadline()
	return time.Until(at), ok
}

// A name that a user may choose must not be able to forge a line of a log.
func TestErrorsShowNamesOnOneLine(t *testing.T) {
	t.Parallel()
	const name = "bank-\n1\x1b"
	for _, text := range []string{
		(&store.ConflictError{Stream: name, Expected: 1}).Error(),
		(&store.ConflictError{Stream: name, Expected: 1, Actual: 2}).Error(),
		(&store.StreamNotFoundError{Stream: name}).Error(),
		(&store.DuplicateEventError{Stream: name}).Error(),
		(&store.DuplicateEventError{Stream: name, StoredStream: name, StoredVersion: 1}).Error(),
		(&store.InvalidError{What: "stream name", Value: name, Reason: "empty"}).Error(),
		(&store.UnknownOutcomeError{Batches: []store.Batch{{Stream: name}}, Err: context.Canceled}).Error(),
		(&store.SnapshotNotFoundError{Stream: name}).Error(),
		(&store.FencedError{Holds: []store.Hold{{Subscription: name}}}).Error(),
		(&store.SubscriptionNotFoundError{Name: name}).Error(),
		(&store.SubscriptionExistsError{Name: name}).Error(),
		store.Query{Stream: name}.String(),
		store.Query{Categories: []string{name, "bank"}}.String(),
	} {
		if strings.ContainsAny(text, "\n\x1b") || !strings.Contains(text, `"bank-\n1\x1b"`) {
			t.Errorf("the name is not quoted: %s", text)
		}
	}
}
