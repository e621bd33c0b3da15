package bank

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

// Balances is a projection: what every account holds, in memory, brought up to
// date by a subscription. The zero Balances is empty and ready. Its methods are
// safe for concurrent use.
type Balances struct {
	mu       sync.RWMutex
	accounts map[string]Account
	at       store.Position
	// changed wakes those who wait for a position.
	changed store.Doorbell
}

var _ Handler = (*Balances)(nil)

// Balance is one account of [Balances].
type Balance struct {
	// Name of the account.
	Name string
	Account
}

// Subscription returns the subscription that fills b from db's first event on,
// and keeps it up to date while it runs. It is live when b holds all that db
// held. It keeps its checkpoint in memory as b is: a stored one would survive b
// and skip what the next, empty b needs.
func (b *Balances) Subscription(db store.Store) (*subscribe.Subscription, error) {
	return Subscribe(Transient(db), "balances", b, subscribe.Config{Start: subscribe.Origin})
}

// CatchUp brings b up to date once, with all that db holds now.
func (b *Balances) CatchUp(ctx context.Context, db store.Store) error {
	sub, err := b.Subscription(db)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- sub.Run(ctx) }()
	select {
	case <-sub.Live():
		stop()
	case err := <-ended:
		return err
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Of returns one account; the zero Account if there is none by this name.
func (b *Balances) Of(name string) Account {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.accounts[name]
}

// All returns all accounts by name, and the position up to which they are told.
func (b *Balances) All() ([]Balance, store.Position) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := make([]Balance, 0, len(b.accounts))
	for name, a := range maps.All(b.accounts) {
		all = append(all, Balance{Name: name, Account: a})
	}
	slices.SortFunc(all, func(x, y Balance) int { return cmp.Compare(x.Name, y.Name) })
	return all, b.at
}

// At returns the position of the last event that b knows.
func (b *Balances) At() store.Position {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.at
}

// WaitFor returns when b has seen position at, such as that of an event just
// appended, or with the error of ctx.
func (b *Balances) WaitFor(ctx context.Context, at store.Position) error {
	for {
		changed := b.changed.Wait()
		if b.At() >= at {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// OnAccountOpened adds the account.
func (b *Balances) OnAccountOpened(_ context.Context, m Meta, e AccountOpened) error {
	return b.change(m, func(a *Account) { a.ApplyAccountOpened(e) })
}

// OnMoneyDeposited adds the amount.
func (b *Balances) OnMoneyDeposited(_ context.Context, m Meta, e MoneyDeposited) error {
	return b.change(m, func(a *Account) { a.ApplyMoneyDeposited(e) })
}

// OnMoneyWithdrawn subtracts the amount.
func (b *Balances) OnMoneyWithdrawn(_ context.Context, m Meta, e MoneyWithdrawn) error {
	return b.change(m, func(a *Account) { a.ApplyMoneyWithdrawn(e) })
}

// OnTransferSent subtracts the amount.
func (b *Balances) OnTransferSent(_ context.Context, m Meta, e TransferSent) error {
	return b.change(m, func(a *Account) { a.ApplyTransferSent(e) })
}

// OnTransferReceived adds the amount.
func (b *Balances) OnTransferReceived(_ context.Context, m Meta, e TransferReceived) error {
	return b.change(m, func(a *Account) { a.ApplyTransferReceived(e) })
}

// OnAccountClosed marks the account.
func (b *Balances) OnAccountClosed(_ context.Context, m Meta, e AccountClosed) error {
	return b.change(m, func(a *Account) { a.ApplyAccountClosed(e) })
}

// change applies an event once. Subscriptions deliver at least once; the position
// tells what was seen already.
func (b *Balances) change(m Meta, apply func(*Account)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.Position <= b.at {
		return nil
	}
	if b.accounts == nil {
		b.accounts = make(map[string]Account)
	}
	a := b.accounts[m.ID]
	apply(&a)
	b.accounts[m.ID] = a
	b.at = m.Position
	b.changed.Ring()
	return nil
}
