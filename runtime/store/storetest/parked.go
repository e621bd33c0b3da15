package storetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// parked is an event that waits.
func parked(key string, at uint64) store.Parked {
	return store.Parked{
		Key: key, At: at, Stream: "bank-" + strconv.FormatUint(at, 10), Version: 3, Position: store.Position(at),
		EventID: uuid.New(), Type: "bank.deposited", State: store.ParkedWaiting, Attempts: 2, Error: "sick", Reason: "why",
	}
}

func in(state store.ParkedState, p store.Parked) store.Parked {
	p.State = state
	return p
}

func (f *fixture) park(h store.Hold, events ...store.Parked) {
	f.Helper()
	f.done("park", f.subs().Park(f.ctx, h, events...))
}

// parkedAll lists everything of a subscription.
func (f *fixture) parkedAll(name string) []store.Parked {
	f.Helper()
	return f.parkedOf(store.ParkedQuery{Subscription: name, Lane: -1, Limit: store.MaxListed})
}

func (f *fixture) parkedOf(q store.ParkedQuery) []store.Parked {
	f.Helper()
	page, err := f.subs().Parked(f.ctx, q)
	f.done("parked", err)
	return page
}

func (f *fixture) mark(name, key string, state store.ParkedState) int {
	f.Helper()
	n, err := f.subs().Mark(f.ctx, name, key, state, "as "+string(state))
	f.done("mark", err)
	return n
}

// namesOf are key and place of each.
func namesOf(all []store.Parked) (list []string) {
	for _, p := range all {
		list = append(list, fmt.Sprintf("%s@%d %s", p.Key, p.At, p.State))
	}
	return list
}

