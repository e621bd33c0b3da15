package subscribe_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// counted is a store that counts the events that are read of it.
type counted struct {
	store.Store
	reads, events atomic.Int64
}

func (c *counted) Read(ctx context.Context, q store.Query) iter.Seq2[store.Recorded, error] {
	c.reads.Add(1)
	return func(yield func(store.Recorded, error) bool) {
		for r, err := range c.Store.Read(ctx, q) {
			if err == nil && !q.Backward {
				c.events.Add(1)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// fifty are subscriptions to all kinds of things, live.
func fifty(t *testing.T, db store.Store) []*recorder {
	t.Helper()
	all := make([]*recorder, 50)
	for i := range all {
		c := subscribe.Config{Start: subscribe.Current}
		switch i % 5 {
		case 1:
			c.Categories = []string{"bank"}
		case 2:
			c.Only = []string{"happened"}
		case 3:
			c.Categories, c.Lanes = []string{"bank", "card"}, 2
		}
		all[i] = &recorder{}
		p := run(t, newSubscription(t, db, fmt.Sprintf("live-%d", i), all[i].handle, c))
		await(t, p.Live(), "Live")
	}
	return all
}

// Fifty live subscriptions read an event once between them, whatever they select.
func TestLiveSubscriptionsReadEachEventOnce(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, inner store.Store) {
		db := &counted{Store: inner}
		appendTo(t, db, "bank-1", 10)
		all := fifty(t, db)
		// The first event finds some that have read for themselves so far.
		appendTo(t, db, "bank-1", 1)
		for _, h := range all {
			h.await(t, 1)
		}
		before := db.events.Load()
		const n = 300
		for i := range n {
			appendTo(t, db, fmt.Sprintf("bank-%d", i%7), 1)
		}
		for _, h := range all {
			h.await(t, 1+n)
		}
		if read := db.events.Load() - before; read != n {
			t.Errorf("of %d events 50 subscriptions have read %d", n, read)
		}
	})
}

// A hundred subscriptions of an idle store cost a few reads per second, whatever
// they select, and go on finding what is appended without any bell.
func TestIdleSubscriptionsCostLittle(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *faulty) {
		f.local = &store.Local{} // that of another process
		appendTo(t, f, "bank-1", 10)
		all := make([]*recorder, 0, 100)
		for i := range 100 {
			c := subscribe.Config{}
			if i%2 == 1 {
				c.Categories = []string{"bank"}
			}
			h := &recorder{}
			run(t, newSubscription(t, f, fmt.Sprintf("idle-%d", i), h.handle, c))
			all = append(all, h)
		}
		pass(time.Minute)
		reads, renewals, moves := f.reads.Load(), f.renewals.Load(), f.advances.Load()
		pass(time.Minute)
		if n := f.reads.Load() - reads; n < 60 || n > 360 {
			t.Errorf("an idle minute of 100 subscriptions cost %d reads", n)
		}
		if n := f.renewals.Load() - renewals; n > 60 {
			t.Errorf("an idle minute of 100 subscriptions cost %d renewals", n)
		}
		if n := f.advances.Load() - moves; n != 0 {
			t.Errorf("an idle minute of 100 subscriptions cost %d checkpoints", n)
		}
		for n := 1; n <= 5; n++ {
			appendTo(t, f, "bank-1", 1)
			pass(time.Second + time.Millisecond)
			for i, h := range all {
				if got := len(h.handled()); got != 10+n {
					t.Fatalf("a second after the append of event %d subscription %d has handled %d", 10+n, i, got)
				}
			}
			linger(time.Duration(n) * 97 * time.Millisecond)
		}
	})
}

// Fifty subscriptions are not woken for each append of many, but for all of a few
// milliseconds, the last one included; and at once after a pause.
func TestManySubscriptionsAreWokenForSeveralAppends(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, f *faulty) {
		all := make([]*recorder, 50)
		for i := range all {
			all[i] = &recorder{}
			run(t, newSubscription(t, f, fmt.Sprintf("busy-%d", i), all[i].handle, subscribe.Config{}))
		}
		pass(time.Minute)
		appended := 0
		handled := func(when string) {
			t.Helper()
			for i, h := range all {
				if got := len(h.handled()); got != appended {
					t.Fatalf("%s: subscription %d has handled %d events of %d", when, i, got, appended)
				}
			}
		}
		for range 5 {
			appendTo(t, f, "bank-1", 1)
			appended++
			pass(0)
			handled("at once after a pause")
			linger(time.Second)
		}
		before := f.reads.Load()
		for range 1000 {
			appendTo(t, f, "bank-1", 1)
			linger(time.Millisecond)
		}
		appended += 1000
		if n := f.reads.Load() - before; n > 500 {
			t.Errorf("1000 appends in a second led to %d reads", n)
		}
		pass(10 * time.Millisecond)
		handled("after many")
	})
}
