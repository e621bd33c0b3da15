package esotel_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/esotel"
	"github.com/esgen/esgen/runtime/store"
)

func diff(want, got any) string { return cmp.Diff(want, got) }

func TestOutcomes(t *testing.T) {
	t.Parallel()
	unavailable := func(err error) error { return &store.UnavailableError{Op: "append to bank-1", Err: err} }
	for _, c := range []struct {
		result             store.Result
		outcome, errorType string
	}{
		{store.Result{Events: 1}, "ok", ""},
		{store.Result{Events: 1, Duplicate: true}, "duplicate", ""},
		{store.Result{Err: &store.ConflictError{Stream: "bank-1", Expected: store.StreamExists}}, "conflict", ""},
		{store.Result{Err: &store.DuplicateEventError{Stream: "bank-1"}}, "duplicate_event", ""},
		{store.Result{Err: &store.StreamNotFoundError{Stream: "bank-1"}}, "not_found", ""},
		{store.Result{Err: &store.SnapshotNotFoundError{Stream: "bank-1"}}, "not_found", ""},
		{store.Result{Err: &store.UnknownOutcomeError{Err: unavailable(context.Canceled)}}, "unknown", "unknown_outcome"},
		{store.Result{Err: &store.InvalidError{What: "query", Reason: "limit"}}, "error", "invalid"},
		{store.Result{Err: &store.StreamDeletedError{Op: "read", Stream: "bank-1"}}, "error", "stream_deleted"},
		{store.Result{Err: &store.EventNotFoundError{Op: "link to bank-1"}}, "error", "event_not_found"},
		{store.Result{Err: &store.NotEnabledError{Op: "delete bank-1"}}, "error", "not_enabled"},
		{store.Result{Err: &store.NotMigratedError{Store: "esgen"}}, "error", "not_migrated"},
		{store.Result{Err: fmt.Errorf("append: %w", store.ErrClosed)}, "error", "closed"},
		{store.Result{Err: fmt.Errorf("read: %w", context.Canceled)}, "error", "canceled"},
		{store.Result{Err: &store.TimeoutError{After: 1}}, "error", "timeout"},
		{store.Result{Err: unavailable(context.DeadlineExceeded)}, "error", "timeout"},
		{store.Result{Err: unavailable(errors.New("refused"))}, "error", "unavailable"},
		{store.Result{Err: errors.New("else")}, "error", "_OTHER"},
	} {
		o := collect(esotel.Config{})
		_, call := store.Observe(o, "postgresql", "esgen", nil).Begin(t.Context(), store.Operation{Kind: store.OperationAppend, Stream: "bank-1"})
		call.End(c.result)
		span := o.shown()[0]
		status := "Unset"
		want := "db.namespace=esgen,db.operation.name=append,db.system.name=postgresql,"
		if c.errorType != "" {
			status = "Error: " + c.result.Err.Error()
			want += "error.type=" + c.errorType + ","
		}
		want += "esgen.outcome=" + c.outcome
		gotType, _ := span.Attributes["error.type"].(string)
		if span.Attributes["esgen.outcome"] != c.outcome || gotType != c.errorType || span.Status != status {
			t.Errorf("%v: span %v, status %q, want outcome %q, type %q, status %q", c.result.Err, span.Attributes, span.Status, c.outcome, c.errorType, status)
		}
		for _, m := range o.measured(t) {
			if m.Metric == "esgen.operation.duration" && m.Attributes != want {
				t.Errorf("%v: measured with %s, want %s", c.result.Err, m.Attributes, want)
			}
		}
	}
}
