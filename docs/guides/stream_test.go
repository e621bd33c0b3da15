package guides_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/example/bank"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func TestUseAStream(t *testing.T) {
	t.Parallel()
	if err := useAStream(t, t.Context(), database(t)); err != nil {
		t.Error(err)
	}
}

func useAStream(t *testing.T, ctx context.Context, dsn string) error {
	t.Helper()
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	db, err := postgres.New(pool, postgres.Config{})
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}

	acct := bank.StreamOf(db, "a-17")
	a, err := acct.Append(ctx, store.NoStream, bank.AccountOpened{Owner: "Ada Lovelace", Currency: bank.EUR})
	if err != nil {
		return err
	}
	a, err = acct.Append(ctx, a.Version, bank.MoneyDeposited{Amount: 50_00}, bank.MoneyWithdrawn{Amount: 20_00})
	if err != nil || a.Version != 3 || a.First != 2 || a.Last != 3 {
		t.Errorf("%+v, %v", a, err)
	}

	_, err = acct.Append(ctx, 1, bank.MoneyDeposited{Amount: 1})
	var conflict *store.ConflictError
	if errors.As(err, &conflict) {
		fmt.Println(conflict.Stream, "is at", conflict.Actual, "and not at", conflict.Expected)
	}
	if conflict == nil || conflict.Actual != 3 || conflict.Expected != 1 {
		t.Errorf("%v is no conflict", err)
	}

	a, err = acct.Execute(ctx, func(a bank.Account) ([]bank.Event, error) {
		if a.Balance < 10_00 {
			return nil, bank.InsufficientFundsError{Balance: a.Balance, Amount: 10_00}
		}
		return []bank.Event{bank.MoneyWithdrawn{Amount: 10_00}}, nil
	})
	if err != nil || a.Version != 4 {
		t.Errorf("%+v, %v", a, err)
	}

	once := acct.With(es.Key("withdrawal-4711"))
	a, err = once.Execute(ctx, bank.Withdraw(5_00))
	if err != nil {
		return err
	}
	b, err := once.Execute(ctx, bank.Withdraw(5_00))
	if err != nil || a.Version != 5 || a.Duplicate || b.Version != 5 || !b.Duplicate {
		t.Errorf("%+v and %+v, %v", a, b, err)
	}

	for r, err := range acct.Read(ctx, 0) {
		if err != nil {
			return err
		}
		switch e := r.Event.(type) {
		case bank.MoneyDeposited:
			fmt.Println(r.Version, "+", e.Amount)
		case bank.MoneyWithdrawn:
			fmt.Println(r.Version, "-", e.Amount)
		}
	}
	if account, version, err := acct.Load(ctx); err != nil || account.Balance != 15_00 || version != 5 {
		t.Errorf("%+v at %d, %v", account, version, err)
	}
	for r, err := range db.Read(ctx, store.Query{Categories: []string{"bank"}, Types: []string{bank.MoneyDepositedName}}) {
		if err != nil {
			return err
		}
		fmt.Println(r.Position, r.Stream, string(r.Data))
	}
	return nil
}
