package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func (f *fixture) subs() store.Subscriptions { return f.store.Subscriptions() }

// lanes are new ones at these places.
func lanes(places ...uint64) []store.Lane {
	all := make([]store.Lane, len(places))
	for i, at := range places {
		all[i].At = at
	}
	return all
}

// opened opens a subscription, or fails.
func (f *fixture) opened(name, settings string, places ...uint64) store.Subscription {
	f.Helper()
	s, err := f.subs().Open(f.ctx, store.Subscription{Name: name, Settings: settings, Lanes: lanes(places...)})
	if err != nil {
		f.Fatalf("open subscription %s: %v", name, err)
	}
	return s
}

func (f *fixture) find(name string) store.Subscription {
	f.Helper()
	s, err := f.subs().Find(f.ctx, name)
	if err != nil {
		f.Fatalf("find subscription %s: %v", name, err)
	}
	return s
}

// at is where the first lane stands.
func (f *fixture) at(name string) uint64 {
	f.Helper()
	return f.find(name).Lanes[0].At
}

// member is a new one that lives longer than any case.
func member(runs ...string) store.Member {
	return store.Member{ID: uuid.New(), Label: "host 17 bank", Lease: time.Hour, Runs: runs}
}

func (f *fixture) renew(m store.Member) store.Renewal {
	f.Helper()
	r, err := f.subs().Renew(f.ctx, m)
	if err != nil {
		f.Fatalf("renew a member of %q: %v", m.Runs, err)
	}
	if len(r.Shares) != len(m.Runs) {
		f.Fatalf("the renewal of a member of %q has shares %+v, want one of each, in that order", m.Runs, r.Shares)
	}
	for i, name := range m.Runs {
		if r.Shares[i].Subscription != name {
			f.Fatalf("the renewal of a member of %q has shares %+v, want one of each, in that order", m.Runs, r.Shares)
		}
	}
	return r
}

func (f *fixture) leave(m store.Member) {
	f.Helper()
	f.done("leave", f.subs().Leave(f.ctx, m.ID))
}

// done fails if a call did.
func (f *fixture) done(what string, err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("%s: %v", what, err)
	}
}

func holdOf(l store.Lane) store.Hold {
	return store.Hold{Subscription: l.Subscription, Lane: l.Lane, Token: l.Token}
}

func holds(r store.Renewal) (all []store.Hold) {
	for _, l := range r.Lanes {
		all = append(all, holdOf(l))
	}
	return all
}

// only is the one lane of a renewal.
func only(f *fixture, r store.Renewal) store.Hold {
	f.Helper()
	if len(r.Lanes) != 1 {
		f.Fatalf("the renewal has lanes %+v, want one", r.Lanes)
	}
	return holdOf(r.Lanes[0])
}

// held opens a subscription of one lane and lets a new member have it.
func (f *fixture) held(name string) store.Hold {
	f.Helper()
	f.opened(name, "all", 0)
	return only(f, f.renew(member(name)))
}

func (f *fixture) advance(h store.Hold, from, to uint64) {
	f.Helper()
	f.done(fmt.Sprintf("advance lane %d of %s from %d to %d", h.Lane, h.Subscription, from, to),
		f.subs().Advance(f.ctx, store.Move{Hold: h, From: from, To: to}))
}

// fenced checks that err names exactly these lanes.
func (f *fixture) fenced(err error, want ...store.Hold) {
	f.Helper()
	e, ok := as[*store.FencedError](err)
	if !ok || !errors.Is(err, store.ErrFenced) || store.Retryable(err) {
		f.Fatalf("got %v (%T), want a FencedError", err, err)
	}
	f.equal("fenced lanes", want, e.Holds)
}

// missing checks that err says that there is no such subscription.
func (f *fixture) missing(what, name string, err error) {
	f.Helper()
	e, ok := as[*store.SubscriptionNotFoundError](err)
	if !ok || e.Name != name || !errors.Is(err, store.ErrSubscriptionNotFound) || store.Retryable(err) {
		f.Errorf("%s: %v (%T), want a SubscriptionNotFoundError of %q", what, err, err, name)
	}
}

