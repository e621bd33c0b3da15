package subscribe_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// TestConformance holds the cases that subscriptions of event stores are
// commonly held to, by their numbers, as far as they concern one subscriber.
// 17 to 23 subscribe to one stream, 24 to 29 to all.
func TestConformance(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		for _, k := range []kind{
			{"stream", subscribe.Config{Stream: "bank-1"}, [6]string{"17", "18", "19", "20", "21", "22"}, "23"},
			{"all", subscribe.Config{}, [6]string{"24", "25", "25", "27", "26", "28"}, "29"},
		} {
			// One store serves all cases; those from now on begin at what is there.
			now := k.config
			now.Start = subscribe.Current
			t.Run("case "+k.cases[0]+" started is signalled", func(t *testing.T) {
				p := run(t, newSubscription(t, db, k.name+"-started", (&recorder{}).handle, now))
				await(t, p.Started(), "Started")
				p.stop(t)
			})
			t.Run("case "+k.cases[1]+" appends arrive in order, counted", func(t *testing.T) {
				h, p := k.started(t, db, "ordered", now)
				var last store.Appended
				for n := 1; n <= 3; n++ {
					last = appendTo(t, db, "bank-1", n)
				}
				k.consecutive(t, h.await(t, 6), 6, last)
				p.stop(t)
			})
			t.Run("case "+k.cases[2]+" events of other streams", func(t *testing.T) {
				h, p := k.started(t, db, "others", now)
				appendTo(t, db, "other-1", 2)
				appendTo(t, db, "bank-1", 1)
				want := []string{"bank-1"}
				if k.all() {
					want = []string{"other-1", "other-1", "bank-1"}
				}
				if diff := cmp.Diff(want, streams(h.await(t, len(want)))); diff != "" {
					t.Error(diff)
				}
				p.stop(t)
			})
			t.Run("case "+k.cases[3]+" current skips what is there", func(t *testing.T) {
				appendTo(t, db, "bank-1", 3)
				h, p := k.started(t, db, "current", now)
				last := appendTo(t, db, "bank-1", 3)
				k.consecutive(t, h.await(t, 3), 3, last)
				p.stop(t)
			})
			t.Run("case "+k.cases[4]+" what is there arrives, then what is new", func(t *testing.T) {
				h, p := k.started(t, db, "old", k.config)
				await(t, p.Live(), "Live")
				there := len(h.handled())
				last := appendTo(t, db, "bank-1", 2)
				k.consecutive(t, h.await(t, there+2), int(k.place(last)), last)
				p.stop(t)
			})
			t.Run("case "+k.cases[5]+" what a handler passes over counts as handled", func(t *testing.T) {
				wanted := 0
				h := &recorder{}
				choosy := func(ctx context.Context, r store.Recorded) error {
					if wanted++; wanted%2 == 1 {
						return nil
					}
					return h.handle(ctx, r)
				}
				p := run(t, newSubscription(t, db, k.name+"-choosy", choosy, now))
				await(t, p.Started(), "Started")
				last := appendTo(t, db, "bank-1", 6)
				h.await(t, 3)
				p.stop(t)
				if at := p.Status().Stored; at != k.place(last) {
					t.Errorf("the checkpoint is at %d, want %d", at, k.place(last))
				}
			})
			t.Run("case "+k.duplicate+" a second subscriber is found out", func(t *testing.T) { k.second(t, db) })
		}
	})
}

type kind struct {
	name      string
	config    subscribe.Config
	cases     [6]string
	duplicate string
}

func (k kind) all() bool { return k.config.Stream == "" }

func (k kind) place(a store.Appended) uint64 {
	if k.all() {
		return uint64(a.Last)
	}
	return uint64(a.Version)
}

func (k kind) started(t *testing.T, db store.Store, name string, c subscribe.Config) (*recorder, *process) {
	h := &recorder{}
	p := run(t, newSubscription(t, db, k.name+"-"+name, h.handle, c))
	await(t, p.Started(), "Started")
	return h, p
}

