package estest_test

import (
	"fmt"
	"testing"

	"github.com/esgen/esgen/runtime/estest"
	"github.com/esgen/esgen/runtime/internal/bank"
)

func Example() {
	t := new(testing.T) // the argument of the test function

	account := bank.Fold(
		bank.AccountOpened{Owner: "ada", Currency: "EUR"},
		bank.MoneyDeposited{Amount: 50_00},
	)
	estest.When(t, account, bank.Withdraw(30_00)).Then(bank.MoneyWithdrawn{Amount: 30_00})
	estest.When(t, account, bank.Withdraw(80_00)).ThenError(bank.ErrInsufficient)

	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}
