package subscribe_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// The subscriptions of a process share the shortest lease. One that comes later with a
// shorter one shortens those of the others, also what they hold already: when the
// process is cut off, another has their lanes after the shorter one.
func TestAShorterLeaseIsEverybodys(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *faulty) {
		appendTo(t, f, "bank-1", 1)
		lost := make(chan error, 1)
		h := func(ctx context.Context, _ store.Recorded) error {
			<-ctx.Done()
			lost <- context.Cause(ctx)
			return ctx.Err()
		}
		a := run(t, newSubscription(t, f, "long", h, subscribe.Config{Lease: time.Hour}))
		await(t, a.Started(), "Started")
		synctest.Wait()
		b := run(t, newSubscription(t, f, "short", (&recorder{}).handle, subscribe.Config{Lease: time.Second}))
		await(t, b.Started(), "Started")
		f.dead.Store(true)
		pass(1100 * time.Millisecond)
		select {
		case err := <-lost:
			if !errors.Is(err, subscribe.ErrLeaseLost) {
				t.Errorf("its context has ended with %v", err)
			}
		default:
			t.Error("it works on, while another process may have its lane")
		}
		f.dead.Store(false)
		a.cancel()
		b.cancel()
		<-a.ended
		<-b.ended
	})
}