// recent checks that a time is now, in UTC.
func (f *fixture) recent(what string, t time.Time) {
	f.Helper()
	if age := time.Since(t); age < -time.Minute || age > caseTimeout+time.Minute || t.Location() != time.UTC {
		f.Errorf("%s is %s, want now in UTC", what, t)
	}
}

// stores are handles as several processes have them, if the store can be shared.
func (f *fixture) stores() []*fixture {
	if f.setup.Declares.Has(store.SeveralProcesses) {
		return []*fixture{f, f.another()}
	}
	return []*fixture{f}
}

// subscriptionCases: what is stored of subscriptions.
func subscriptionCases() []contractCase {
	return []contractCase{
		{name: "opening a subscription stores it once", run: func(f *fixture) {
			const settings = `{"category":"bänk"}`
			first := f.opened("balances", settings, 7, 0, 1<<63-1)
			f.recent("Created", first.Created)
			f.equal("name and settings", []string{"balances", settings}, []string{first.Name, first.Settings})
			f.equal("paused and parked", []any{false, 0}, []any{first.Paused, first.Parked})
			for i, at := range []uint64{7, 0, 1<<63 - 1} {
				l := first.Lanes[i]
				f.recent("Changed", l.Changed)
				f.equal("lane", store.Lane{Subscription: "balances", Lane: i, At: at, Token: l.Token, Changed: l.Changed}, l)
			}
			f.equal("opened again", first, f.opened("balances", "others", 99))
			f.equal("found", first, f.find("balances"))
			f.equal("lanes", 3, len(first.Lanes))
			// Names differ by their bytes.
			f.equal("another one", uint64(3), f.opened("Balances", "", 3).Lanes[0].At)
			f.equal("the first", first, f.find("balances"))
		}},
		{name: "what an opener says of owners is not stored", run: func(f *fixture) {
			s, err := f.subs().Open(f.ctx, store.Subscription{Name: "s", Paused: false, Parked: 5, Lanes: []store.Lane{
				{Subscription: "t", Lane: 9, At: 4, Token: 3, Owner: uuid.New(), Error: "sick"}, {At: 5},
			}})
			f.done("open", err)
			f.equal("lane", store.Lane{Subscription: "s", At: 4, Token: s.Lanes[0].Token, Changed: s.Lanes[0].Changed}, s.Lanes[0])
			f.equal("numbers and parked", []int{0, 1, 0}, []int{s.Lanes[0].Lane, s.Lanes[1].Lane, s.Parked})
		}},
		{name: "of concurrent opens of a subscription one stores", run: opensOnce},
		{name: "a subscription that is not there is not found", run: func(f *fixture) {
			f.held("other")
			_, err := f.subs().Find(f.ctx, "nobody")
			f.missing("Find", "nobody", err)
			_, err = f.subs().Parked(f.ctx, store.ParkedQuery{Subscription: "nobody", Limit: 1})
			f.missing("Parked", "nobody", err)
			_, err = f.subs().Parked(f.ctx, store.ParkedQuery{Subscription: "nobody", States: []store.ParkedState{store.ParkedRetry}, Lane: -1, Limit: 1})
			f.missing("Parked to be tried again", "nobody", err)
			_, err = f.subs().Mark(f.ctx, "nobody", "k", store.ParkedRetry, "")
			f.missing("Mark", "nobody", err)
			f.missing("Pause", "nobody", f.subs().Pause(f.ctx, "nobody", true))
			f.missing("Reset", "nobody", f.subs().Reset(f.ctx, "nobody", 0, true))
			f.missing("Rename", "nobody", f.subs().Rename(f.ctx, "nobody", "other"))
			f.missing("Delete", "nobody", f.subs().Delete(f.ctx, "nobody"))
		}},
		{name: "subscriptions are listed in the order of the bytes of their names", run: func(f *fixture) {
			names := []string{"B", "a", "a-b", "a-b-c", "aB", "ab", "b", "ä", "\U00010000"}
			for _, i := range []int{4, 8, 0, 2, 7, 1, 5, 3, 6} {
				f.opened(names[i], "all", uint64(i), 1)
			}
			for limit := 1; limit <= len(names)+1; limit++ {
				var listed []string
				for after := ""; ; {
					page, err := f.subs().List(f.ctx, after, limit)
					f.done("list", err)
					if len(page) > limit {
						f.Fatalf("a page has %d subscriptions, want %d at most", len(page), limit)
					}
					for _, s := range page {
						f.equal("listed", f.find(s.Name), s)
						listed = append(listed, s.Name)
					}
					if len(page) < limit {
						break
					}
					after = page[len(page)-1].Name
				}
				f.equal(fmt.Sprintf("listed by %d", limit), names, listed)
			}
			page, err := f.subs().List(f.ctx, "aa", 2)
			f.done("list", err)
			f.equal("after a name that is not there", []string{"ab", "b"}, []string{page[0].Name, page[1].Name})
		}},
		{name: "bad input about subscriptions is refused", run: refusesBadSubscriptions},
		{name: "subscriptions say that a context has ended", run: func(f *fixture) {
			h := f.held("s")
			f.park(h, parked("k", 1))
			before := f.find("s")
			for _, c := range ended(f) {
				for call, err := range f.calls(c.ctx, h, "s", "new") {
					c.saidBy(f, call, err)
				}
			}
			f.equal("s", before, f.find("s"))
			_, err := f.subs().Find(f.ctx, "new")
			f.missing("Find", "new", err)
		}},
	}
}

