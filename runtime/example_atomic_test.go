package runtime_test

import (
	"context"
	"fmt"
	"log"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// Change two streams, both or none.
func ExampleAtomic() {
	ctx := context.Background()
	db := memory.New(memory.Config{})
	for _, id := range []string{"a", "b"} {
		_, err := bank.StreamOf(db, id).Append(ctx, store.NoStream, bank.AccountOpened{}, bank.MoneyDeposited{Amount: 50_00})
		if err != nil {
			log.Fatal(err)
		}
	}

	send := func(amount int64) error {
		_, err := es.Atomic(ctx, db, func(ctx context.Context, s store.Streams) error {
			if _, err := bank.StreamOf(s, "b").Execute(ctx, bank.Deposit(amount)); err != nil {
				return err
			}
			_, err := bank.StreamOf(s, "a").Execute(ctx, bank.Withdraw(amount))
			return err
		})
		return err
	}
	fmt.Println(send(20_00))
	fmt.Println(send(40_00))

	for _, id := range []string{"a", "b"} {
		account, version, err := bank.StreamOf(db, id).Load(ctx)
		fmt.Println(id, account.Balance, version, err)
	}
	// Output:
	// <nil>
	// withdraw 4000 of 3000: insufficient funds
	// a 3000 3 <nil>
	// b 7000 3 <nil>
}
