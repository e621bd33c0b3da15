package bank

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
)

// Bank carries out commands on the accounts of a store. All that there is to a
// command is here: load the account, decide, append what was decided, and decide
// again if somebody else was faster. Its methods are safe for concurrent use.
//
// A command that is refused returns an error for which [Refusal] is not empty,
// and has stored nothing.
//
// Settings of a command are those of its events. es.Key makes a command that
// arrives twice happen once and be reported as a Duplicate the second time. es.At
// is when it happened. es.Metadata says more about it; what stands there under
// [Text] is shown on statements.
type Bank struct {
	db       store.Streams
	conflict []es.Setting
}

// Text is the key in an event's metadata of what its owner reads on a
// statement. No decision depends on it, so it is no part of the events.
const Text = "text"

// New returns the bank whose accounts are kept in db. It does no I/O. Settings
// say what happens when two commands meet at one account: es.Retries and
// es.OnRetry.
func New(db store.Streams, conflict ...es.Setting) Bank {
	return Bank{db: db, conflict: conflict}
}

// Open opens account, under a name that was never used, for owner.
func (b Bank) Open(ctx context.Context, account, owner string, currency Currency, settings ...es.Setting) (store.Appended, error) {
	return b.execute(ctx, "open "+account, account, Open(owner, currency), settings)
}

// Deposit pays amount in. The currency is checked against the account's; if it
// is empty, it is the account's.
func (b Bank) Deposit(ctx context.Context, account string, amount Money, currency Currency, settings ...es.Setting) (store.Appended, error) {
	return b.execute(ctx, fmt.Sprintf("deposit %s to %s", amount, account), account, In(currency, Deposit(amount)), settings)
}

// Withdraw pays amount out, as Deposit pays in.
func (b Bank) Withdraw(ctx context.Context, account string, amount Money, currency Currency, settings ...es.Setting) (store.Appended, error) {
	return b.execute(ctx, fmt.Sprintf("withdraw %s from %s", amount, account), account, In(currency, Withdraw(amount)), settings)
}

// Close closes an account that holds no money.
func (b Bank) Close(ctx context.Context, account string, settings ...es.Setting) (store.Appended, error) {
	return b.execute(ctx, "close "+account, account, Close(), settings)
}

// Account returns the account and the version that it is at. An account that
// was never opened is the zero Account at version 0.
func (b Bank) Account(ctx context.Context, account string) (Account, store.Version, error) {
	if err := CheckName(account); err != nil {
		return Account{}, 0, err
	}
	return StreamOf(b.db, account).Load(ctx)
}

func (b Bank) execute(ctx context.Context, command, account string, decide Decision, settings []es.Setting) (store.Appended, error) {
	if err := CheckName(account); err != nil {
		return store.Appended{}, err
	}
	appended, err := StreamOf(b.db, account).With(b.conflict...).With(settings...).Execute(ctx, decide)
	if err != nil {
		return store.Appended{}, fmt.Errorf("%s: %w", command, err)
	}
	return appended, nil
}

// Transfer is an order to move money from one account to another.
type Transfer struct {
	// ID is the identity of the transfer: ordered again under the same one, it
	// is made once. Defaults to a new one.
	ID string
	// From and To are two different accounts.
	From, To string
	// Amount is more than 0.
	Amount Money
	// Currency of the amount. Defaults to that of the account From. An account
	// To that is kept in another one refuses.
	Currency Currency
}

// Transfer moves money between two accounts: both halves are stored in one
// moment or none is, so that nobody ever sees money that is in neither account
// or in both. The result is the sender's half.
func (b Bank) Transfer(ctx context.Context, t Transfer, settings ...es.Setting) (store.Appended, error) {
	if err := t.check(); err != nil {
		return store.Appended{}, err
	}
	if t.ID == "" {
		t.ID = uuid.NewString()
	}
	settings = append([]es.Setting{es.Key("transfer " + t.ID)}, settings...)

	sent, err := b.transfer(ctx, t, settings)
	if errors.Is(err, TransferReusedError{Transfer: t.ID}) {
		// Or a repeat of this very order was stored between the two reads. A
		// second look tells.
		sent, err = b.transfer(ctx, t, settings)
	}
	if err != nil {
		return store.Appended{}, fmt.Errorf("transfer %s from %s to %s: %w", t.Amount, t.From, t.To, err)
	}
	return sent, nil
}

func (b Bank) transfer(ctx context.Context, t Transfer, settings []es.Setting) (sent store.Appended, _ error) {
	appended, err := es.Atomic(ctx, b.db, func(ctx context.Context, s store.Streams) (err error) {
		currency := t.Currency
		sent, err = StreamOf(s, t.From).With(settings...).Execute(ctx, func(a Account) ([]Event, error) {
			if currency == "" {
				currency = a.Currency
			}
			return In(currency, Send(t.ID, t.To, t.Amount))(a)
		})
		// A first half that was stored before was stored with its second half.
		if err != nil || sent.Duplicate {
			return err
		}
		received, err := StreamOf(s, t.To).With(settings...).Execute(ctx, In(currency, Receive(t.ID, t.From, t.Amount)))
		if received.Duplicate {
			return TransferReusedError{Transfer: t.ID}
		}
		return err
	}, b.conflict...)
	if err != nil || sent.Duplicate {
		return sent, err
	}
	return appended[0], nil
}

func (t Transfer) check() error {
	if err := CheckName(t.From); err != nil {
		return err
	}
	if err := CheckName(t.To); err != nil {
		return err
	}
	if t.From == t.To {
		return fmt.Errorf("transfer %s from %s to %s: %w", t.Amount, t.From, t.To, ErrSameAccount)
	}
	return nil
}

// maxName bounds the names of accounts, in bytes.
const maxName = 64

// CheckName returns an [AccountNameError] unless name can name an account: 1 to
// 64 letters, digits, dots and dashes of ASCII.
func CheckName(name string) error {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-"
	if name == "" || len(name) > maxName || strings.Trim(name, allowed) != "" {
		return AccountNameError{Name: name}
	}
	return nil
}
