package subscribe_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// dying is a store whose process dies after the handler's transaction: what is to be
// unparked after that never is.
type dying struct {
	store.Store
	store.Transactor
	local *store.Local
	tried atomic.Int64
}

func (d *dying) Local() *store.Local { return d.local }
func (d *dying) Subscriptions() store.Subscriptions {
	return dyingSubscriptions{d.Store.Subscriptions(), d}
}

type dyingSubscriptions struct {
	store.Subscriptions
	d *dying
}

var errDead = errors.New("the process is dead")

func (s dyingSubscriptions) Unpark(ctx context.Context, h store.Hold, key string, at uint64) error {
	if _, inside := store.StreamsFrom(ctx); !inside {
		s.d.tried.Add(1)
		return errDead
	}
	return s.Subscriptions.Unpark(ctx, h, key, at)
}

// A parked event that is handled in a transaction is handled once, also if the process
// dies right behind the commit.
func TestAParkedEventIsHandledOnceInATransaction(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		transactor, ok := db.(store.Transactor)
		if !ok {
			return // a store without transactions
		}
		var fixed atomic.Bool
		handle := func(ctx context.Context, events []store.Recorded) error {
			in, ok := store.StreamsFrom(ctx)
			if !ok {
				return errors.New("there is no transaction")
			}
			for _, r := range events {
				if r.Stream == "bank-1" && !fixed.Load() {
					return subscribe.Park(errSick)
				}
				effect := store.Event{Type: "effect", Format: store.JSON, Data: []byte(`{}`)}
				if _, err := in.Append(ctx, store.Batch{Stream: "effect-" + r.Stream, Expected: store.Any, Events: []store.Event{effect}}); err != nil {
					return err
				}
			}
			return nil
		}
		effects := func() (n int) {
			for r, err := range db.Read(t.Context(), store.Query{}) {
				if err != nil {
					t.Fatal(err)
				}
				if r.Stream == "effect-bank-1" {
					n++
				}
			}
			return n
		}
		of := func(db store.Store) *subscribe.Subscription {
			sub, err := subscribe.NewTx(db, "once", handle, subscribe.Config{Categories: []string{"bank"}, OnFailure: subscribe.ThenPark, Lease: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			return sub
		}
		appendTo(t, db, "bank-1", 1)
		appendTo(t, db, "bank-2", 1)
		d := &dying{Store: db, Transactor: transactor, local: db.Local().Beside()}
		p := run(t, of(d))
		await(t, p.Live(), "Live")
		if got := parkedIn(t, db, "once", store.ParkedWaiting); len(got) != 1 || effects() != 0 {
			t.Fatalf("parked are %v, with %d effects", got, effects())
		}
		fixed.Store(true)
		if _, err := db.Subscriptions().Mark(t.Context(), "once", "bank-1", store.ParkedRetry, "fixed"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the process to die behind the commit", func() bool { return d.tried.Load() > 0 })
		if n := effects(); n != 1 {
			t.Errorf("%d effects when the transaction was committed", n)
		}
		p.stop(t)

		p = run(t, of(db))
		await(t, p.Live(), "Live")
		eventually(t, "nothing to be parked", func() bool { return len(parkedIn(t, db, "once")) == 0 })
		p.stop(t)
		if n := effects(); n != 1 {
			t.Errorf("%d effects in the end", n)
		}
	})
}
