package estest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/estest"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
)

func Example() {
	t := new(testing.T) // the argument of the test function

	account := estest.For(t, bank.Fold).Given(
		bank.AccountOpened{Owner: "ada", Currency: "EUR"},
		bank.MoneyDeposited{Amount: 50_00},
	)
	account.When(bank.Withdraw(30_00)).Then(bank.MoneyWithdrawn{Amount: 30_00})
	account.When(bank.Withdraw(80_00)).ThenError(bank.ErrInsufficient)

	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

func ExampleStore_Overtake() {
	t := new(testing.T) // the argument of the test function

	db := estest.NewStore(t, estest.Config{})
	ctx := context.Background()
	account := bank.StreamOf(db, "a-17")
	if _, err := account.Append(ctx, store.NoStream, bank.AccountOpened{Owner: "ada"}, bank.MoneyDeposited{Amount: 50_00}); err != nil {
		fmt.Println(err)
	}

	// Somebody draws 30 while we decide to draw 40.
	db.Overtake("bank-a-17", func(ctx context.Context, others store.Streams) error {
		_, err := bank.StreamOf(others, "a-17").Execute(ctx, bank.Withdraw(30_00))
		return err
	})
	_, err := account.Execute(ctx, bank.Withdraw(40_00))
	fmt.Println(err)

	db.Clock.Advance(time.Hour)
	_, err = account.With(es.Metadata{"by": "teller 3"}).Execute(ctx, bank.Withdraw(20_00))
	fmt.Println(err)
	last := db.Recorded("bank-a-17")[3]
	fmt.Println(last.ID == estest.ID(4), last.Time.Format(time.DateTime), string(last.Metadata))
	// Output:
	// withdraw 4000 of 2000: insufficient funds
	// <nil>
	// true 2000-01-01 13:00:00 {"by":"teller 3"}
}