// parkedCases: what is parked.
func parkedCases() []contractCase {
	return []contractCase{
		{name: "parked events are kept as they are", run: func(f *fixture) {
			f.opened("s", "all", 0, 0)
			r := f.renew(member("s"))
			h := holds(r)[1]
			first := parked("ключ", 1<<63-1)
			bare := store.Parked{Subscription: "ignored", Lane: 9, Key: "", At: 0, Stream: "x", Type: "t", State: store.ParkedSkipped}
			f.park(h, first, bare)
			got := f.parkedAll("s")
			for i, want := range []store.Parked{bare, first} {
				f.recent("Time", got[i].Time)
				want.Subscription, want.Lane, want.Time = "s", 1, got[i].Time
				f.equal("parked", want, got[i])
			}
			f.done("nothing", f.subs().Park(f.ctx, h))
		}},
		{name: "texts of parked events are cut and cleaned", run: func(f *fixture) {
			h := f.held("s")
			p := parked("k", 1)
			p.Error, p.Reason = strings.Repeat("€", store.MaxErrorBytes), "a\x00b\xff"
			f.park(h, p)
			got := f.parkedAll("s")[0]
			f.equal("error", strings.Repeat("€", store.MaxErrorBytes/3), got.Error)
			f.equal("reason", "a\uFFFDb\uFFFD", got.Reason)
			_, err := f.subs().Mark(f.ctx, "s", "k", store.ParkedDiscarded, "c\x00")
			f.done("mark", err)
			f.equal("marked", "c\uFFFD", f.parkedAll("s")[0].Reason)
		}},
		{name: "parking again replaces", run: func(f *fixture) {
			h := f.held("s")
			f.park(h, parked("k", 1), parked("k", 2))
			again := in(store.ParkedRetry, parked("k", 2))
			again.Attempts, again.Error = 7, "worse"
			f.park(h, again, parked("k", 3))
			got := f.parkedAll("s")
			f.equal("places", []string{"k@1 parked", "k@2 retry", "k@3 parked"}, namesOf(got))
			f.equal("replaced", []any{7, "worse", again.EventID}, []any{got[1].Attempts, got[1].Error, got[1].EventID})
		}},
		{name: "parked events are ordered by key and place", run: func(f *fixture) {
			h := f.held("s")
			f.park(f.held("other"), parked("a", 1))
			all := make([]store.Parked, 0, 24)
			for _, key := range []string{"b", "", "B", "ä", "ab", "a"} {
				for _, at := range []uint64{10, 9, 100, 0} {
					all = append(all, parked(key, at))
				}
			}
			f.park(h, all...)
			want := make([]string, 0, 24)
			for _, key := range []string{"", "B", "a", "ab", "b", "ä"} {
				for _, at := range []uint64{0, 9, 10, 100} {
					want = append(want, fmt.Sprintf("%s@%d parked", key, at))
				}
			}
			f.equal("order", want, namesOf(f.parkedAll("s")))
			for _, states := range [][]store.ParkedState{nil, {store.ParkedWaiting}, {store.ParkedWaiting, store.ParkedRetry}} {
				for limit := 1; limit < len(want)+2; limit += 4 {
					f.equal(fmt.Sprintf("pages of %d", limit), want, namesOf(f.pages(store.ParkedQuery{Subscription: "s", Lane: -1, States: states, Limit: limit})))
				}
			}
			f.equal("of one key", want[:4], namesOf(f.pages(store.ParkedQuery{Subscription: "s", Lane: -1, HasKey: true, Limit: 3})))
			for key := range map[string]bool{"": true, "a": true, "b": true} {
				f.equal("marked", 4, f.mark("s", key, store.ParkedRetry))
			}
			retried := slices.Concat(want[:4], want[8:12], want[16:20])
			for i := range retried {
				retried[i] = strings.Replace(retried[i], "parked", "retry", 1)
			}
			for limit := 1; limit < len(retried)+2; limit += 3 {
				f.equal("to be tried again", retried, namesOf(f.pages(store.ParkedQuery{
					Subscription: "s", Lane: -1, States: []store.ParkedState{store.ParkedRetry}, Limit: limit,
				})))
			}
		}},
		{name: "parked events are selected by lane, key and state", run: func(f *fixture) {
			f.opened("s", "all", 0, 0)
			h := holds(f.renew(member("s")))
			f.park(h[0], parked("a", 1), in(store.ParkedRetry, parked("a", 2)), in(store.ParkedSkipped, parked("b", 3)))
			f.park(h[1], parked("c", 4), in(store.ParkedRetry, parked("c", 5)), in(store.ParkedDiscarded, parked("c", 6)))
			for _, c := range []struct {
				q    store.ParkedQuery
				want []string
			}{
				{store.ParkedQuery{Lane: 0}, []string{"a@1 parked", "a@2 retry", "b@3 skipped"}},
				{store.ParkedQuery{Lane: 1}, []string{"c@4 parked", "c@5 retry", "c@6 discarded"}},
				{store.ParkedQuery{Lane: 7}, nil},
				{store.ParkedQuery{Lane: -1, Key: "b", HasKey: true}, []string{"b@3 skipped"}},
				{store.ParkedQuery{Lane: 1, Key: "b", HasKey: true}, nil},
				{store.ParkedQuery{Lane: -1, Key: "b"}, []string{"a@1 parked", "a@2 retry", "b@3 skipped", "c@4 parked", "c@5 retry", "c@6 discarded"}},
				{store.ParkedQuery{Lane: -1, Key: "", HasKey: true}, nil},
				{store.ParkedQuery{Lane: -1, States: []store.ParkedState{store.ParkedRetry}}, []string{"a@2 retry", "c@5 retry"}},
				{store.ParkedQuery{Lane: 1, States: []store.ParkedState{store.ParkedRetry}}, []string{"c@5 retry"}},
				{store.ParkedQuery{Lane: -1, Key: "a", HasKey: true, States: []store.ParkedState{store.ParkedRetry}}, []string{"a@2 retry"}},
				{store.ParkedQuery{Lane: -1, States: []store.ParkedState{store.ParkedSkipped, store.ParkedDiscarded}}, []string{"b@3 skipped", "c@6 discarded"}},
			} {
				c.q.Subscription, c.q.Limit = "s", 100
				f.equal(fmt.Sprintf("%+v", c.q), c.want, namesOf(f.parkedOf(c.q)))
			}
			f.equal("count of what waits", 4, f.find("s").Parked)
			page, err := f.subs().List(f.ctx, "", 10)
			f.done("list", err)
			f.equal("count in the list", 4, page[0].Parked)
		}},
		{name: "unparking removes one event", run: func(f *fixture) {
			h := f.held("s")
			f.park(h, parked("k", 1), parked("k", 2), parked("l", 1))
			for range 2 { // the reply was lost
				f.done("unpark", f.subs().Unpark(f.ctx, h, "k", 1))
			}
			f.done("unpark what is not there", f.subs().Unpark(f.ctx, h, "m", 1))
			f.equal("left", []string{"k@2 parked", "l@1 parked"}, namesOf(f.parkedAll("s")))
			f.equal("count", 2, f.find("s").Parked)
		}},
		{name: "marking changes what waits of a key", run: func(f *fixture) {
			h := f.held("s")
			f.park(h, parked("k", 1), in(store.ParkedRetry, parked("k", 2)), in(store.ParkedSkipped, parked("k", 3)),
				in(store.ParkedDiscarded, parked("k", 4)), parked("l", 5))
			f.equal("marked", 2, f.mark("s", "k", store.ParkedRetry))
			f.equal("states", []string{"k@1 retry", "k@2 retry", "k@3 skipped", "k@4 discarded", "l@5 parked"}, namesOf(f.parkedAll("s")))
			f.equal("marked again", 2, f.mark("s", "k", store.ParkedDiscarded))
			all := f.parkedAll("s")
			f.equal("states", []string{"k@1 discarded", "k@2 discarded", "k@3 skipped", "k@4 discarded", "l@5 parked"}, namesOf(all))
			f.equal("reasons", []string{"as discarded", "as discarded", "why", "why", "why"},
				[]string{all[0].Reason, all[1].Reason, all[2].Reason, all[3].Reason, all[4].Reason})
			f.equal("error", "sick", all[0].Error)
			f.recent("Time", all[0].Time)
			f.equal("nothing waits", 0, f.mark("s", "k", store.ParkedRetry))
			f.equal("no such key", 0, f.mark("s", "nobody", store.ParkedRetry))
			f.equal("count", 1, f.find("s").Parked)
		}},
		{name: "many events are parked in one call", run: func(f *fixture) {
			h := f.held("s")
			all := make([]store.Parked, 2_000)
			for i := range all {
				all[i] = parked(strconv.Itoa(i%10), uint64(i+1))
			}
			f.park(h, all...)
			f.equal("count", len(all), f.find("s").Parked)
			f.equal("of a key", 200, f.mark("s", "3", store.ParkedRetry))
		}},
	}
}

