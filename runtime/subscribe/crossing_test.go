package subscribe_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// What somebody decides about a parked event while it is tried again holds, whatever
// comes of the try.
func TestADecisionCrossesATry(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		decide func(ctx context.Context, db store.Store) error
		// result is what the try returns, want what the event becomes if it fails on.
		result error
		want   store.ParkedState
		again  bool
	}{
		{"discarded", func(ctx context.Context, db store.Store) error {
			_, err := subscribe.DiscardParked(ctx, db, "s", "bank-1", "of no use")
			return err
		}, subscribe.Park(errSick), store.ParkedDiscarded, false},
		{"discarded in a pause", func(ctx context.Context, db store.Store) error {
			_, err := subscribe.DiscardParked(ctx, db, "s", "bank-1", "of no use")
			return err
		}, subscribe.RetryAfter(time.Hour, errSick), store.ParkedDiscarded, false},
		{"to be tried again", func(ctx context.Context, db store.Store) error {
			_, err := subscribe.RetryParked(ctx, db, "s", "bank-1", "mended")
			return err
		}, subscribe.Park(errSick), store.ParkedWaiting, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db := memory.New(memory.Config{})
			appendTo(t, db, "bank-1", 1)
			var tries atomic.Int64
			under, may := make(chan struct{}), make(chan struct{})
			h := func(_ context.Context, r store.Recorded) error {
				if r.Version > 1 {
					return nil
				}
				switch tries.Add(1) {
				case 1:
					return subscribe.Park(errSick)
				case 2:
					close(under)
					<-may
					return test.result
				default:
					return subscribe.Park(errSick)
				}
			}
			p := run(t, newSubscription(t, db, "s", h, subscribe.Config{}))
			await(t, p.Live(), "Live")
			if n, err := subscribe.RetryParked(t.Context(), db, "s", "bank-1", "try"); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			await(t, under, "the try")
			if err := test.decide(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			close(may)
			if test.again {
				eventually(t, "another try", func() bool { return tries.Load() == 3 })
			} else {
				eventually(t, "the key to be free", func() bool { return p.Status().Lanes[0].ParkedKeys == 0 })
			}
			p.stop(t)
			if got := parkedIn(t, db, "s", test.want); len(got) != 1 {
				t.Errorf("%s are %v; in all there are %v", test.want, got, parkedIn(t, db, "s"))
			}
		})
	}
}