func opensOnce(f *fixture) {
	const openers = 16
	stores := f.stores()
	opened := make([]store.Subscription, openers)
	f.together(openers, func(i int) {
		var err error
		opened[i], err = stores[i%len(stores)].subs().Open(f.ctx, store.Subscription{Name: "s", Settings: strconv.Itoa(i), Lanes: lanes(uint64(i), uint64(i))})
		if err != nil {
			f.Errorf("opener %d: %v", i, err)
		}
	})
	stored := f.find("s")
	for _, s := range opened {
		f.equal("opened", stored, s)
	}
	f.equal("one opener's", []any{2, stored.Settings, stored.Settings},
		[]any{len(stored.Lanes), strconv.FormatUint(stored.Lanes[0].At, 10), strconv.FormatUint(stored.Lanes[1].At, 10)})
}

func refusesBadSubscriptions(f *fixture) {
	h := f.held("s")
	f.park(h, parked("k", 1))
	before := f.find("s")
	bad := func(what string, err error) {
		f.Helper()
		if !errors.Is(err, store.ErrInvalid) || store.Retryable(err) {
			f.Errorf("%s: %v, want an InvalidError", what, err)
		}
	}
	long := strings.Repeat("n", store.MaxNameBytes+1)
	for _, name := range []string{"", long, "a\x00b", "a\xff"} {
		bad(fmt.Sprintf("Open %.9q", name), second(f.subs().Open(f.ctx, store.Subscription{Name: name, Lanes: lanes(0)})))
		for call, err := range f.calls(f.ctx, store.Hold{Subscription: name, Token: h.Token}, name, name) {
			if name == "" && call == "List" { // from the beginning
				continue
			}
			bad(fmt.Sprintf("%s of %.9q", call, name), err)
		}
		bad("Rename to it", f.subs().Rename(f.ctx, "s", name))
		if name != "" {
			bad("Park under it", f.subs().Park(f.ctx, h, parked(name, 1)))
			bad("Unpark of it", f.subs().Unpark(f.ctx, h, name, 1))
			bad("Mark of it", second(f.subs().Mark(f.ctx, "s", name, store.ParkedRetry, "")))
			bad("Parked of it", second(f.subs().Parked(f.ctx, store.ParkedQuery{Subscription: "s", Key: name, HasKey: true, Limit: 1})))
			m := member("s")
			m.Label = name
			bad("Renew with it as label", second(f.subs().Renew(f.ctx, m)))
		}
	}
	f.equal("the longest name", long[1:], f.opened(long[1:], "", 0).Name)
	const beyond = 1 << 63
	for what, s := range map[string]store.Subscription{
		"no lanes":        {Name: "t"},
		"too many lanes":  {Name: "t", Lanes: make([]store.Lane, store.MaxLanes+1)},
		"settings, NUL":   {Name: "t", Settings: "a\x00", Lanes: lanes(0)},
		"settings, bytes": {Name: "t", Settings: "a\xff", Lanes: lanes(0)},
		"a place beyond":  {Name: "t", Lanes: lanes(0, beyond)},
	} {
		bad("Open with "+what, second(f.subs().Open(f.ctx, s)))
	}
	f.equal("the most lanes", store.MaxLanes, len(f.opened("many", "", make([]uint64, store.MaxLanes)...).Lanes))
	for what, m := range map[string]store.Member{
		"no id":         {Lease: time.Hour, Runs: []string{"s"}},
		"no lease":      {ID: uuid.New(), Runs: []string{"s"}},
		"a short lease": {ID: uuid.New(), Lease: time.Microsecond, Runs: []string{"s"}},
		"a long lease":  {ID: uuid.New(), Lease: store.MaxLease + 1, Runs: []string{"s"}},
		"a name twice":  {ID: uuid.New(), Lease: time.Hour, Runs: []string{"s", "t", "s"}},
	} {
		bad("Renew with "+what, second(f.subs().Renew(f.ctx, m)))
	}
	bad("Leave without an id", f.subs().Leave(f.ctx, uuid.Nil))
	for what, moves := range map[string][]store.Move{
		"back":         {{Hold: h, From: 4, To: 3}},
		"beyond":       {{Hold: h, To: beyond}},
		"of lane -1":   {{Hold: store.Hold{Subscription: "s", Lane: -1, Token: h.Token}, To: 1}},
		"far lane":     {{Hold: store.Hold{Subscription: "s", Lane: store.MaxLanes, Token: h.Token}, To: 1}},
		"token beyond": {{Hold: store.Hold{Subscription: "s", Token: beyond}, To: 1}},
		"a lane twice": {{Hold: h, To: 1}, {Hold: h, From: 1, To: 2}},
	} {
		bad("Advance "+what, f.subs().Advance(f.ctx, moves...))
	}
	bad("Release of lane -1", f.subs().Release(f.ctx, h, store.Hold{Subscription: "s", Lane: -1}))
	bad("Report of lane -1", f.subs().Report(f.ctx, store.Hold{Subscription: "s", Lane: -1}, ""))
	bad("Reset beyond", f.subs().Reset(f.ctx, "s", beyond, true))
	with := func(change func(*store.Parked)) store.Parked {
		p := parked("k", 1)
		change(&p)
		return p
	}
	for what, events := range map[string][]store.Parked{
		"place beyond":  {with(func(p *store.Parked) { p.At = beyond })},
		"no stream":     {with(func(p *store.Parked) { p.Stream = "" })},
		"no type":       {with(func(p *store.Parked) { p.Type = "" })},
		"bad version":   {with(func(p *store.Parked) { p.Version = -1 })},
		"bad position":  {with(func(p *store.Parked) { p.Position = beyond })},
		"bad attempts":  {with(func(p *store.Parked) { p.Attempts = -1 })},
		"no state":      {with(func(p *store.Parked) { p.State = "" })},
		"unknown state": {with(func(p *store.Parked) { p.State = "lost" })},
		"a place twice": {parked("k", 1), parked("k", 1)},
	} {
		bad("Park with "+what, f.subs().Park(f.ctx, h, append([]store.Parked{parked("other", 9)}, events...)...))
	}
	bad("Unpark beyond", f.subs().Unpark(f.ctx, h, "k", beyond))
	bad("Mark as lost", second(f.subs().Mark(f.ctx, "s", "k", "lost", "")))
	for what, q := range map[string]store.ParkedQuery{
		"no limit":      {Subscription: "s"},
		"a wide limit":  {Subscription: "s", Limit: store.MaxListed + 1},
		"a far lane":    {Subscription: "s", Lane: store.MaxLanes, Limit: 1},
		"unknown state": {Subscription: "s", States: []store.ParkedState{"lost"}, Limit: 1},
		"place beyond":  {Subscription: "s", More: true, AfterAt: beyond, Limit: 1},
	} {
		bad("Parked with "+what, second(f.subs().Parked(f.ctx, q)))
	}
	for _, limit := range []int{-1, 0, store.MaxListed + 1} {
		bad(fmt.Sprintf("List of %d", limit), second(f.subs().List(f.ctx, "", limit)))
	}
	f.equal("s", before, f.find("s"))
}

