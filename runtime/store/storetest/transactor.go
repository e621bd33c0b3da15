package storetest

import (
	"context"
	"errors"
	"sync"

	"github.com/esgen/esgen/runtime/store"
)

// transactorCases: handler and checkpoint in one transaction.
func transactorCases() []contractCase {
	run := func(f func(f *fixture, t store.Transactor)) func(*fixture) {
		return func(x *fixture) {
			t, ok := x.store.(store.Transactor)
			if !ok {
				x.Fatalf("the store declares transactions, but is no store.Transactor")
			}
			f(x, t)
		}
	}
	no := errors.New("no")
	return []contractCase{
		{name: "a transaction moves the lane and stores what was appended in it", needs: store.Transacts, run: run(func(f *fixture, t store.Transactor) {
			h := f.held("s")
			f.append("bank-1", 0, event(1))
			bell := f.store.Local().Wait()
			err := t.Transact(f.ctx, store.Move{Hold: h, From: 0, To: 1}, func(ctx context.Context, s store.Streams) error {
				f.equal("format", f.store.Format(), s.Format())
				if from, ok := store.StreamsFrom(ctx); !ok || from != s {
					f.Error("the context gives other streams")
				}
				a, err := s.Append(ctx, batch("bank-1", 1, event(2)))
				f.done("append inside", err)
				f.equal("version", store.Version(2), a[0].Version)
				events, err := collect(ctx, s, store.Query{Stream: "bank-1"})
				f.done("read inside", err)
				f.equal("seen inside", upTo(2), carried(events))
				_, err = s.Append(ctx, batch("bank-1", 1, event(3)))
				if !errors.Is(err, store.ErrConflict) {
					f.Errorf("a conflict inside: %v", err)
				}
				_, err = s.Append(ctx, batch("bank-2", 0, event(3)))
				f.done("append inside after a conflict", err)
				// Nobody else sees it yet.
				f.equal("seen outside", upTo(1), carried(f.all()))
				return nil
			})
			f.done("transact", err)
			select {
			case <-bell:
			case <-f.ctx.Done():
				f.Error("the doorbell did not ring")
			}
			f.equal("at", uint64(1), f.at("s"))
			f.equal("stored", upTo(3), carried(f.all()))
			f.equal("positions", []store.Position{1, 2, 3}, []store.Position{f.all()[0].Position, f.all()[1].Position, f.all()[2].Position})
			f.append("bank-2", 1, event(4))
		})},
		{name: "a transaction whose function fails has done nothing", needs: store.Transacts, run: run(func(f *fixture, t store.Transactor) {
			h := f.held("s")
			move := store.Move{Hold: h, From: 0, To: 1}
			for range 2 {
				err := t.Transact(f.ctx, move, func(ctx context.Context, s store.Streams) error {
					_, err := s.Append(ctx, batch("bank-1", 0, event(1)))
					f.done("append inside", err)
					return no
				})
				if err != no { //nolint:errorlint // as it is
					f.Errorf("got %v, want the function's error as it is", err)
				}
				f.equal("at", uint64(0), f.at("s"))
				f.equal("stored", 0, len(f.all()))
			}
			func() {
				defer func() { f.equal("panic", any("sick"), recover()) }()
				_ = t.Transact(f.ctx, move, func(ctx context.Context, s store.Streams) error {
					_, err := s.Append(ctx, batch("bank-1", 0, event(1)))
					f.done("append inside", err)
					panic("sick")
				})
			}()
			f.equal("at", uint64(0), f.at("s"))
			f.equal("stored", 0, len(f.all()))
			f.done("transact", t.Transact(f.ctx, move, func(context.Context, store.Streams) error { return nil }))
			f.equal("at", uint64(1), f.at("s"))
		})},
		{name: "a transaction of a lane that is not the caller's, or not there, calls nothing", needs: store.Transacts, run: run(func(f *fixture, t store.Transactor) {
			h := f.held("s")
			f.advance(h, 0, 5)
			lost := h
			lost.Token--
			never := func(context.Context, store.Streams) error { f.Error("called"); return nil }
			for _, m := range []store.Move{
				{Hold: lost, From: 5, To: 6},
				{Hold: h, From: 4, To: 6},
				{Hold: h, From: 6, To: 7},
				{Hold: h, From: 0, To: 5}, // unlike in Advance: what f did then is done
				{Hold: store.Hold{Subscription: "nobody", Token: 1}, To: 1},
			} {
				f.fenced(t.Transact(f.ctx, m, never), m.Hold)
			}
			for _, m := range []store.Move{{Hold: h, From: 5, To: 4}, {Hold: h, From: 5, To: 1 << 63}, {Hold: store.Hold{Token: 1}}} {
				if err := t.Transact(f.ctx, m, never); !errors.Is(err, store.ErrInvalid) {
					f.Errorf("%+v: %v, want an InvalidError", m, err)
				}
			}
			for _, c := range ended(f) {
				c.saidBy(f, "Transact", t.Transact(c.ctx, store.Move{Hold: h, From: 5, To: 6}, never))
			}
			f.equal("at", uint64(5), f.at("s"))
		})},
		{name: "of concurrent transactions of a move one happens", needs: store.Transacts, run: run(func(f *fixture, _ store.Transactor) {
			h := f.held("s")
			stores := f.stores()
			var mu sync.Mutex
			won := 0
			for at := range uint64(5) {
				won = 0
				f.together(6, func(i int) {
					t := stores[i%len(stores)].store.(store.Transactor)
					err := t.Transact(f.ctx, store.Move{Hold: h, From: at, To: at + 1}, func(ctx context.Context, s store.Streams) error {
						_, err := s.Append(ctx, batch("bank-1", store.Any, event(int(at)+1)))
						return err
					})
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						won++
					} else if !errors.Is(err, store.ErrFenced) {
						f.Errorf("transaction %d: %v", i, err)
					}
				})
				f.equal("won", 1, won)
			}
			f.equal("at", uint64(5), f.at("s"))
			f.equal("effects", upTo(5), carried(f.all()))
		})},
		{name: "unparking in a transaction is undone with it and done with it", needs: store.Transacts, run: run(func(f *fixture, t store.Transactor) {
			h := f.held("s")
			f.park(h, parked("k", 1), parked("k", 2), parked("l", 1))
			before := []string{"k@1 parked", "k@2 parked", "l@1 parked"}
			unpark := func(returns error, want ...string) {
				f.Helper()
				err := t.Transact(f.ctx, store.Move{Hold: h}, func(ctx context.Context, s store.Streams) error {
					f.done("unpark inside", f.subs().Unpark(ctx, h, "k", 1))
					_, err := s.Append(ctx, batch("bank-1", store.Any, event(1)))
					f.done("append inside", err)
					f.equal("outside, meanwhile", before, namesOf(f.parkedAll("s")))
					return returns
				})
				if err != returns { //nolint:errorlint // as it is
					f.Errorf("got %v, want %v", err, returns)
				}
				f.equal("parked", want, namesOf(f.parkedAll("s")))
			}
			unpark(no, before...)
			f.equal("stored", 0, len(f.all()))
			unpark(nil, before[1:]...)
			f.equal("stored", upTo(1), carried(f.all()))
			f.equal("count", 2, f.find("s").Parked)
			err := t.Transact(f.ctx, store.Move{Hold: h}, func(ctx context.Context, _ store.Streams) error {
				page, err := f.subs().Parked(ctx, store.ParkedQuery{Subscription: "s", Lane: -1, Limit: 10})
				f.done("list inside", err)
				f.equal("what another one has unparked", before[1:], namesOf(page))
				wrong := h
				wrong.Token++
				f.fenced(f.subs().Unpark(ctx, wrong, "k", 2), wrong)
				return f.subs().Unpark(ctx, h, "m", 1) // which is not there
			})
			f.done("transact", err)
			f.equal("parked", before[1:], namesOf(f.parkedAll("s")))
		})},
		{name: "streams of a transaction that has ended are refused", needs: store.Transacts, run: run(func(f *fixture, t store.Transactor) {
			h := f.held("s")
			for _, ends := range []func() error{
				func() error { return nil },
				func() error { return no },
				func() error { panic("sick") },
			} {
				var kept store.Streams
				func() {
					defer func() { _ = recover() }()
					_ = t.Transact(f.ctx, store.Move{Hold: h}, func(_ context.Context, s store.Streams) error {
						kept = s
						return ends()
					})
				}()
				if _, err := kept.Append(f.ctx, batch("bank-1", 0, event(1))); err == nil {
					f.Error("an append after the end succeeded")
				}
				if _, err := collect(f.ctx, kept, store.Query{}); err == nil {
					f.Error("a read after the end succeeded")
				}
				f.equal("stored", 0, len(f.all()))
			}
			f.append("bank-1", 0, event(1))
		})},
	}
}
