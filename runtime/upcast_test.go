package runtime_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
	"github.com/esgen/esgen/runtime/typeregistry"
)

// depositedV1 is how a deposit was stored first, and booked what was before it.
type (
	depositedV1 struct {
		Euro int64 `json:"euro"`
	}
	booked struct {
		Cents int64 `json:"cents"`
	}
)

// former appends what newer reads.
var (
	former = es.NewFamily[string, any]("bank", typeregistry.Must(
		typeregistry.Of(depositedV1{}, bank.MoneyDepositedName, 1),
		typeregistry.Of(bank.AccountOpened{}, "bank.created", 1),
		typeregistry.Of(booked{}, "bank.booked", 1),
		typeregistry.Of(bank.MoneyWithdrawn{}, "bank.seen", 4),
	), es.StringID[string]{})

	newer = es.NewFamily[string, bank.Event]("bank", typeregistry.Must(
		typeregistry.Of(bank.AccountOpened{}, bank.AccountOpenedName, 1).Alias("bank.created"),
		typeregistry.Of(bank.MoneyDeposited{}, bank.MoneyDepositedName, 2),
		typeregistry.Of(bank.MoneyWithdrawn{}, bank.MoneyWithdrawnName, 1).Retire("cash is gone"),
		typeregistry.Upcast(bank.MoneyDepositedName, 1, func(v depositedV1) (bank.MoneyDeposited, error) {
			if v.Euro < 0 {
				return bank.MoneyDeposited{}, errors.New("less than nothing")
			}
			return bank.MoneyDeposited{Amount: v.Euro * 100}, nil
		}),
		typeregistry.Upcast("bank.booked", 1, func(v booked) (bank.Event, error) {
			if v.Cents == 0 {
				return nil, nil
			}
			return bank.MoneyDeposited{Amount: v.Cents}, nil
		}),
		typeregistry.Gone("bank.seen", ""),
	), es.StringID[string]{})
)

func TestEveryReadPassesThroughTheUpcasters(t *testing.T) {
	t.Parallel()
	onEveryStore(t, func(t *testing.T, db store.Store) {
		ctx := t.Context()
		stored(t)(former.Stream(db, "a").Append(ctx, store.NoStream,
			bank.AccountOpened{Owner: "ada"}, depositedV1{5}, booked{7}, booked{0}, bank.MoneyWithdrawn{Amount: 9}))
		want := []bank.Event{bank.AccountOpened{Owner: "ada"}, bank.MoneyDeposited{Amount: 500}, bank.MoneyDeposited{Amount: 7}}

		var skips []es.Skipped
		acct := newer.Stream(db, "a").With(es.OnSkip(func(s es.Skipped) { skips = append(skips, s) }))
		var got []bank.Event
		for r, err := range acct.Read(ctx, 0) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.Event)
		}
		skipped := []es.Skipped{
			{Stream: "bank-a", Version: 4, Position: 4, Type: "bank.booked", Revision: 1},
			{Stream: "bank-a", Version: 5, Position: 5, Type: "bank.seen", Revision: 4},
		}
		if !reflect.DeepEqual(got, want) || !slices.Equal(skips, skipped) {
			t.Errorf("read %+v, skipped %+v", got, skips)
		}
		n, version, err := es.Load(ctx, acct, func(n *int, _ bank.Event) { *n++ })
		if n != 3 || version != 5 || err != nil {
			t.Errorf("loaded %d events to version %d: %v", n, version, err)
		}
		a, err := es.Execute(ctx, acct, func(n *int, _ bank.Event) { *n++ }, func(n int) ([]bank.Event, error) {
			return []bank.Event{bank.MoneyDeposited{Amount: int64(n)}}, nil
		})
		if stored(t)(a, err).Version != 6 {
			t.Errorf("executed to %+v", a)
		}

		var handled []bank.Event
		routeSkips := 0
		route := newer.On(func(_ context.Context, m es.Meta[string], e bank.Event) error {
			if m.ID != "a" {
				t.Errorf("%+v", m)
			}
			handled = append(handled, e)
			return nil
		})
		sub, err := es.Subscribe(db, "s", subscribe.Config{}, route.OnSkip(func(es.Skipped) { routeSkips++ }))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- sub.Run(ctx) }()
		<-sub.Live()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if !reflect.DeepEqual(handled, slices.Concat(want, []bank.Event{bank.MoneyDeposited{Amount: 3}})) || routeSkips != 2 {
			t.Errorf("handled %+v, %d skips", handled, routeSkips)
		}
	})
}