func second[T any](_ T, err error) error { return err }

// calls makes each call about a subscription and returns the errors; to is what is
// opened, and what it is renamed to.
func (f *fixture) calls(ctx context.Context, h store.Hold, name, to string) map[string]error {
	k := f.subs()
	m := member(name)
	errs := map[string]error{
		"Advance": k.Advance(ctx, store.Move{Hold: h, To: 1}),
		"Report":  k.Report(ctx, h, "sick"),
		"Park":    k.Park(ctx, h, parked("other", 1)),
		"Unpark":  k.Unpark(ctx, h, "k", 1),
		"Release": k.Release(ctx, h),
		"Pause":   k.Pause(ctx, name, true),
		"Reset":   k.Reset(ctx, name, 9, true),
		"Rename":  k.Rename(ctx, name, to),
		"Delete":  k.Delete(ctx, name),
	}
	if to != name {
		errs["Leave"] = k.Leave(ctx, m.ID)
	}
	errs["Open"] = second(k.Open(ctx, store.Subscription{Name: to, Lanes: lanes(0)}))
	errs["Find"] = second(k.Find(ctx, name))
	errs["List"] = second(k.List(ctx, name, 1))
	errs["Renew"] = second(k.Renew(ctx, m))
	errs["Parked"] = second(k.Parked(ctx, store.ParkedQuery{Subscription: name, Limit: 1}))
	errs["Mark"] = second(k.Mark(ctx, name, "k", store.ParkedRetry, ""))
	return errs
}