// pages lists page after page.
func (f *fixture) pages(q store.ParkedQuery) (all []store.Parked) {
	f.Helper()
	for {
		page := f.parkedOf(q)
		all = append(all, page...)
		if len(page) < q.Limit {
			return all
		}
		last := page[len(page)-1]
		q.AfterKey, q.AfterAt, q.More = last.Key, last.At, true
	}
}

// managementCases: what operators do.
func managementCases() []contractCase {
	interfere := map[string]func(f *fixture) error{
		"pausing":  func(f *fixture) error { return f.subs().Pause(f.ctx, "s", true) },
		"resuming": func(f *fixture) error { return f.subs().Pause(f.ctx, "s", false) },
		"resetting": func(f *fixture) error {
			return f.subs().Reset(f.ctx, "s", f.at("s"), false)
		},
		"renaming": func(f *fixture) error { return f.subs().Rename(f.ctx, "s", "t") },
		"deleting": func(f *fixture) error { return f.subs().Delete(f.ctx, "s") },
	}
	var cases []contractCase
	for _, name := range []string{"pausing", "resuming", "resetting", "renaming", "deleting"} {
		cases = append(cases, contractCase{name: name + " a subscription takes its lanes from their owners", run: func(f *fixture) {
			f.opened("s", "all", 0, 0)
			m := member("s")
			r := f.renew(m)
			f.done(name, interfere[name](f))
			for _, h := range holds(r) {
				f.fencedEverywhere(h)
				h.Subscription = "t"
				f.fencedEverywhere(h)
			}
			if name == "resuming" || name == "resetting" {
				for i, l := range f.renew(m).Lanes {
					if l.Token <= r.Lanes[i].Token {
						f.Errorf("the token was %d and is %d", r.Lanes[i].Token, l.Token)
					}
				}
			} else if n := len(f.renew(m).Lanes); n != 0 {
				f.Errorf("the member still has %d lanes", n)
			}
		}})
	}
	for _, name := range []string{"resuming", "resetting", "renaming"} {
		cases = append(cases, contractCase{name: "after " + name + " a subscription its lanes are nobody's but their owner's, who may not know it", run: func(f *fixture) {
			now := "s"
			if name == "renaming" {
				now = "t"
			}
			f.opened("s", "all", 0, 0)
			m, other := member("s", "t"), member("s", "t")
			f.equal("owner", 2, len(f.renew(m).Lanes))
			f.done(name, interfere[name](f))
			f.equal("another one, at once", 0, len(f.renew(other).Lanes))
			f.equal("the owner, which knows it now", 1, len(f.renew(m).Lanes))
			f.done("leave", f.subs().Leave(f.ctx, m.ID))
			f.equal("another one, when the owner has left", 2, len(f.renew(other).Lanes))
			f.equal("lanes", other.ID, f.find(now).Lanes[0].Owner)
		}})
	}
	return append(cases, []contractCase{
		{name: "lanes that were taken from an owner that does not come back are somebody's in the end", run: func(f *fixture) {
			f.opened("s", "all", 0)
			m := member("s")
			m.Lease = 500 * time.Millisecond
			f.renew(m)
			f.done("reset", f.subs().Reset(f.ctx, "s", 5, false))
			other := member("s")
			f.until("another member has the lane", func() bool { return len(f.renew(other).Lanes) == 1 })
		}},
		{name: "a paused subscription stays as it is until it is resumed", run: func(f *fixture) {
			f.opened("s", "all", 0)
			m := member("s")
			h := only(f, f.renew(m))
			f.advance(h, 0, 4)
			f.park(h, parked("k", 3))
			for _, paused := range []bool{true, true, false, false} {
				f.done("pause", f.subs().Pause(f.ctx, "s", paused))
				s := f.find("s")
				f.equal("s", []any{paused, 1, uint64(4), uuid.Nil}, []any{s.Paused, s.Parked, s.Lanes[0].At, s.Lanes[0].Owner})
			}
			only(f, f.renew(m))
		}},
		{name: "resetting moves all lanes, also back", run: func(f *fixture) {
			f.opened("s", "all", 5, 50)
			f.opened("other", "all", 9)
			h := holds(f.renew(member("s")))
			f.park(h[0], parked("k", 3), in(store.ParkedSkipped, parked("k", 4)))
			f.done("reset", f.subs().Reset(f.ctx, "s", 20, false))
			s := f.find("s")
			f.recent("Changed", s.Lanes[0].Changed)
			f.equal("forward", []any{uint64(20), uint64(20), 1}, []any{s.Lanes[0].At, s.Lanes[1].At, s.Parked})
			f.equal("kept", 2, len(f.parkedAll("s")))
			for range 2 { // the reply was lost
				f.done("reset", f.subs().Reset(f.ctx, "s", 0, true))
			}
			s = f.find("s")
			f.equal("back", []any{uint64(0), uint64(0), 0, 0}, []any{s.Lanes[0].At, s.Lanes[1].At, s.Parked, len(f.parkedAll("s"))})
			f.equal("other", uint64(9), f.at("other"))
			f.done("resets a paused one", f.subs().Pause(f.ctx, "s", true))
			f.done("reset", f.subs().Reset(f.ctx, "s", 1<<63-1, true))
			f.equal("paused", []any{true, uint64(1<<63 - 1)}, []any{f.find("s").Paused, f.at("s")})
		}},
		{name: "renaming keeps everything but the name", run: func(f *fixture) {
			h := f.held("s")
			f.opened("taken", "all", 7)
			f.advance(h, 0, 4)
			f.park(h, parked("k", 3))
			before := f.find("s")
			for _, name := range []string{"taken", "s"} {
				err := f.subs().Rename(f.ctx, "s", name)
				if e, ok := as[*store.SubscriptionExistsError](err); !ok || e.Name != name {
					f.Errorf("rename to %s: %v, want a SubscriptionExistsError", name, err)
				}
			}
			f.equal("refused", before, f.find("s"))
			f.done("rename", f.subs().Rename(f.ctx, "s", "t"))
			_, err := f.subs().Find(f.ctx, "s")
			f.missing("Find", "s", err)
			f.missing("Rename", "s", f.subs().Rename(f.ctx, "s", "u"))
			after := f.find("t")
			l := after.Lanes[0]
			f.equal("lane", store.Lane{Subscription: "t", At: 4, Token: l.Token, Changed: before.Lanes[0].Changed}, l)
			f.equal("rest", []any{before.Settings, before.Created, 1, false}, []any{after.Settings, after.Created, after.Parked, after.Paused})
			f.equal("parked", "t", f.parkedAll("t")[0].Subscription)
			f.equal("the name is free", uint64(8), f.opened("s", "others", 8, 8).Lanes[0].At)
			f.equal("nothing is parked", 0, len(f.parkedAll("s")))
			f.equal("taken", uint64(7), f.at("taken"))
			f.equal("owner", 1, len(f.renew(member("s")).Lanes))
			f.fencedEverywhere(h)
		}},
		{name: "deleting a subscription while it is held ends it", run: func(f *fixture) {
			f.opened("s", "all", 3)
			f.opened("other", "all", 0)
			m := member("s", "other")
			r := f.renew(m)
			for _, l := range r.Lanes {
				f.park(holdOf(l), parked("k", 3))
			}
			f.done("delete", f.subs().Delete(f.ctx, "s"))
			f.missing("Delete", "s", f.subs().Delete(f.ctx, "s"))
			after := f.renew(m)
			f.equal("shares", []store.Share{{Subscription: "s", Missing: true}, {Subscription: "other", Lanes: 1}}, after.Shares)
			f.equal("the other", "other", only(f, after).Subscription)
			s := f.opened("s", "new", 0, 0)
			f.equal("begun anew", []any{"new", 2, 0, 0}, []any{s.Settings, len(s.Lanes), s.Parked, len(f.parkedAll("s"))})
			f.equal("parked of the other", 1, f.find("other").Parked)
			f.renew(m) // it has lanes of the new one
			for _, l := range r.Lanes {
				if l.Subscription == "s" {
					f.fencedEverywhere(holdOf(l))
				}
			}
		}},
		{name: "a hold of a deleted subscription is void in a new one of its name", run: func(f *fixture) {
			m := member("s")
			f.opened("s", "all", 0)
			old := only(f, f.renew(m))
			f.done("delete", f.subs().Delete(f.ctx, "s"))
			for range 2 {
				f.opened("s", "all", 0)
				now := only(f, f.renew(m))
				if now.Token <= old.Token {
					f.Errorf("the token was %d and is %d", old.Token, now.Token)
				}
				f.fencedEverywhere(old)
				f.equal("hold", now, only(f, f.renew(m)))
				f.advance(now, 0, 5)
				old = now
				f.done("delete", f.subs().Delete(f.ctx, "s"))
			}
		}},
		{name: "operators and owners at once leave nothing half done", run: interferes},
	}...)
}

