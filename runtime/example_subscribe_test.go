package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/subscribe"
)

// statement is a projection. It embeds Ignore: what it has no method for is
// ignored on purpose.
type statement struct{ bank.Ignore }

func (statement) OnMoneyDeposited(_ context.Context, m bank.Meta, e bank.MoneyDeposited) error {
	fmt.Println(m.ID, m.Version, "+", e.Amount)
	return nil
}

func (statement) OnMoneyWithdrawn(_ context.Context, m bank.Meta, e bank.MoneyWithdrawn) error {
	fmt.Println(m.ID, m.Version, "-", e.Amount)
	return nil
}

// Handle the events of all accounts, from the first on and as they come.
func Example_subscribe() {
	ctx, stop := context.WithCancel(context.Background())
	db := memory.New(memory.Config{})
	_, err := bank.StreamOf(db, "a-17").Append(ctx, store.NoStream,
		bank.AccountOpened{Owner: "ada", Currency: "EUR"}, bank.MoneyDeposited{Amount: 50_00}, bank.MoneyWithdrawn{Amount: 20_00})
	if err != nil {
		log.Fatal(err)
	}

	sub, err := bank.Subscribe(db, "statements", statement{}, subscribe.Config{})
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		<-sub.Live() // a program would go on; this one has seen enough
		stop()
	}()
	err = sub.Run(ctx) // blocks
	fmt.Println("stopped as asked:", errors.Is(err, context.Canceled))
	// Output:
	// a-17 2 + 5000
	// a-17 3 - 2000
	// stopped as asked: true
}
