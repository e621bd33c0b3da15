package runtime_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// handled runs a subscription until it has handled everything, or ends with an
// error, which it returns.
func handled(t testing.TB, db store.Store, routes ...es.Route) error {
	t.Helper()
	sub, err := es.Subscribe(db, "test-"+uuid.NewString(), subscribe.Config{}, routes...)
	if err != nil {
		t.Fatal(err)
	}
	return caughtUp(t, sub)
}

// caughtUp runs sub until it is live, waits at an event that it cannot read, or ends
// with an error, which it returns.
func caughtUp(t testing.TB, sub *subscribe.Subscription) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- sub.Run(ctx) }()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-sub.Live():
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		case <-look.C:
			err := sub.Status().LastError
			if _, ok := errors.AsType[*es.ReadError](err); ok {
				cancel()
				<-ended
				return err
			}
		case err := <-ended:
			return err
		}
	}
}

// balances is a projection.
type balances struct {
	bank.Ignore
	of   map[string]int64
	seen []bank.Meta
}

func (b *balances) OnMoneyDeposited(_ context.Context, m bank.Meta, e bank.MoneyDeposited) error {
	b.of[m.ID] += e.Amount
	b.seen = append(b.seen, m)
	return nil
}

func TestASubscriptionHandlesTheEventsOfItsFamilyInOrder(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		stored(t)(bank.StreamOf(db, "a").Append(ctx, store.NoStream, deposits(1, 2)...))
		cards := es.NewFamily[string, bank.Event]("cards", bank.Types, es.StringID[string]{})
		stored(t)(cards.Stream(db, "a").Append(ctx, store.NoStream, deposits(100)...))
		stored(t)(bank.StreamOf(db, "b-b").Append(ctx, store.NoStream, deposits(5)...))

		p := &balances{of: map[string]int64{}}
		sub, err := bank.Subscribe(db, "balances", p, subscribe.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := caughtUp(t, sub); err != nil {
			t.Fatal(err)
		}
		if p.of["a"] != 3 || p.of["b-b"] != 5 || len(p.of) != 2 {
			t.Errorf("balances: %v", p.of)
		}
		last := p.seen[2]
		if last.Stream != "bank-b-b" || last.Version != 2 || last.Type != bank.MoneyDepositedName || last.Revision != 2 || last.Position <= p.seen[1].Position {
			t.Errorf("meta: %+v", last)
		}
	})
}

func TestSeveralFamiliesShareASubscription(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	cards := es.NewFamily[uuid.UUID, bank.Event]("cards", bank.Types, es.TextID[uuid.UUID, *uuid.UUID]{})
	id := uuid.New()
	stored(t)(cards.Stream(db, id).Append(t.Context(), store.NoStream, deposits(7)...))
	stored(t)(bank.StreamOf(db, "a").Append(t.Context(), store.NoStream, deposits(1)...))
	stored(t)(cards.Stream(db, id).Append(t.Context(), 2, bank.MoneyDeposited{Amount: 8}))

	var order []string
	err := handled(t, db,
		bank.Family.On(func(_ context.Context, m bank.Meta, e bank.Event) error {
			order = append(order, m.ID)
			return nil
		}),
		cards.On(func(_ context.Context, m es.Meta[uuid.UUID], e bank.Event) error {
			order = append(order, m.ID.String())
			return nil
		}))
	if want := []string{id.String(), id.String(), "a", "a", id.String()}; err != nil || !slices.Equal(order, want) {
		t.Errorf("handled %v, %v; want %v", order, err, want)
	}
}

func TestASubscriptionToOneStreamCountsVersions(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		stored(t)(bank.StreamOf(db, "b").Append(t.Context(), store.NoStream, deposits(9)...))
		stored(t)(bank.StreamOf(db, "a").Append(t.Context(), store.NoStream, deposits(1, 2)...))
		p := &balances{of: map[string]int64{}}
		sub, err := bank.Subscribe(db, "one", p, subscribe.Config{Stream: "bank-a", Start: subscribe.AfterVersion(2)})
		if err != nil {
			t.Fatal(err)
		}
		if err := caughtUp(t, sub); err != nil {
			t.Fatal(err)
		}
		if p.of["a"] != 2 || len(p.of) != 1 {
			t.Errorf("balances: %v", p.of)
		}
	})
}

