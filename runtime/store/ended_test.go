package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

func TestEnded(t *testing.T) {
	t.Parallel()
	ended := func(ctx context.Context, cancel context.CancelFunc) context.Context {
		cancel()
		return ctx
	}
	deploy := errors.New("deploy")
	caused, cancel := context.WithCancelCause(t.Context())
	cancel(deploy)
	past := time.Now().Add(-time.Second)
	expired, cancelExpired := context.WithDeadlineCause(t.Context(), past, deploy)
	defer cancelExpired()
	timeout, cancelTimeout := context.WithTimeoutCause(t.Context(), -1, &store.TimeoutError{After: time.Second})
	defer cancelTimeout()
	for _, c := range []struct {
		ctx  context.Context
		op   string
		is   []error
		text string
	}{
		{ended(context.WithCancel(t.Context())), "read $all", []error{context.Canceled}, "read $all: context canceled"},
		{ended(context.WithCancel(t.Context())), "", []error{context.Canceled}, "context canceled"},
		{caused, "read $all", []error{context.Canceled, deploy}, "read $all: context canceled: deploy"},
		{caused, "", []error{context.Canceled, deploy}, "context canceled: deploy"},
		{caused, "read a\nb", []error{context.Canceled, deploy}, `"read a\nb": context canceled: deploy`},
		{expired, "read $all", []error{context.DeadlineExceeded, deploy}, "read $all: context deadline exceeded: deploy"},
		{timeout, "read $all", []error{context.DeadlineExceeded}, "read $all: no answer within 1s, the store's timeout for calls without a deadline"},
	} {
		err := store.Ended(c.ctx, c.op)
		if err == nil || err.Error() != c.text {
			t.Errorf("the error is %v, want %q", err, c.text)
		}
		for _, is := range c.is {
			if !errors.Is(err, is) {
				t.Errorf("%v is not %v", err, is)
			}
		}
	}
	if !store.Retryable(store.Ended(timeout, "read $all")) {
		t.Error("the store's timeout is not retryable")
	}
	if err := store.Ended(t.Context(), "read $all"); err != nil {
		t.Errorf("a context that lives: %v", err)
	}
}
