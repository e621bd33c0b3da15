package storetest

import (
	"errors"
	"sync"

	"github.com/esgen/esgen/runtime/store"
)

func durableCases() []contractCase {
	return []contractCase{
		{name: "what was acknowledged is there after reopening", needs: store.Durable, run: func(f *fixture) {
			if f.setup.Reopen == nil {
				f.Fatalf("Setup.Reopen is nil: set it, so that durability is tested")
			}
			given := identified(3)
			first := f.append("bank-1", 0, given...)
			f.append("card-1", store.Any, events(2)...)
			f.opened("balances", "all", 0)
			hold := only(f, f.renew(member("balances")))
			f.advance(hold, 0, 4)
			f.park(hold, parked("bank-1", 3))
			before := f.all()
			f.equal("events", 5, len(before))
			keeper, keeps := f.store.(store.Snapshots)
			if keeps {
				f.save(keeper, snapshot("bank-1", 3))
			}
			f.store = f.setup.Reopen(f.TB, f.store)
			f.equal("$all", before, f.all())
			f.equal("bank-1", before[:3], f.stream("bank-1"))
			f.equal("category", before[3:], f.read(store.Query{Categories: []string{"card"}}))
			f.equal("checkpoint", uint64(4), f.at("balances"))
			f.equal("parked", 1, f.find("balances").Parked)
			if keeps {
				f.equal("snapshot", store.Version(3), f.load(f.store.(store.Snapshots), "bank-1").Version)
			}
			first.Duplicate = true
			f.retry(first, "bank-1", 0, given)
			_ = f.conflict("bank-1", 1, 3)
			next := f.append("bank-1", 3, event(4))
			if next.First <= before[4].Position {
				f.Errorf("position %d was given again", next.First)
			}
			f.equal("$all", append(before, f.read(store.Query{Stream: "bank-1", FromVersion: 4})...), f.all())
		}},
	}
}

func processCases() []contractCase {
	return []contractCase{
		{name: "what one process appends another reads", needs: store.SeveralProcesses, run: func(f *fixture) {
			one, two := *f, f.another()
			given := identified(2)
			want := one.append("bank-1", 0, given...)
			f.equal("$all", one.all(), two.all())
			_ = two.conflict("bank-1", 0, 2)
			want.Duplicate = true
			two.retry(want, "bank-1", 0, given)
			two.append("bank-1", 2, event(3))
			one.append("bank-1", 3, event(4))
			f.equal("$all", one.all(), two.all())
			f.equal("events", upTo(4), carried(two.stream("bank-1")))
		}},
		{name: "a checkpoint is moved by one of two processes", needs: store.SeveralProcesses, run: func(f *fixture) {
			two := f.another()
			f.opened("s", "all", 0)
			f.equal("settings", "all", two.opened("s", "others", 5).Settings)
			m := member("s")
			lost := only(f, f.renew(m))
			two.leave(m)
			won := only(f, two.renew(member("s")))
			two.advance(won, 0, 3)
			f.fenced(f.subs().Advance(f.ctx, store.Move{Hold: lost, To: 2}), lost)
			f.equal("at", uint64(3), f.at("s"))
		}},
		{name: "of appends in two processes that expect the same version one succeeds", needs: store.SeveralProcesses, run: func(f *fixture) {
			oneWinner(f, f.store, f.another().store)
		}},
		{name: "the order holds for two processes", needs: store.SeveralProcesses, run: func(f *fixture) {
			keepsOrder(f, f.store, f.another().store)
		}},
	}
}

// another is the fixture with a second handle on the same data.
func (f *fixture) another() *fixture {
	f.Helper()
	if f.setup.Another == nil {
		f.Fatalf("Setup.Another is nil: set it, so that several processes are tested")
	}
	second := *f
	second.store = f.setup.Another(f.TB, f.store)
	return &second
}

// oneWinner lets many appends expect the same version, round after round.
func oneWinner(f *fixture, handles ...store.Store) {
	const rounds, rivals = 10, 16
	var version store.Version
	for round := range rounds {
		var mu sync.Mutex
		winner := store.Appended{}
		winners := 0
		errs := make([]error, rivals)
		f.together(rivals, func(i int) {
			size := 1 + (round+i)%3
			appended, err := appendOne(f.ctx, handles[i%len(handles)], batch("bank-1", version, events(size)...))
			if errs[i] = err; err == nil {
				mu.Lock()
				defer mu.Unlock()
				winners++
				winner = appended
			}
		})
		if winners != 1 {
			f.Fatalf("round %d: %d of %d appends that expect version %d succeeded, want 1; errors: %v", round, winners, rivals, int64(version), errors.Join(errs...))
		}
		for _, err := range errs {
			if err != nil {
				f.isConflict(err, "append to", "bank-1", version, winner.Version)
			}
		}
		version = winner.Version
		f.equal("events stored", int(version), len(f.stream("bank-1")))
	}
}
