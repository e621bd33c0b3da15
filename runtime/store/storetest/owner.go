package storetest

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// dying is a member whose lease ends almost as it begins. The store's clock decides:
// no case waits for a time, but for what comes of it.
func dying(m store.Member) store.Member {
	m.Lease = time.Millisecond
	return m
}

// patience is how long a case waits for what a store's clock decides.
const patience = 10 * time.Second

// ownerCases: who has which lane.
func ownerCases() []contractCase {
	return []contractCase{
		{name: "a member that is alone gets all lanes", run: func(f *fixture) {
			f.opened("t", "all", 0)
			f.opened("s", "all", 4, 5, 6)
			f.opened("others", "all", 0)
			m := member("t", "s")
			r := f.renew(m)
			f.equal("shares", []store.Share{{Subscription: "t", Lanes: 1}, {Subscription: "s", Lanes: 3}}, r.Shares)
			f.equal("lanes", append(slices.Clone(f.find("s").Lanes), f.find("t").Lanes...), sorted(r.Lanes))
			for _, l := range r.Lanes {
				f.equal("owner", []any{m.ID, m.Label}, []any{l.Owner, l.Label})
				if left := time.Until(l.Expires); left < 50*time.Minute || left > 70*time.Minute || l.Expires.Location() != time.UTC {
					f.Errorf("the membership ends at %s, want in an hour", l.Expires)
				}
			}
			if r.Epoch == uuid.Nil {
				f.Error("the epoch is nil")
			}
			again := f.renew(m)
			f.equal("epoch", r.Epoch, again.Epoch)
			f.equal("holds", holds(r), holds(again))
			f.equal("who else", uuid.Nil, f.find("others").Lanes[0].Owner)
			f.equal("nothing", 0, len(f.renew(member()).Lanes))
		}},
		{name: "lanes are divided among living members in the order of their ids", run: dividesLanes},
		{name: "members that run other subscriptions do not count", run: func(f *fixture) {
			f.opened("s", "all", 0, 0)
			f.opened("t", "all", 0)
			f.renew(member("t"))
			f.renew(member("t", "missing"))
			f.equal("lanes", 2, len(f.renew(member("s")).Lanes))
		}},
		{name: "a member that no longer runs a subscription does not count, and has its lanes until it releases them", run: func(f *fixture) {
			f.opened("s", "all", 0)
			m := member("s")
			h := only(f, f.renew(m))
			m.Runs = nil
			f.equal("still", h, only(f, f.renew(m)))
			other := member("s")
			r := f.renew(other)
			f.equal("due and had", []int{1, 0}, []int{r.Shares[0].Lanes, len(r.Lanes)})
			f.done("release", f.subs().Release(f.ctx, h))
			only(f, f.renew(other))
		}},
		{name: "nothing is taken from a living owner", run: func(f *fixture) {
			f.opened("s", "all", 0, 0, 0, 0)
			m := member("s")
			first := f.renew(m)
			for range 5 {
				other := f.renew(member("s"))
				f.equal("taken", 0, len(other.Lanes))
			}
			f.equal("kept", holds(first), holds(f.renew(m)))
		}},
		{name: "lanes of a member that has ended are taken over", run: takesOver},
		{name: "a member that renews late keeps what nobody has taken", run: func(f *fixture) {
			f.opened("s", "all", 0)
			m := member("s")
			h := only(f, f.renew(dying(m)))
			f.expired("s")
			f.advance(h, 0, 3) // late, but nobody is harmed
			again := f.renew(m)
			f.equal("hold", h, only(f, again))
			f.equal("at", uint64(3), again.Lanes[0].At)
		}},
		{name: "a renewal that is late in its own lease counts the member", run: func(f *fixture) {
			f.opened("s", "all", 0)
			r := f.renew(dying(member("s")))
			f.equal("due", 1, r.Shares[0].Lanes)
		}},
		{name: "paused and missing subscriptions give no lanes", run: func(f *fixture) {
			f.opened("p", "all", 0)
			f.done("pause", f.subs().Pause(f.ctx, "p", true))
			m := member("missing", "p")
			r := f.renew(m)
			f.equal("shares", []store.Share{{Subscription: "missing", Missing: true}, {Subscription: "p", Paused: true}}, r.Shares)
			f.equal("lanes", 0, len(r.Lanes))
			f.opened("missing", "all", 0)
			f.done("resume", f.subs().Pause(f.ctx, "p", false))
			f.equal("lanes", 2, len(f.renew(m).Lanes))
		}},
		{name: "released lanes are free at once, and the hold is void", run: func(f *fixture) {
			f.opened("s", "all", 0, 0, 0)
			m, other := member("s"), member("s")
			r := f.renew(m)
			f.equal("due", 0, len(f.renew(other).Lanes))
			released := holds(r)[1]
			f.advance(released, 0, 2)
			never := store.Hold{Subscription: "never", Token: 1}
			for range 2 { // the reply was lost
				f.done("release", f.subs().Release(f.ctx, never, released))
			}
			if l := f.find("s").Lanes[1]; l.Owner != uuid.Nil || l.Label != "" || !l.Expires.IsZero() || l.Token <= released.Token {
				f.Errorf("after the release under token %d the lane is %+v", released.Token, l)
			}
			f.fencedEverywhere(released)
			next := only(f, f.renew(other))
			f.equal("lane", 1, next.Lane)
			f.fencedEverywhere(released)
			f.advance(next, 2, 3)
			// A late release takes nothing from the next owner.
			f.done("release", f.subs().Release(f.ctx, released))
			f.equal("still", next, only(f, f.renew(other)))
			f.done("no lanes", f.subs().Release(f.ctx))
		}},
		{name: "who leaves gives up everything at once", run: func(f *fixture) {
			f.opened("s", "all", 0, 0)
			f.opened("t", "all", 0)
			m, stays := member("s", "t"), member("t")
			r := f.renew(m)
			f.renew(stays)
			for range 2 { // the reply was lost
				f.leave(m)
			}
			for _, h := range holds(r) {
				f.fencedEverywhere(h)
			}
			next := f.renew(member("s"))
			f.equal("due and had", []int{2, 2}, []int{next.Shares[0].Lanes, len(next.Lanes)})
			only(f, f.renew(stays))
			f.leave(member())
		}},
		{name: "no lane has two owners", run: noTwoOwners},
	}
}

