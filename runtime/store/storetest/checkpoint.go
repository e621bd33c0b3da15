package storetest

import (
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func checkpointCases() []contractCase {
	return []contractCase{
		{name: "case 50 a checkpoint advances by one event", run: func(f *fixture) {
			first := f.append("bank-1", 0, event(1))
			f.opened("balances", "all", 0)
			f.advance(f.taken("balances"), 0, uint64(first.Last))
			f.equal("at", uint64(first.Last), f.at("balances"))
		}},
	}
}

// opened opens a subscription of one lane, or fails.
func (f *fixture) opened(name, settings string, at uint64) store.Subscription {
	f.Helper()
	s, err := f.store.Subscriptions().Open(f.ctx, store.Subscription{Name: name, Settings: settings, Lanes: []store.Lane{{At: at}}})
	if err != nil {
		f.Fatalf("open subscription %s: %v", name, err)
	}
	return s
}

// taken lets a new member have the one lane of a subscription.
func (f *fixture) taken(name string) store.Hold {
	f.Helper()
	r, err := f.store.Subscriptions().Renew(f.ctx, store.Member{ID: uuid.New(), Lease: time.Hour, Runs: []string{name}})
	if err != nil || len(r.Lanes) != 1 {
		f.Fatalf("renew: %+v, %v, want one lane", r, err)
	}
	return store.Hold{Subscription: name, Lane: 0, Token: r.Lanes[0].Token}
}

func (f *fixture) advance(h store.Hold, from, to uint64) {
	f.Helper()
	if err := f.store.Subscriptions().Advance(f.ctx, store.Move{Hold: h, From: from, To: to}); err != nil {
		f.Fatalf("advance %s from %d to %d: %v", h.Subscription, from, to, err)
	}
}

// at is where the first lane stands.
func (f *fixture) at(name string) uint64 {
	f.Helper()
	s, err := f.store.Subscriptions().Find(f.ctx, name)
	if err != nil {
		f.Fatalf("find subscription %s: %v", name, err)
	}
	return s.Lanes[0].At
}
