package subscribe_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

func TestWaitForComesBackWhenItIsHandled(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		opens(t, db, "s", "$all; 2 lanes by stream", 2)
		m := joins(t, db, "elsewhere", "s")
		appended := appendTo(t, db, "bank-1", 3)
		waited := make(chan error, 1)
		go func() { waited <- subscribe.WaitFor(t.Context(), db, "s", appended) }()
		m.advance(t, 0, 3)
		m.advance(t, 1, 2)
		err := waitTooLong(t, db, "s", appended)
		if late, ok := errors.AsType[*subscribe.WaitError](err); !ok || late.Wanted != 3 || late.At != 2 || late.Lane != 1 || late.Waited <= 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		select {
		case err := <-waited:
			t.Errorf("it came back although lane 1 is at 2: %v", err)
		default:
		}
		m.advance(t, 1, 3)
		if err := <-waited; err != nil {
			t.Error(err)
		}
		if err := subscribe.WaitFor(t.Context(), db, "s"); err != nil {
			t.Errorf("nothing is waited for: %v", err)
		}
	})
}

func TestWaitForWhatIsNotRead(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		opens(t, db, "bank", `categories "bank"; 1 lane by stream`, 1)
		opens(t, db, "one", `stream "bank-1"; 1 lane by stream`, 1)
		other := appendTo(t, db, "cards-1", 3)
		for _, name := range []string{"bank", "one"} {
			if err := subscribe.WaitFor(t.Context(), db, name, other); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		bank := appendTo(t, db, "bank-1", 2)
		appendTo(t, db, "cards-1", 1)
		for name, want := range map[string]string{
			"bank": "wait for subscription bank to handle 5: it is at 0 after ",
			"one":  "wait for subscription one to handle 2: it is at 0 after ",
		} {
			err := waitTooLong(t, db, name, bank, other)
			if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), "(nobody runs it): context deadline exceeded") {
				t.Errorf("%s: %v", name, err)
			}
			joins(t, db, "host", name).advance(t, 0, map[string]uint64{"bank": 5, "one": 2}[name])
			if err := subscribe.WaitFor(t.Context(), db, name, bank, other); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := subscribe.WaitFor(t.Context(), db, "bank", store.Appended{Stream: "bank-2", Version: 1}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("without a position: %v", err)
		}
	})
}

// waitTooLong waits for what does not come, until the store has answered at least.
func waitTooLong(t *testing.T, db store.Store, name string, appended ...store.Appended) error {
	t.Helper()
	for d := 20 * time.Millisecond; ; d *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), d)
		err := subscribe.WaitFor(ctx, db, name, appended...)
		cancel()
		if err == nil {
			t.Fatalf("subscription %s has handled what nobody handles", name)
		}
		if waited, ok := errors.AsType[*subscribe.WaitError](err); !ok || waited.Lanes > 0 || d > time.Minute {
			return err
		}
	}
}

func TestAWaitThatIsTooLongSaysWhy(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		appended := appendTo(t, db, "bank-1", 3)
		opens(t, db, "s", "$all; 2 lanes by stream", 2)
		m := joins(t, db, "host", "s")
		wait := func() string { return waitTooLong(t, db, "s", appended).Error() }
		if err := db.Subscriptions().Report(t.Context(), m.hold(1), "no route\nto host"); err != nil {
			t.Fatal(err)
		}
		if text := wait(); !strings.Contains(text, `lane 0 of it is at 0 after `) || !strings.Contains(text, `(failing), its last error: "no route\nto host": context`) {
			t.Error(text)
		}
		if err := subscribe.Pause(t.Context(), db, "s"); err != nil {
			t.Fatal(err)
		}
		if text := wait(); !strings.Contains(text, "(paused): context") {
			t.Error(text)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := subscribe.WaitFor(ended, db, "s", appended); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// Who resets a subscription and waits for it is not told of what it had handled before,
// by the process that does not know of the reset yet.
func TestWaitForAfterAReset(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, db *faulty) {
		appended := appendTo(t, db, "bank-1", 5)
		h := &recorder{}
		run(t, newSubscription(t, db, "s", h.handle, subscribe.Config{}))
		pass(time.Second)
		if err := subscribe.WaitFor(t.Context(), db, "s", appended); err != nil {
			t.Fatal(err)
		}
		for _, again := range []func() error{
			func() error { _, err := subscribe.Reset(t.Context(), db, "s", subscribe.Origin); return err },
			func() error { return subscribe.Delete(t.Context(), db, "s") },
		} {
			before := len(h.handled())
			if err := again(); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Subscriptions().Open(t.Context(), store.Subscription{Name: "s", Settings: "$all; 1 lane by stream", Lanes: make([]store.Lane, 1)}); err != nil {
				t.Fatal(err)
			}
			if err := subscribe.WaitFor(t.Context(), db, "s", appended); err != nil {
				t.Fatal(err)
			}
			if n := len(h.handled()) - before; n != 5 {
				t.Errorf("%d of the 5 events were handled when the wait ended", n)
			}
		}
	})
}
