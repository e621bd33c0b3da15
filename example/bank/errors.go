package bank

import (
	"errors"
	"fmt"
)

// Refusals that carry no data. Those with data are the types below: values, not
// pointers, so that errors.Is compares their numbers too. All of them are an
// answer to a customer, not a failure of the bank: [Refusal] tells them from the
// rest.
var (
	// ErrNotOpen: the account was never opened.
	ErrNotOpen = errors.New("the account does not exist: it was never opened")
	// ErrAlreadyOpen: an account is opened once.
	ErrAlreadyOpen = errors.New("the account is open already")
	// ErrClosed: a closed account stays closed.
	ErrClosed = errors.New("the account is closed")
	// ErrNoOwner: an account has an owner.
	ErrNoOwner = errors.New("the account needs an owner")
	// ErrSameAccount: a transfer needs two accounts.
	ErrSameAccount = errors.New("a transfer needs two different accounts")
)

// InsufficientFundsError tells that an account holds less than the amount. There
// is no overdraft.
type InsufficientFundsError struct{ Balance, Amount Money }

func (e InsufficientFundsError) Error() string {
	return fmt.Sprintf("insufficient funds: the balance is %s, the amount %s", e.Balance, e.Amount)
}

// NotPositiveError tells that an amount was zero or less.
type NotPositiveError struct{ Amount Money }

func (e NotPositiveError) Error() string {
	return fmt.Sprintf("the amount is %s; it must be positive", e.Amount)
}

// OverflowError tells that an account cannot hold the amount in addition.
type OverflowError struct{ Balance, Amount Money }

func (e OverflowError) Error() string {
	return fmt.Sprintf("the balance of %s and the amount of %s exceed what an account can hold, %s", e.Balance, e.Amount, MaxMoney)
}

// MoneyLeftError tells that an account cannot be closed while it holds money.
type MoneyLeftError struct{ Balance Money }

func (e MoneyLeftError) Error() string {
	return fmt.Sprintf("the account holds %s: withdraw or transfer it before closing", e.Balance)
}

// CurrencyMismatchError tells that an account is kept in another currency. The
// bank does not exchange.
type CurrencyMismatchError struct{ Account, Given Currency }

func (e CurrencyMismatchError) Error() string {
	return fmt.Sprintf("the account is kept in %s, the amount is in %s", e.Account, e.Given)
}

// CurrencyError tells that a code names no currency of this bank.
type CurrencyError struct{ Code string }

func (e CurrencyError) Error() string {
	return fmt.Sprintf("%q is no currency of this bank; it keeps CHF, EUR, GBP and USD", e.Code)
}

// AmountError tells that a text is no amount.
type AmountError struct{ Text, Reason string }

func (e AmountError) Error() string { return fmt.Sprintf("amount %q %s", e.Text, e.Reason) }

// AccountNameError tells that a text cannot name an account.
type AccountNameError struct{ Name string }

func (e AccountNameError) Error() string {
	return fmt.Sprintf("%.80q names no account: names are 1 to %d letters, digits, dots and dashes", e.Name, maxName)
}

// TransferReusedError tells that the identity of a transfer was used before, for
// a transfer from another account. Nothing was stored.
type TransferReusedError struct{ Transfer string }

func (e TransferReusedError) Error() string {
	return fmt.Sprintf("transfer %s was made before, from another account: give this one an identity of its own", e.Transfer)
}
