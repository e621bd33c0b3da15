package bank_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/example/bank/internal/banktest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

func TestBalancesAreRebuiltByEveryProgram(t *testing.T) {
	t.Parallel()
	banktest.OnEveryStore(t, func(t *testing.T, db store.Store) {
		b := newBank(t, db)
		if _, err := b.Transfer(t.Context(), bank.Transfer{From: "a-1", To: "b-2", Amount: 30_00}); err != nil {
			t.Fatal(err)
		}
		// Twice: neither keeps the other from beginning at the first event.
		for range 2 {
			all, at := banktest.Balances(t, db).All()
			account := func(name string, c bank.Currency, m bank.Money) bank.Balance {
				return bank.Balance{Name: name, Account: bank.Account{Status: bank.Opened, Owner: "Ada Lovelace", Currency: c, Balance: m}}
			}
			want := []bank.Balance{account("a-1", bank.EUR, 70_00), account("b-2", bank.EUR, 30_00), account("c-3", bank.CHF, 0), account("e-5", bank.EUR, 0)}
			if diff := cmp.Diff(want, all); diff != "" || at != 7 {
				t.Errorf("at position %d, want 7 (-want +got):\n%s", at, diff)
			}
		}
	})
}

func TestBalancesFollow(t *testing.T) {
	t.Parallel()
	db := memory.New(memory.Config{})
	b := newBank(t, db)
	var balances bank.Balances
	sub, err := balances.Subscription(db)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sub.Run(ctx) }()
	<-sub.Live()
	done, err := b.Deposit(t.Context(), "b-2", 7_00, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := balances.WaitFor(t.Context(), done.Last); err != nil {
		t.Fatal(err)
	}
	if got := balances.Of("b-2").Balance; got != 7_00 {
		t.Errorf("b-2 holds %s, want 7.00", got)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := balances.WaitFor(ctx, done.Last+1); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for what does not come: %v", err)
	}
}

// TestBalancesBearAnEventTwice hands over what a subscription hands over again
// after a crash.
func TestBalancesBearAnEventTwice(t *testing.T) {
	t.Parallel()
	var b bank.Balances
	for range 2 {
		for i, e := range []bank.MoneyDeposited{{Amount: 1_00}, {Amount: 2_00}} {
			if err := b.OnMoneyDeposited(t.Context(), bank.Meta{ID: "a-1", Position: store.Position(i + 1)}, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := b.Of("a-1").Balance; got != 3_00 {
		t.Errorf("a-1 holds %s, want 3.00", got)
	}
}