// interferes lets operators pause, resume, reset and delete while members renew: a
// paused or deleted subscription has no owner afterwards.
func interferes(f *fixture) {
	stores := f.stores()
	for round := range 10 {
		f.opened("s", "all", make([]uint64, 4)...)
		paused := round%2 == 0
		f.together(6, func(i int) {
			k := stores[i%len(stores)].subs()
			var err error
			switch i {
			case 0:
				err = k.Pause(f.ctx, "s", true)
			case 1:
				err = k.Reset(f.ctx, "s", 7, true)
			default:
				m := member("s")
				m.Lease = time.Minute
				for range 4 {
					if _, err = k.Renew(f.ctx, m); err != nil {
						break
					}
				}
			}
			if err != nil {
				f.Errorf("worker %d: %v", i, err)
			}
		})
		s := f.find("s")
		for _, l := range s.Lanes {
			if l.Owner != uuid.Nil || l.At != 7 || !s.Paused {
				f.Fatalf("after pausing and resetting under renewals the lane is %+v, paused %t", l, s.Paused)
			}
		}
		if !paused {
			f.done("delete", f.subs().Delete(f.ctx, "s"))
		} else {
			f.done("resume", f.subs().Pause(f.ctx, "s", false))
			f.done("reset", f.subs().Reset(f.ctx, "s", 0, true))
		}
	}
}
