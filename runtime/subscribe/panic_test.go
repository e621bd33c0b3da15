package subscribe_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// careless is an error whose methods panic if it is nil, as it often is where a
// function returns it as an error.
type careless struct{ text string }

func (c *careless) Error() string { return c.text }
func (c *careless) Unwrap() error { return errors.New(c.text) }

// A handler's error that panics when it is looked at is an error, and the program
// lives.
func TestAnErrorThatPanics(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]subscribe.Policy{"stop": subscribe.ThenStop, "skip": subscribe.ThenSkip, "park": subscribe.ThenPark} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := memory.New(memory.Config{})
			appendTo(t, db, "bank-1", 1)
			var nothing *careless
			h := func(context.Context, store.Recorded) error { return nothing }
			p := run(t, newSubscription(t, db, "careless", h, subscribe.Config{Retry: subscribe.Retry{Attempts: 2, First: 1}, OnFailure: policy}))
			if policy != subscribe.ThenStop {
				await(t, p.Live(), "Live")
				if n := len(parkedIn(t, db, "careless")); n != 1 {
					t.Errorf("%d events are parked or skipped, want 1", n)
				}
				p.stop(t)
				return
			}
			err := p.result(t)
			if panicked, ok := errors.AsType[*subscribe.PanicError](err); !ok {
				t.Errorf("it ends with %v", err)
			} else if len(panicked.Stack) == 0 {
				t.Error("nobody learns where")
			}
		})
	}
}

// So is one by which a delivery is refused.
func TestARefusalThatPanics(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	appendTo(t, db, "bank-1", 1)
	sub, err := subscribe.NewPull(db, "careless", subscribe.Config{Retry: subscribe.Retry{Attempts: 1}, OnFailure: subscribe.ThenPark})
	if err != nil {
		t.Fatal(err)
	}
	var nothing *careless
	for d, err := range sub.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Nack(nothing); err != nil {
			t.Error(err)
		}
		break
	}
	if n := len(parkedIn(t, db, "careless")); n != 1 {
		t.Errorf("%d events are parked, want 1", n)
	}
}

// A function that ends its goroutine, as a test's FailNow does, ends the run and leaves
// no lane that waits for ever.
func TestSelectEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	appendTo(t, db, "bank-1", 1)
	c := subscribe.Config{Select: func(store.Recorded) bool { runtime.Goexit(); return true }}
	err := run(t, newSubscription(t, db, "gone", (&recorder{}).handle, c)).result(t)
	if e, ok := errors.AsType[*subscribe.SortError](err); !ok || e.Position != 1 {
		t.Errorf("it ended with %v", err)
	}
}