// consecutive holds that events are n and end at last without a gap.
func (k kind) consecutive(t *testing.T, events []store.Recorded, n int, last store.Appended) {
	t.Helper()
	want := make([]uint64, 0, n)
	for i := range n {
		want = append(want, k.place(last)-uint64(n-1-i))
	}
	got := positions(events)
	if !k.all() {
		got = nil
		for _, v := range versions(events) {
			got = append(got, uint64(v))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// second runs the same name twice: the one that comes later stands by, in this
// process and in another, and goes on when the first one stops.
func (k kind) second(t *testing.T, db store.Store) {
	appendTo(t, db, "bank-1", 2)
	c := k.config
	first := &recorder{}
	p := run(t, newSubscription(t, db, k.name+"-twice", first.handle, c))
	await(t, p.Live(), "Live")
	if err := p.Run(t.Context()); !errors.Is(err, subscribe.ErrRunning) {
		t.Errorf("a second Run returned %v, want ErrRunning", err)
	}
	next := &recorder{}
	here := run(t, newSubscription(t, db, k.name+"-twice", next.handle, c))
	there := run(t, newSubscription(t, another(db), k.name+"-twice", next.handle, c))
	for _, standby := range []*process{here, there} {
		eventually(t, "a standby", func() bool {
			s := standby.Status()
			return s.State == "standing by" || s.State == "asking for its lanes"
		})
	}
	n := len(first.handled())
	appendTo(t, db, "bank-1", 1)
	first.await(t, n+1)
	p.stop(t)
	last := appendTo(t, db, "bank-1", 1)
	k.consecutive(t, next.await(t, 1), 1, last)
	here.stop(t)
	there.stop(t)
	if n := len(next.handled()); n != 1 {
		t.Errorf("the standbys handled %d events, want 1", n)
	}
}

func streams(events []store.Recorded) (streams []string) {
	for _, r := range events {
		streams = append(streams, r.Stream)
	}
	return streams
}

// TestResume holds cases 36 to 41 of one subscriber; 38 and 39 delete
// subscriptions, which is no part of this package.
func TestResume(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, db store.Store) {
		first := &recorder{}
		p := run(t, newSubscription(t, db, "resumed", first.handle, subscribe.Config{}))
		appendTo(t, db, "bank-1", 3)
		first.await(t, 3)
		p.stop(t)

		// Case 36: nothing is delivered after the end, which is when Run returns.
		appendTo(t, db, "bank-2", 2)
		if n := len(first.handled()); n != 3 {
			t.Errorf("case 36: %d events were handled, want 3", n)
		}

		// Cases 37 and 40: the next run, in a new process, goes on.
		second := &recorder{}
		p = run(t, newSubscription(t, db, "resumed", second.handle, subscribe.Config{}))
		if diff := cmp.Diff([]uint64{4, 5}, positions(second.await(t, 2))); diff != "" {
			t.Errorf("case 37: %s", diff)
		}
		p.stop(t)
		entered := make(chan struct{}, 1)
		third := &recorder{before: func(ctx context.Context, _ store.Recorded) error {
			entered <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}}
		p = run(t, newSubscription(t, db, "resumed", third.handle, subscribe.Config{Start: subscribe.Origin}))
		await(t, p.Live(), "Live")
		if len(entered) != 0 {
			t.Error("case 40: an event is handled again")
		}

		// Case 41: what was delivered and not handled comes again, then the new.
		appendTo(t, db, "bank-1", 1)
		await(t, entered, "event 6")
		p.stop(t)
		appendTo(t, db, "bank-1", 1)
		fourth := &recorder{}
		p = run(t, newSubscription(t, db, "resumed", fourth.handle, subscribe.Config{}))
		if diff := cmp.Diff([]uint64{6, 7}, positions(fourth.await(t, 2))); diff != "" {
			t.Errorf("case 41: %s", diff)
		}
		p.stop(t)
	})
}
