package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store/memory"
)

// Decide by the state that the stream's events lead to. If somebody else appends
// meanwhile, it is loaded and decided again.
func Example_execute() {
	ctx := context.Background()
	acct := bank.StreamOf(memory.New(memory.Config{}), "a-17")

	for _, decide := range []func(bank.Account) ([]bank.Event, error){
		bank.Open("ada", "EUR"),
		bank.Deposit(50_00),
		bank.Withdraw(20_00),
	} {
		if _, err := acct.Execute(ctx, decide); err != nil {
			log.Fatal(err)
		}
	}
	_, err := acct.Execute(ctx, bank.Withdraw(40_00))
	fmt.Println(errors.Is(err, bank.ErrInsufficient), err)

	state, version, err := acct.Load(ctx)
	fmt.Println(state.Balance, version, err)
	// Output:
	// true withdraw 4000 of 3000: insufficient funds
	// 3000 3 <nil>
}