func sorted(all []store.Lane) []store.Lane {
	slices.SortFunc(all, func(a, b store.Lane) int {
		if a.Subscription != b.Subscription {
			return slices.Compare([]string{a.Subscription}, []string{b.Subscription})
		}
		return a.Lane - b.Lane
	})
	return all
}

// dividesLanes lets members join and leave until everybody has what is due.
func dividesLanes(f *fixture) {
	const all = 7
	f.opened("s", "all", make([]uint64, all)...)
	members := make([]store.Member, 4)
	for i := range members {
		members[i] = member("s")
	}
	slices.SortFunc(members, func(a, b store.Member) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, living := range [][]int{{2}, {0, 2}, {0, 1, 2}, {0, 1, 2, 3}, {1, 3}, {0, 1, 3}, {3}} {
		for i := range members {
			if !slices.Contains(living, i) {
				f.leave(members[i])
			}
		}
		var got, due []int
		for round := range 3 {
			got, due = nil, nil
			for _, i := range living {
				r := f.renew(members[i])
				if over := len(r.Lanes) - r.Shares[0].Lanes; over > 0 && round < 2 {
					f.done("release", f.subs().Release(f.ctx, holds(r)[:over]...))
				}
				got, due = append(got, len(r.Lanes)), append(due, r.Shares[0].Lanes)
			}
		}
		want := make([]int, len(living))
		for i := range want {
			want[i] = all / len(living)
			if i < all%len(living) {
				want[i]++
			}
		}
		f.equal("due", want, due)
		f.equal("had", want, got)
	}
}

// expired waits until the owner of the first lane has ended.
func (f *fixture) expired(name string) {
	f.Helper()
	f.until("the owner of "+name+" ends", func() bool {
		l := f.find(name).Lanes[0]
		return l.Owner != uuid.Nil && !l.Expires.IsZero() && time.Since(l.Expires) > 100*time.Millisecond
	})
}

// until waits for what the store's clock decides.
func (f *fixture) until(what string, done func() bool) {
	f.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	over := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-over:
			f.Fatalf("in %s it did not come about that %s", patience, what)
		}
	}
}