func TestAnUpcasterThatFailsStopsTheRead(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), memory.New(memory.Config{})
	stored(t)(former.Stream(db, "a").Append(ctx, store.NoStream, depositedV1{-5}))
	_, _, err := es.Load(ctx, newer.Stream(db, "a"), func(*int, bank.Event) {})
	got, ok := errors.AsType[*es.ReadError](err)
	if !ok || got.Stream != "bank-a" || got.Version != 1 || got.Position != 1 || got.Type != bank.MoneyDepositedName || got.Revision != 1 {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*typeregistry.UpcastError](err); !ok || !strings.HasSuffix(err.Error(), "less than nothing") {
		t.Error(err)
	}
	sub, err := es.Subscribe(db, "s", subscribe.Config{}, newer.On(func(context.Context, es.Meta[string], bank.Event) error { return nil }))
	if err != nil {
		t.Fatal(err)
	}
	if err := caughtUp(t, sub); !errors.As(err, &got) {
		t.Errorf("the subscription waits with %v", err)
	}
}

func TestARetiredEventIsRefused(t *testing.T) {
	t.Parallel()
	_, err := newer.Stream(memory.New(memory.Config{}), "a").Append(t.Context(), store.NoStream, bank.MoneyWithdrawn{})
	event, ok := errors.AsType[*es.EventError](err)
	if !ok || event.Event != 1 || !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "cash is gone") {
		t.Error(err)
	}
}

func TestUnionErrorsNameTheField(t *testing.T) {
	t.Parallel()
	fail := func(v int) (string, error) {
		if v == 7 {
			return "", es.NoMember("Payment", v, "card", "cash")
		}
		return "x", nil
	}
	_, inSlice := es.ConvertSlice([]int{1, 7}, fail)
	_, inMap := es.ConvertMap(map[string]int{"k": 7}, fail)
	seven := 7
	_, inPointer := es.ConvertPointer(&seven, fail)
	deep := es.InField("Order", es.InField("Lines", inSlice))
	for want, err := range map[string]error{
		"field Lines[1]: Payment: int is no member of it; pass one of card, cash, or mark the type with //esgen:member name=… and generate again": es.InField("Lines", inSlice),
		"field Order.Lines[1]: Payment: int is no member":                                                     deep,
		"field By[k]: Payment: int is no member":                                                              es.InField("By", inMap),
		"field P: Payment: int is no member":                                                                  es.InField("P", inPointer),
		"Payment: what is stored does not hold exactly one of card; deploy a binary that knows what it holds": es.NoMember("Payment", nil, "card"),
	} {
		if _, ok := errors.AsType[*es.UnionError](err); !ok || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	other := errors.New("other")
	if err := es.InField("F", other); !errors.Is(err, other) || err.Error() != "other" {
		t.Errorf("an error that is none of a union is changed to %v", err)
	}
	slice, err := es.ConvertSlice[int](nil, fail)
	if slice != nil || err != nil {
		t.Errorf("nil: %v, %v", slice, err)
	}
	if empty, err := es.ConvertSlice([]int{}, fail); empty == nil || err != nil {
		t.Errorf("empty: %v, %v", empty, err)
	}
	if all, err := es.ConvertMap[string, int](nil, fail); all != nil || err != nil {
		t.Errorf("nil: %v, %v", all, err)
	}
	if p, err := es.ConvertPointer[int](nil, fail); p != nil || err != nil {
		t.Errorf("nil: %v, %v", p, err)
	}
	if es.Several(true, false) || es.Several() || !es.Several(true, false, true) {
		t.Error("Several counts wrongly")
	}
}
