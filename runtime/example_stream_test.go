package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
)

// Append events to a typed stream, and read them.
func Example_appendAndRead() {
	ctx := context.Background()
	db := memory.New(memory.Config{})
	acct := bank.StreamOf(db, "a-17")

	a, err := acct.Append(ctx, store.NoStream, bank.AccountOpened{Owner: "ada", Currency: "EUR"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := acct.Append(ctx, a.Version, bank.MoneyDeposited{Amount: 50_00}); err != nil {
		log.Fatal(err)
	}
	// Somebody who still expects version 1 learns that it has moved on.
	_, err = acct.Append(ctx, a.Version, bank.MoneyWithdrawn{Amount: 50_00})
	fmt.Println(errors.Is(err, store.ErrConflict), err)

	for r, err := range acct.Read(ctx, 0) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d %s %+v\n", r.Version, r.Type, r.Event)
	}
	// Output:
	// true append to bank-a-17: conflict: expected version 1, the stream is at 2
	// 1 bank.account_opened {Owner:ada Currency:EUR}
	// 2 bank.money_deposited {Amount:5000 By:}
}