func takesOver(f *fixture) {
	f.opened("s", "all", 0, 0)
	old, next := member("s"), member("s")
	lost := f.renew(dying(old))
	f.equal("lanes", 2, len(lost.Lanes))
	f.advance(holds(lost)[0], 0, 5)
	f.done("report", f.subs().Report(f.ctx, holds(lost)[0], "sick"))
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	over := time.After(patience)
	var r store.Renewal
	for r = f.renew(next); len(r.Lanes) < 2; r = f.renew(next) {
		select {
		case <-tick.C:
		case <-over:
			f.Fatalf("the lanes of a member that has ended are not taken: %+v", r)
		}
	}
	for i, h := range holds(r) {
		if was := holds(lost)[i]; h.Token <= was.Token {
			f.Errorf("lane %d went over with token %d, it was %d", i, h.Token, was.Token)
		}
	}
	f.equal("at", []uint64{5, 0}, []uint64{r.Lanes[0].At, r.Lanes[1].At})
	f.equal("error", "", r.Lanes[0].Error)
	for _, h := range holds(lost) {
		f.fencedEverywhere(h)
	}
	back := f.renew(old)
	f.equal("back: due and had", []int{1, 0}, []int{back.Shares[0].Lanes, len(back.Lanes)})
	f.advance(holds(r)[0], 5, 6)
}

// noTwoOwners lets members of several processes renew, release, leave, and be late,
// all at once: no token of a lane is ever given to two of them, and in the end
// everything is divided.
func noTwoOwners(f *fixture) {
	const members, all, rounds = 6, 9, 30
	f.opened("s", "all", make([]uint64, all)...)
	stores := f.stores()
	var mu sync.Mutex
	owners := map[store.Hold]uuid.UUID{}
	random := seeded(f)
	seeds := make([]int, members*rounds)
	for i := range seeds {
		seeds[i] = random.IntN(10)
	}
	everybody := make([]store.Member, members)
	for i := range everybody {
		everybody[i] = member("s")
	}
	f.together(members, func(i int) {
		k, m := stores[i%len(stores)].subs(), everybody[i]
		for round := range rounds {
			choice := seeds[i*rounds+round]
			late := m
			if choice < 3 {
				late = dying(m)
			}
			r, err := k.Renew(f.ctx, late)
			if err != nil {
				f.Errorf("renew: %v", err)
				return
			}
			mu.Lock()
			for _, h := range holds(r) {
				if owner, ok := owners[h]; ok && owner != m.ID {
					f.Errorf("token %d of lane %d was given to two members", h.Token, h.Lane)
				}
				owners[h] = m.ID
			}
			mu.Unlock()
			for _, l := range r.Lanes {
				err := patient(func() error { return k.Advance(f.ctx, store.Move{Hold: holdOf(l), From: l.At, To: l.At + 1}) })
				if _, fenced := as[*store.FencedError](err); err != nil && (!fenced || choice >= 3) {
					f.Errorf("advance of a lane that was just given to a living member: %v", err)
				}
			}
			if over := len(r.Lanes) - r.Shares[0].Lanes; over > 0 {
				if err := patient(func() error { return k.Release(f.ctx, holds(r)[:over]...) }); err != nil {
					f.Errorf("release: %v", err)
				}
			}
			if choice == 9 {
				if err := k.Leave(f.ctx, m.ID); err != nil {
					f.Errorf("leave: %v", err)
				}
			}
		}
	})
	for range 3 {
		for _, m := range everybody {
			r := f.renew(m)
			if over := len(r.Lanes) - r.Shares[0].Lanes; over > 0 {
				f.done("release", f.subs().Release(f.ctx, holds(r)[:over]...))
			}
		}
	}
	have := map[uuid.UUID]int{}
	for _, l := range f.find("s").Lanes {
		have[l.Owner]++
	}
	for _, m := range everybody {
		if n := have[m.ID]; n < all/members || n > all/members+1 {
			f.Errorf("a member has %d lanes of %d in the end, want %d or one more", n, all, all/members)
		}
	}
}

// patient calls f until no other transaction has a lane of it locked.
func patient(f func() error) (err error) {
	for range 10_000 {
		if err = f(); err == nil {
			return nil
		}
		if _, locked := as[*store.LockedError](err); !locked {
			return err
		}
	}
	return err
}
