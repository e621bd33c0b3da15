package bank_test

import (
	"testing"

	"github.com/esgen/esgen/example/bank"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

func TestTheFirstYearIsRead(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), memory.New(memory.Config{})
	moved := func(data string) store.Event {
		return store.Event{Type: "bank.cash_moved", Format: store.JSON, Data: []byte(data)}
	}
	events := []store.Event{moved(`{"amount":5000}`), moved(`{"amount":0}`), moved(`{"amount":-1000}`)}
	account := bank.StreamOf(db, "a-17")
	if _, err := account.Append(ctx, store.NoStream, bank.AccountOpened{Owner: "Ada Lovelace", Currency: bank.EUR}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Append(ctx, store.Batch{Stream: "bank-a-17", Expected: 1, Events: events}); err != nil {
		t.Fatal(err)
	}

	skips := 0
	a, version, err := account.With(es.OnSkip(func(es.Skipped) { skips++ })).Load(ctx)
	if err != nil || a.Balance != 40_00 || version != 4 || skips != 1 {
		t.Errorf("%+v at %d, %d skipped: %v", a, version, skips, err)
	}
	if _, err := account.Execute(ctx, bank.Withdraw(40_00)); err != nil {
		t.Error(err)
	}
}
