package subscribe_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// A subscription is deleted, and another release begins one of the same name that
// reads something else. Who still runs the old one would pass over the events of the
// new one: it refuses to go on instead.
func TestASubscriptionIsReplacedByAnotherOfItsName(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	var away atomic.Bool
	old := another(db)
	old.renew = func(int64) error {
		if away.Load() {
			return errAway
		}
		return nil
	}
	appendTo(t, db, "bank-1", 3)
	p := run(t, newSubscription(t, old, "s", (&recorder{}).handle, subscribe.Config{Categories: []string{"bank"}, Lease: time.Second}))
	await(t, p.Live(), "Live")
	stored(t, db, "s", 3)
	away.Store(true) // so that it does not see that for a moment there is none
	if err := subscribe.Delete(t.Context(), db, "s"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Subscriptions().Open(t.Context(), store.Subscription{Name: "s", Settings: "something else", Lanes: make([]store.Lane, 1)}); err != nil {
		t.Fatal(err)
	}
	away.Store(false)
	appendTo(t, db, "card-1", 1)
	appendTo(t, db, "bank-1", 1)
	err := p.result(t)
	if e, ok := errors.AsType[*subscribe.SettingsError](err); !ok || e.Stored != "something else" {
		t.Errorf("it ended with %v", err)
	}
	if s, err := db.Subscriptions().Find(t.Context(), "s"); err != nil || s.Lanes[0].At != 0 {
		t.Errorf("the new one is %+v, %v", s, err)
	}
}
