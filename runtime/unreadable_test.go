package runtime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/serializer"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
	"github.com/esgen/esgen/runtime/typeregistry"
)

// older is a binary that was built before money could be withdrawn, and before
// the second revision of a deposit.
var older = es.NewFamily[string, bank.Event]("bank", typeregistry.Must(
	typeregistry.Of(bank.AccountOpened{}, bank.AccountOpenedName, 1),
	typeregistry.Of(bank.MoneyDeposited{}, bank.MoneyDepositedName, 1),
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

func TestALaneWaitsAtAnUnknownTypeAndGoesOnInABinaryThatKnowsIt(t *testing.T) {
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
			read, ok := errors.AsType[*es.ReadError](err)
			if !ok || read.Position != 2 || read.Type != bank.MoneyWithdrawnName {
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