// laneCases: checkpoints and what is reported of lanes.
func laneCases() []contractCase {
	return []contractCase{
		{name: "case 50 a checkpoint advances by one event", run: func(f *fixture) {
			first := f.append("bank-1", 0, event(1))
			h := f.held("balances")
			f.advance(h, 0, uint64(first.Last))
			f.equal("at", uint64(first.Last), f.at("balances"))
		}},
		{name: "advancing moves a lane and no other", run: func(f *fixture) {
			f.opened("s", "all", 0, 0)
			f.opened("other", "all", 0)
			all := holds(f.renew(member("s", "other")))
			h := all[slices.IndexFunc(all, func(h store.Hold) bool { return h.Subscription == "s" && h.Lane == 1 })]
			before := f.find("s")
			for _, move := range [][2]uint64{{0, 3}, {3, 4}, {4, 4}, {4, 1<<63 - 1}} {
				f.advance(h, move[0], move[1])
				s := f.find("s")
				f.recent("Changed", s.Lanes[1].Changed)
				before.Lanes[1].At, before.Lanes[1].Changed = move[1], s.Lanes[1].Changed
				f.equal("s", before, s)
			}
			f.equal("other", uint64(0), f.at("other"))
		}},
		{name: "advancing again what was advanced is no error", run: func(f *fixture) {
			h := f.held("s")
			f.advance(h, 0, 5)
			f.advance(h, 0, 5) // the reply was lost
			f.advance(h, 4, 5)
			f.equal("at", uint64(5), f.at("s"))
		}},
		{name: "advancing from where a lane is not is refused", run: func(f *fixture) {
			h := f.held("s")
			f.advance(h, 0, 10)
			for _, move := range [][2]uint64{{0, 11}, {9, 11}, {11, 12}, {0, 9}, {5, 9}} {
				f.fenced(f.subs().Advance(f.ctx, store.Move{Hold: h, From: move[0], To: move[1]}), h)
			}
			f.equal("at", uint64(10), f.at("s"))
		}},
		{name: "a hold that is no lane's changes nothing", run: func(f *fixture) {
			f.opened("s", "all", 0, 0)
			r := f.renew(member("s"))
			free := f.opened("free", "all", 0).Lanes[0]
			good := holdOf(r.Lanes[0])
			f.park(good, parked("k", 7))
			before, freeBefore := f.find("s"), f.find("free")
			for what, h := range map[string]store.Hold{
				"older token": {Subscription: "s", Token: good.Token - 1},
				"later token": {Subscription: "s", Token: good.Token + 1},
				"no lane":     {Subscription: "s", Lane: 2, Token: good.Token},
				"nobody":      {Subscription: "nobody", Token: good.Token},
				"no owner":    holdOf(free),
			} {
				f.Log(what)
				f.fencedEverywhere(h)
			}
			f.equal("s", before, f.find("s"))
			f.equal("free", freeBefore, f.find("free"))
		}},
		{name: "of several moves those that are held are made", run: func(f *fixture) {
			f.opened("s", "all", 0, 0, 0)
			f.opened("t", "all", 0)
			r := f.renew(member("s", "t"))
			all := holds(r)
			lost, gone := all[1], store.Hold{Subscription: "gone", Token: 1}
			f.done("release", f.subs().Release(f.ctx, lost))
			moves := []store.Move{{Hold: all[0], To: 3}, {Hold: lost, To: 4}, {Hold: gone, To: 5}, {Hold: all[2], From: 1, To: 6}, {Hold: all[3], To: 7}}
			f.fenced(f.subs().Advance(f.ctx, moves...), lost, gone, all[2])
			s := f.find("s")
			f.equal("at", []uint64{3, 0, 0, 7}, []uint64{s.Lanes[0].At, s.Lanes[1].At, s.Lanes[2].At, f.at("t")})
			f.fenced(f.subs().Advance(f.ctx, moves...), lost, gone, all[2])
			f.done("no moves", f.subs().Advance(f.ctx))
		}},
		{name: "of concurrent advances one moves", run: advancesOnce},
		{name: "a report is kept until the next, or until the lane has another owner", run: func(f *fixture) {
			m := member("s")
			f.opened("s", "all", 0)
			h := only(f, f.renew(m))
			f.done("report", f.subs().Report(f.ctx, h, "sick"))
			first := f.find("s").Lanes[0]
			f.recent("ErrorSince", first.ErrorSince)
			f.done("report", f.subs().Report(f.ctx, h, "worse"))
			again := f.find("s").Lanes[0]
			f.equal("errors", []string{"sick", "worse"}, []string{first.Error, again.Error})
			f.equal("since", first.ErrorSince, again.ErrorSince)
			f.equal("renewed", again.Error, f.renew(m).Lanes[0].Error)
			f.done("report", f.subs().Report(f.ctx, h, ""))
			well := f.find("s").Lanes[0]
			f.equal("well", []any{"", time.Time{}}, []any{well.Error, well.ErrorSince})
			f.done("report", f.subs().Report(f.ctx, h, strings.Repeat("ä", store.MaxErrorBytes)+"\x00\xff"))
			cut := f.find("s").Lanes[0].Error
			f.equal("cut", strings.Repeat("ä", store.MaxErrorBytes/2), cut)
			f.done("report", f.subs().Report(f.ctx, h, "a\x00b\xff"))
			f.equal("cleaned", "a\uFFFDb\uFFFD", f.find("s").Lanes[0].Error)
			f.leave(m)
			left := f.find("s").Lanes[0]
			f.equal("left", []any{"", time.Time{}}, []any{left.Error, left.ErrorSince})
		}},
	}
}

