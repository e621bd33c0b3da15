package bank

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
)

// Entry is a line of an account's statement.
type Entry struct {
	// Version of the account after it.
	Version store.Version
	Time    time.Time
	// What happened: "deposit", "transfer to a-18".
	What string
	// Text is what was given under the key [Text].
	Text string
	// Amount is negative if it left the account, 0 if no money was moved.
	Amount Money
	// Balance after it.
	Balance Money
}

// Statement yields what happened to account, oldest first. Nothing is kept
// beside the events: a statement is its stream, read. If the account was never
// opened, the error is ErrNotOpen; an error is the last pair.
func (b Bank) Statement(ctx context.Context, account string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := CheckName(account); err != nil {
			yield(Entry{}, err)
			return
		}
		var balance Money
		for r, err := range StreamOf(b.db, account).Read(ctx, 0) {
			if errors.Is(err, store.ErrStreamNotFound) {
				err = ErrNotOpen
			}
			if err != nil {
				yield(Entry{}, fmt.Errorf("statement of %s: %w", account, err))
				return
			}
			e := Entry{Version: r.Version, Time: r.Time, Text: r.Metadata.Get(Text)}
			if e.What, e.Amount, err = Describe(r.Event); err != nil {
				yield(Entry{}, err)
				return
			}
			balance += e.Amount
			e.Balance = balance
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Describe says in words what happened, and by how much it changed the balance.
// The error tells that this function does not know the event.
func Describe(e Event) (what string, amount Money, err error) {
	switch e := e.(type) {
	case AccountOpened:
		return fmt.Sprintf("opened for %s in %s", e.Owner, e.Currency), 0, nil
	case MoneyDeposited:
		return "deposit", e.Amount, nil
	case MoneyWithdrawn:
		return "withdrawal", -e.Amount, nil
	case TransferSent:
		return "transfer to " + e.To, -e.Amount, nil
	case TransferReceived:
		return "transfer from " + e.From, e.Amount, nil
	case AccountClosed:
		return "closed", 0, nil
	default:
		return "", 0, es.Unhandled(e)
	}
}