// What a typed subscription promises while others append: every event once, in
// the order of positions, and of each stream without a gap.
func TestASubscriptionMissesNothingWhileOthersAppend(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		const writers, streams, each = 4, 3, 12
		var seen []bank.Meta
		var sums [streams]int64
		all := make(chan struct{})
		sub, err := es.Subscribe(db, "all", subscribe.Config{PageSize: 7}, bank.Family.On(func(_ context.Context, m bank.Meta, e bank.Event) error {
			seen = append(seen, m)
			sums[m.ID[0]-'0'] += e.(bank.MoneyDeposited).Amount
			if len(seen) == writers*each {
				close(all)
			}
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- sub.Run(ctx) }()

		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					acct := bank.StreamOf(db, strconv.Itoa((w+i)%streams)).With(es.Retries(1000))
					if _, err := acct.Execute(ctx, func(bank.Account) ([]bank.Event, error) {
						return []bank.Event{bank.MoneyDeposited{Amount: 1}}, nil
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		select {
		case <-all:
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(30 * time.Second):
			t.Errorf("%+v", sub.Status())
		}
		cancel()
		<-ended

		versions := make(map[string]store.Version)
		var last store.Position
		for _, m := range seen {
			if versions[m.ID]++; m.Version != versions[m.ID] || m.Position <= last {
				t.Fatalf("version %d of %s at position %d, after version %d and position %d", m.Version, m.Stream, m.Position, versions[m.ID]-1, last)
			}
			last = m.Position
		}
		for i, sum := range sums {
			account, version, err := bank.StreamOf(db, strconv.Itoa(i)).Load(t.Context())
			if err != nil || account.Balance != sum || version != versions[strconv.Itoa(i)] {
				t.Errorf("stream %d: %+v at version %d, %v; handled %d at version %d", i, account, version, err, sum, versions[strconv.Itoa(i)])
			}
		}
	})
}

func TestSubscribeRefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	route := bank.On(bank.Ignore{})
	odd := es.NewFamily[string, bank.Event]("two-words", bank.Types, es.StringID[string]{})
	ignore := func(context.Context, bank.Meta, bank.Event) error { return nil }
	for _, c := range []struct {
		name   string
		db     store.Store
		config subscribe.Config
		routes []es.Route
		words  string
	}{
		{"no store", nil, subscribe.Config{}, []es.Route{route}, "the store is nil"},
		{"no routes", db, subscribe.Config{}, nil, "no routes"},
		{"empty route", db, subscribe.Config{}, []es.Route{{}}, "a route is empty"},
		{"no handler", db, subscribe.Config{}, []es.Route{bank.Family.On(nil)}, "handler of bank: nil"},
		{"family twice", db, subscribe.Config{}, []es.Route{route, route}, "two routes for family bank"},
		{"bad family", db, subscribe.Config{}, []es.Route{odd.On(ignore)}, "holds a dash"},
		{"nil family", db, subscribe.Config{}, []es.Route{(*es.Family[string, bank.Event])(nil).On(ignore)}, "family: nil"},
		{"categories", db, subscribe.Config{Categories: []string{"bank"}}, []es.Route{route}, "leave Categories empty"},
		{"other stream", db, subscribe.Config{Stream: "cards-a"}, []es.Route{route}, "stream cards-a is of none of the routes' families (bank)"},
		{"bad config", db, subscribe.Config{PageSize: -1}, []es.Route{route}, "PageSize"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sub, err := es.Subscribe(c.db, "name", c.config, c.routes...)
			if sub != nil || !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), "name") {
				t.Errorf("%v, %v; want %q", sub, err, c.words)
			}
		})
	}
}

func TestWhatAHandlerAppendsIsCausedByWhatItHandles(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		own := uuid.New()
		cards := es.NewFamily[string, bank.Event]("cards", bank.Types, es.StringID[string]{})
		stored(t)(bank.StreamOf(db, "a").Append(ctx, store.NoStream, bank.AccountOpened{}))
		err := handled(t, db, bank.Family.On(func(ctx context.Context, m bank.Meta, e bank.Event) error {
			_, err := cards.Stream(db, m.ID).Append(ctx, store.NoStream, e)
			if err == nil {
				_, err = cards.Stream(db, "own").With(es.Correlation(own)).Append(ctx, store.NoStream, e)
			}
			if err == nil {
				_, err = es.Atomic(ctx, db, func(ctx context.Context, s store.Streams) error {
					_, err := cards.Stream(s, "unit").Append(ctx, store.NoStream, e)
					return err
				})
			}
			return err
		}))
		if err != nil {
			t.Fatal(err)
		}
		first, err := collect(bank.StreamOf(db, "a").Read(ctx, 0))
		if err != nil {
			t.Fatal(err)
		}
		cause := first[0].EventID
		for id, correlation := range map[string]uuid.UUID{"a": cause, "own": own, "unit": cause} {
			got, err := collect(cards.Stream(db, id).Read(ctx, 0))
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Causation != cause || got[0].Correlation != correlation {
				t.Errorf("%s: correlation %s, causation %s; want %s, %s", id, got[0].Correlation, got[0].Causation, correlation, cause)
			}
			// What that one causes belongs to the same correlation.
			next := stored(t)(cards.Stream(db, id+"-next").Append(es.CausedBy(ctx, got[0]), store.NoStream, bank.AccountOpened{}))
			after, err := collect(cards.Stream(db, id+"-next").Read(ctx, next.Version))
			if err != nil || after[0].Causation != got[0].EventID || after[0].Correlation != correlation {
				t.Errorf("%s: %+v, %v", id, after, err)
			}
			if es.CausedBy(ctx, got[0].Meta) == ctx {
				t.Error("a Meta is no cause")
			}
		}
	})
}

func TestAnEventWithoutACaseStopsTheSubscription(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	stored(t)(bank.StreamOf(db, "a").Append(t.Context(), store.NoStream, bank.AccountOpened{}))
	err := handled(t, db, bank.Family.On(func(_ context.Context, _ bank.Meta, e bank.Event) error { return es.Unhandled(e) }))
	unhandled, ok := errors.AsType[*es.UnhandledError](err)
	if !ok || unhandled.GoType != "bank.AccountOpened" || !strings.Contains(err.Error(), "run go generate again") {
		t.Errorf("handled: %v", err)
	}
	if e, ok := errors.AsType[*subscribe.HandlerError](err); !ok || e.Attempts != 1 {
		t.Errorf("handled: %v", err)
	}
}