// fencedEverywhere makes every call that needs a hold.
func (f *fixture) fencedEverywhere(h store.Hold) {
	f.Helper()
	f.fenced(f.subs().Advance(f.ctx, store.Move{Hold: h, To: 9}), h)
	f.fenced(f.subs().Advance(f.ctx, store.Move{Hold: h}), h)
	f.fenced(f.subs().Report(f.ctx, h, "sick"), h)
	f.fenced(f.subs().Park(f.ctx, h, parked("other", 1)), h)
	f.fenced(f.subs().Unpark(f.ctx, h, "k", 7), h)
	f.done("release", f.subs().Release(f.ctx, h))
}

func advancesOnce(f *fixture) {
	const movers = 16
	h := f.held("s")
	stores := f.stores()
	var mu sync.Mutex
	var winners []uint64
	f.together(movers, func(i int) {
		to := uint64(i + 1)
		err := patient(func() error { return stores[i%len(stores)].subs().Advance(f.ctx, store.Move{Hold: h, To: to}) })
		if err == nil {
			mu.Lock()
			winners = append(winners, to)
			mu.Unlock()
		} else if !errors.Is(err, store.ErrFenced) {
			f.Errorf("mover %d: %v", i, err)
		}
	})
	f.equal("winners", []uint64{f.at("s")}, winners)
}
