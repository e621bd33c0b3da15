package runtime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/serializer"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
	"github.com/esgen/esgen/runtime/typeregistry"
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

// caughtUp runs sub until it is live, or ends with an error, which it returns.
func caughtUp(t testing.TB, sub *subscribe.Subscription) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- sub.Run(ctx) }()
	select {
	case <-sub.Live():
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	case err := <-ended:
		return err
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

// older is a binary that was built before money could be withdrawn, and before
// the second revision of a deposit.
var older = es.NewFamily[string, bank.Event]("bank", typeregistry.Must(
	typeregistry.Of[bank.AccountOpened](bank.AccountOpenedName, 1),
	typeregistry.Of[bank.MoneyDeposited](bank.MoneyDepositedName, 1),
), es.StringID[string]{})

func TestABinaryThatDoesNotKnowATypeSaysSo(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		stored(t)(bank.StreamOf(db, "a").Append(ctx, store.NoStream, bank.AccountOpened{}, bank.MoneyWithdrawn{}))
		stored(t)(bank.StreamOf(db, "b").Append(ctx, store.NoStream, bank.AccountOpened{}, bank.MoneyDeposited{}))

		for id, want := range map[string]es.ReadError{
			"a": {Stream: "bank-a", Version: 2, Position: 2, Type: bank.MoneyWithdrawnName, Revision: 1},
			"b": {Stream: "bank-b", Version: 2, Position: 4, Type: bank.MoneyDepositedName, Revision: 2},
		} {
			stream := older.Stream(db, id)
			apply := func(n *int, _ bank.Event) { *n++ }
			events, readErr := collect(stream.Read(ctx, 0))
			if len(events) != 1 {
				t.Errorf("read %d events before the unknown one, want 1", len(events))
			}
			state, version, loadErr := es.Load(ctx, stream, apply)
			if state != 0 || version != 0 {
				t.Errorf("load beside an error: %d at version %d", state, version)
			}
			_, executeErr := es.Execute(ctx, stream, apply, func(int) ([]bank.Event, error) {
				t.Error("decided on half a stream")
				return nil, nil
			})
			for call, err := range map[string]error{"read": readErr, "load": loadErr, "execute": executeErr} {
				got, ok := errors.AsType[*es.ReadError](err)
				if !ok {
					t.Errorf("%s: %v", call, err)
					continue
				}
				unknown, ok := errors.AsType[*typeregistry.UnknownTypeError](err)
				if !ok || unknown.Name != want.Type || unknown.Revision != want.Revision {
					t.Errorf("%s: %v", call, err)
				}
				for _, word := range []string{want.Stream, "version 2", want.Type, "deploy a binary"} {
					if !strings.Contains(err.Error(), word) {
						t.Errorf("%s: %q, want %q in it", call, err, word)
					}
				}
				if got.Err = nil; *got != want {
					t.Errorf("%s: %+v, want %+v", call, *got, want)
				}
			}
			raw, err := collect(db.Read(ctx, store.Query{Stream: want.Stream}))
			if err != nil || len(raw) != 2 {
				t.Errorf("raw reading: %d events, %v", len(raw), err)
			}
			// What it knows it may still append.
			stored(t)(stream.Append(ctx, 2, bank.AccountOpened{}))
		}
	})
}

func TestASubscriptionStopsAtAnUnknownTypeAndGoesOnInABinaryThatKnowsIt(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		stored(t)(bank.StreamOf(db, "a").Append(ctx, store.NoStream, bank.AccountOpened{}, bank.MoneyWithdrawn{Amount: 1}, bank.MoneyDeposited{Amount: 2}))

		var got []bank.Event
		keep := func(_ context.Context, _ bank.Meta, e bank.Event) error {
			got = append(got, e)
			return nil
		}
		subscription := func(family *es.Family[string, bank.Event]) *subscribe.Subscription {
			sub, err := es.Subscribe(db, "rolling", subscribe.Config{}, family.On(keep))
			if err != nil {
				t.Fatal(err)
			}
			return sub
		}
		for range 2 {
			err := caughtUp(t, subscription(older))
			stopped, ok := errors.AsType[*subscribe.HandlerError](err)
			if !ok || stopped.Attempts != 1 || stopped.Position != 2 || stopped.Type != bank.MoneyWithdrawnName {
				t.Fatalf("the older binary: %v", err)
			}
			if _, ok := errors.AsType[*typeregistry.UnknownTypeError](err); !ok {
				t.Fatalf("the older binary: %v", err)
			}
		}
		if len(got) != 1 {
			t.Fatalf("the older binary handled %v", got)
		}
		if err := caughtUp(t, subscription(bank.Family)); err != nil {
			t.Fatal(err)
		}
		want := []bank.Event{bank.AccountOpened{}, bank.MoneyWithdrawn{Amount: 1}, bank.MoneyDeposited{Amount: 2}}
		if !slices.Equal(got, want) {
			t.Errorf("handled %v, want %v", got, want)
		}
	})
}

func TestBytesThatDoNotDecodeNameTheField(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := memory.New(memory.Config{})
	_, err := db.Append(ctx, store.Batch{Stream: "bank-a", Expected: store.NoStream, Events: []store.Event{
		{Type: bank.AccountOpenedName, Revision: 1, Format: store.JSON, Data: []byte(`{"owner":"ada"}`)},
		{Type: bank.MoneyDepositedName, Revision: 2, Format: store.JSON, Data: []byte(`{"amount":"many"}`)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, readErr := collect(bank.StreamOf(db, "a").Read(ctx, 0))
	handleErr := handled(t, db, bank.On(bank.Ignore{}))
	for call, err := range map[string]error{"read": readErr, "handle": handleErr} {
		read, ok := errors.AsType[*es.ReadError](err)
		if !ok || read.Version != 2 || read.Stream != "bank-a" {
			t.Errorf("%s: %v", call, err)
		}
		decode, ok := errors.AsType[*serializer.DecodeError](err)
		if !ok || decode.Field != "amount" || decode.GoType != "bank.MoneyDeposited" {
			t.Errorf("%s: %+v", call, decode)
		}
	}
}

func TestATypeOfAnotherFamilyIsNotRead(t *testing.T) {
	t.Parallel()
	type narrow interface {
		bank.Event
		Narrow()
	}
	db := memory.New(memory.Config{})
	stored(t)(bank.StreamOf(db, "a").Append(t.Context(), store.NoStream, bank.AccountOpened{}))
	family := es.NewFamily[string, narrow]("bank", bank.Types, es.StringID[string]{})
	_, err := collect(family.Stream(db, "a").Read(t.Context(), 0))
	if e, ok := errors.AsType[*es.ReadError](err); !ok || !strings.Contains(e.Error(), "bank.AccountOpened is not an event of family bank") {
		t.Errorf("read: %v", err)
	}
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
