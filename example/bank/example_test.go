package bank_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/esgen/esgen/example/bank"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/estest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// The README shows what these examples do; a test holds the two together.

func Example() {
	ctx := context.Background()
	db := memory.New(memory.Config{})
	for _, name := range []string{"a-17", "b-4"} {
		if _, err := bank.StreamOf(db, name).Execute(ctx, bank.Open("Ada Lovelace", bank.EUR)); err != nil {
			fmt.Println(err)
		}
	}
	commandID := "5f0c-1"

	acct := bank.StreamOf(db, "a-17")

	// The same command twice, in two processes, is stored once.
	a, err := acct.With(es.Key(commandID)).Execute(ctx, bank.Deposit(50_00))
	fmt.Println(a.Version, a.Duplicate, err)
	a, err = acct.With(es.Key(commandID)).Execute(ctx, bank.Deposit(50_00))
	fmt.Println(a.Version, a.Duplicate, err)

	// Load, decide, append; on a conflict load and decide again.
	a, err = acct.Execute(ctx, func(a bank.Account) ([]bank.Event, error) {
		if a.Balance < 30_00 {
			return nil, bank.InsufficientFundsError{Balance: a.Balance, Amount: 30_00}
		}
		return []bank.Event{bank.MoneyWithdrawn{Amount: 30_00}}, nil
	})
	fmt.Println(a.Version, err)

	// Several streams change together or not at all.
	_, err = es.Atomic(ctx, db, func(ctx context.Context, s store.Streams) error {
		if _, err := bank.StreamOf(s, "a-17").Execute(ctx, bank.Send("t-1", "b-4", 20_00)); err != nil {
			return err
		}
		_, err := bank.StreamOf(s, "b-4").Execute(ctx, bank.Receive("t-1", "a-17", 20_00))
		return err
	})
	fmt.Println(err)

	// Who expects another version learns the actual one.
	_, err = acct.Append(ctx, 2, bank.MoneyWithdrawn{Amount: 1_00})
	fmt.Println(errors.Is(err, store.ErrConflict), err)

	// Output:
	// 2 false <nil>
	// 2 true <nil>
	// 3 <nil>
	// <nil>
	// true append to bank-a-17: conflict: expected version 2, the stream is at 4
}

// deposits counts deposits, and ignores the rest on purpose.
type deposits struct {
	bank.Ignore
	seen chan bank.Money
}

func (d deposits) OnMoneyDeposited(_ context.Context, _ bank.Meta, e bank.MoneyDeposited) error {
	d.seen <- e.Amount
	return nil
}

func ExampleSubscribe() {
	ctx, stop := context.WithCancel(context.Background())
	db := memory.New(memory.Config{})
	acct := bank.StreamOf(db, "a-17")
	if _, err := acct.Append(ctx, store.NoStream, bank.AccountOpened{Owner: "Ada Lovelace", Currency: bank.EUR}, bank.MoneyDeposited{Amount: 50_00}); err != nil {
		fmt.Println(err)
	}
	handler := deposits{seen: make(chan bank.Money)}

	// A handler has one method per event; embed bank.Ignore to leave some out.
	sub, err := bank.Subscribe(db, "deposits", handler, subscribe.Config{Start: subscribe.Origin})
	if err != nil {
		fmt.Println(err)
	}
	ended := make(chan error)
	go func() { ended <- sub.Run(ctx) }() // every event at least once, in order

	fmt.Println(<-handler.seen)
	stop()
	fmt.Println(<-ended)
	// Output:
	// 50.00
	// context canceled
}

func TestReadmeDecision(t *testing.T) {
	t.Parallel()
	estest.For(t, bank.Fold).
		Given(bank.AccountOpened{Owner: "Ada Lovelace", Currency: bank.EUR}, bank.MoneyDeposited{Amount: 50_00}).
		When(bank.Withdraw(30_00)).
		Then(bank.MoneyWithdrawn{Amount: 30_00})
}
