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

// A command that arrives twice is stored once.
func ExampleKey() {
	ctx := context.Background()
	acct := bank.StreamOf(memory.New(memory.Config{}), "a-17")
	if _, err := acct.Append(ctx, store.NoStream, bank.AccountOpened{Owner: "ada", Currency: "EUR"}); err != nil {
		log.Fatal(err)
	}

	commandID := "8f14e45f" // comes with the command
	for range 2 {
		a, err := acct.With(es.Key(commandID)).Execute(ctx, bank.Deposit(50_00))
		fmt.Println(a.Version, a.Duplicate, err)
	}
	account, _, _ := acct.Load(ctx)
	fmt.Println(account.Balance)
	// Output:
	// 2 false <nil>
	// 2 true <nil>
	// 5000
}
