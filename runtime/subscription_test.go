package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/sqlite"
	"github.com/esgen/esgen/runtime/subscribe"
)

// mixed holds two accounts, a card, and an account again.
func mixed(t *testing.T, db store.Store) *es.Family[string, bank.Event] {
	t.Helper()
	cards := es.NewFamily[string, bank.Event]("cards", bank.Types, es.StringID[string]{})
	stored(t)(bank.StreamOf(db, "a").Append(t.Context(), store.NoStream, deposits(1)...))
	stored(t)(bank.StreamOf(db, "b").Append(t.Context(), store.NoStream, deposits(2)...))
	stored(t)(cards.Stream(db, "c").Append(t.Context(), store.NoStream, deposits(3)...))
	stored(t)(bank.StreamOf(db, "a").Append(t.Context(), store.Any, bank.MoneyDeposited{Amount: 4}))
	return cards
}

func TestBatchesAreTypedAndInOrder(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	cards := mixed(t, db)
	var runs []string
	caused := map[store.Position]context.Context{}
	sub, err := es.SubscribeBatch(db, "all", subscribe.Config{},
		bank.Family.OnBatch(func(_ context.Context, events []bank.Recorded) error {
			var run []string
			for _, e := range events {
				run = append(run, e.ID)
			}
			runs = append(runs, strings.Join(run, " "))
			return nil
		}),
		cards.On(func(ctx context.Context, m bank.Meta, _ bank.Event) error {
			runs, caused[m.Position] = append(runs, "card "+m.ID), ctx
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	if err := caughtUp(t, sub); err != nil {
		t.Fatal(err)
	}
	if want := []string{strings.Repeat("a ", 2) + "b b", "card c", "card c", "a"}; !slices.Equal(runs, want) {
		t.Errorf("handled %q, want %q", runs, want)
	}
	for position, ctx := range caused {
		a, err := bank.StreamOf(db, "x"+fmt.Sprint(position)).Append(context.WithoutCancel(ctx), store.NoStream, deposits(1)[1])
		if err != nil {
			t.Fatal(err)
		}
		for r, err := range db.Read(t.Context(), store.Query{FromPosition: a.First, Limit: 1}) {
			for cause := range db.Read(t.Context(), store.Query{FromPosition: position, Limit: 1}) {
				if err != nil || r.Causation != cause.ID {
					t.Errorf("what a handler of single events appends is caused by %s, want %s", r.Causation, cause.ID)
				}
			}
		}
	}
}

// TestTransactionsHandleAndAppendTogether appends from a handler that then fails: what
// it appended is not there.
func TestTransactionsHandleAndAppendTogether(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "events.db"), sqlite.Config{Synchronous: sqlite.Normal})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(context.Background()) }()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	mixed(t, db)
	tries := 0
	copies := es.NewFamily[string, bank.Event]("copies", bank.Types, es.StringID[string]{})
	sub, err := es.SubscribeTx(db, "copy", subscribe.Config{Retry: subscribe.Retry{First: 1}}, bank.Family.On(func(ctx context.Context, m bank.Meta, e bank.Event) error {
		s, ok := store.StreamsFrom(ctx)
		if !ok {
			return errors.New("no transaction")
		}
		if _, err := copies.Stream(s, m.ID).Append(ctx, store.Any, e); err != nil {
			return err
		}
		if m.Version == 2 && m.ID == "b" {
			if tries++; tries < 3 {
				return errors.New("not yet")
			}
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := caughtUp(t, sub); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for r, err := range db.Read(t.Context(), store.Query{Categories: []string{"copies"}}) {
		if err != nil {
			t.Fatal(err)
		}
		got[r.Stream]++
	}
	if len(got) != 2 || got["copies-a"] != 3 || got["copies-b"] != 2 || tries != 3 {
		t.Errorf("copied %v in %d tries", got, tries)
	}
}

func TestDeliveriesAreTyped(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	mixed(t, db)
	p, err := bank.Family.Pull(db, "pulled", subscribe.Config{Retry: subscribe.Retry{First: 1}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen []string
	for d, err := range p.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, d.String())
		lane, key := d.Lane()
		if lane != 0 || key != d.Stream || d.Context() == nil {
			t.Errorf("%v is of lane %d, key %q", d, lane, key)
		}
		if m, ok := d.Event.(bank.MoneyDeposited); ok && m.Amount == 2 && d.Attempt() == 1 {
			if err := d.Nack(nil); err != nil {
				t.Error(err)
			}
			continue
		}
		if err := d.AckUpTo(); err != nil {
			t.Error(err)
		}
		if d.Position == 7 {
			break
		}
	}
	if len(seen) != 6 || seen[0] != "bank.account_opened, version 1 of bank-a" {
		t.Errorf("%d: %q", len(seen), seen)
	}
	if _, err := bank.Family.Pull(nil, "pulled", subscribe.Config{}); !errors.Is(err, store.ErrInvalid) {
		t.Error(err)
	}
}

// TestUnknownTypesArePassedOverWhenAsked has an event of a release that is to come.
func TestUnknownTypesArePassedOverWhenAsked(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	_, err := db.Append(t.Context(), store.Batch{Stream: "bank-z", Expected: store.NoStream, Events: []store.Event{
		{Type: "bank.account_merged", Revision: 1, Format: store.JSON, Data: []byte(`{}`)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	mixed(t, db)
	n := 0
	one := bank.Family.On(func(context.Context, bank.Meta, bank.Event) error { n++; return nil })
	several := bank.Family.OnBatch(func(_ context.Context, events []bank.Recorded) error { n += len(events); return nil })
	for name, subscribed := range map[string]func(c subscribe.Config) (*subscribe.Subscription, error){
		"events": func(c subscribe.Config) (*subscribe.Subscription, error) { return es.Subscribe(db, "events", c, one) },
		"batches": func(c subscribe.Config) (*subscribe.Subscription, error) {
			return es.SubscribeBatch(db, "batches", c, several)
		},
		"mixed": func(c subscribe.Config) (*subscribe.Subscription, error) {
			return es.SubscribeBatch(db, "mixed", c, one)
		},
	} {
		n = 0
		sub, err := subscribed(subscribe.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if read, ok := errors.AsType[*es.ReadError](caughtUp(t, sub)); !ok || read.Type != "bank.account_merged" || n != 0 {
			t.Errorf("%s: %v, handled %d", name, read, n)
		}
		if sub, err = subscribed(subscribe.Config{SkipUnknown: true}); err != nil {
			t.Fatal(err)
		}
		if err := caughtUp(t, sub); err != nil || n != 5 {
			t.Errorf("%s: %v, handled %d", name, err, n)
		}
	}
	// What a handler could not read elsewhere is no reason to pass over what it handles.
	tries := 0
	sub, err := es.Subscribe(db, "elsewhere", subscribe.Config{SkipUnknown: true, Retry: subscribe.Retry{Attempts: 2, First: 1}},
		bank.Family.On(func(ctx context.Context, _ bank.Meta, _ bank.Event) error {
			tries++
			_, err := collect(bank.StreamOf(db, "z").Read(ctx, 0))
			return err
		}))
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.Run(t.Context()); tries != 2 || err == nil {
		t.Errorf("tried %d times, %v", tries, err)
	}
}

func TestRawRoutesGetWhatIsStored(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	mixed(t, db)
	var types []string
	err := handled(t, db, bank.On(bank.Ignore{}), es.OnRaw("cards", func(_ context.Context, r store.Recorded) error {
		types = append(types, r.Type)
		return nil
	}))
	if want := []string{bank.AccountOpenedName, bank.MoneyDepositedName}; err != nil || !slices.Equal(types, want) {
		t.Errorf("%q, %v", types, err)
	}
	for want, routes := range map[string][]es.Route{
		"nil":                          {es.OnRaw("cards", nil)},
		"category":                     {es.OnRaw("car-ds", func(context.Context, store.Recorded) error { return nil })},
		"takes batches":                {bank.Family.OnBatch(func(context.Context, []bank.Recorded) error { return nil })},
		"subscription \"s\"":           {bank.Family.OnBatch(nil)},
		"two routes for family cards;": {es.OnRaw("cards", func(context.Context, store.Recorded) error { return nil }), es.OnRaw("cards", func(context.Context, store.Recorded) error { return nil })},
	} {
		if _, err := es.Subscribe(db, "s", subscribe.Config{}, routes...); !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := es.SubscribeTx(db, "s", subscribe.Config{}); !errors.Is(err, store.ErrInvalid) {
		t.Error(err)
	}
	if _, err := es.SubscribeBatch(db, "s", subscribe.Config{}, es.Route{}); !errors.Is(err, store.ErrInvalid) {
		t.Error(err)
	}
}
