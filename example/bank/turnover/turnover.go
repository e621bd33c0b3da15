// Package turnover is a projection into a table of one's own: what went in and out
// over the counter, by day. Sums do not forgive an event that is handled twice, so
// each is handled in the transaction that moves the subscription's checkpoint: after
// any crash the table holds every event once, or not yet.
package turnover

import (
	"context"
	_ "embed"
	"errors"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/subscribe"
)

// Table is the SQL that creates the table, if it is not there, in the current schema.
// It belongs in the database of the events.
//
//go:embed turnover.sql
var Table string

//go:embed add.sql
var add string

// Subscription returns the subscription that fills the table, from the first event
// on. Any number of processes may run it; one of them at a time does. The store is
// one on PostgreSQL.
func Subscription(db store.Store) (*subscribe.Subscription, error) {
	return bank.SubscribeTx(db, "turnover", Handler{}, subscribe.Config{Start: subscribe.Origin})
}

// Handler adds what is paid in and out. Transfers stay in the house, and are left out
// with all else.
type Handler struct{ bank.Ignore }

// OnMoneyDeposited adds to what was paid in.
func (Handler) OnMoneyDeposited(ctx context.Context, m bank.Meta, e bank.MoneyDeposited) error {
	return move(ctx, m, e.Amount, 0)
}

// OnMoneyWithdrawn adds to what was paid out.
func (Handler) OnMoneyWithdrawn(ctx context.Context, m bank.Meta, e bank.MoneyWithdrawn) error {
	return move(ctx, m, 0, e.Amount)
}

func move(ctx context.Context, m bank.Meta, in, out bank.Money) error {
	tx, ok := postgres.TxFrom(ctx)
	if !ok { // to try again would not help
		return subscribe.Stop(errors.New("turnover is kept in the transactions of SubscribeTx on PostgreSQL"))
	}
	_, err := tx.Exec(ctx, add, m.Time, int64(in), int64(out))
	return err
}
