// Package bank is a family of events for the tests and examples of package
// runtime, as small as they allow. How a real one looks shows example/bank.
package bank

import (
	"errors"
	"fmt"
)

// AccountOpened starts an account. It is always the first event.
//
//esgen:event name=bank.account_opened
type AccountOpened struct {
	Owner    string `json:"owner"`
	Currency string `json:"currency"`
}

// MoneyDeposited records a credit.
//
//esgen:event name=bank.money_deposited revision=2
type MoneyDeposited struct {
	Amount int64  `json:"amount"` // minor units
	By     string `json:"by,omitempty"`
}

// MoneyWithdrawn records a debit.
//
//esgen:event name=bank.money_withdrawn
type MoneyWithdrawn struct {
	Amount int64 `json:"amount"`
}

// Account is what the decisions need to know.
//
//esgen:state
type Account struct {
	Open    bool
	Balance int64
}

// ApplyAccountOpened opens the account.
func (a *Account) ApplyAccountOpened(AccountOpened) { a.Open = true }

// ApplyMoneyDeposited raises the balance.
func (a *Account) ApplyMoneyDeposited(e MoneyDeposited) { a.Balance += e.Amount }

// ApplyMoneyWithdrawn lowers the balance.
func (a *Account) ApplyMoneyWithdrawn(e MoneyWithdrawn) { a.Balance -= e.Amount }

// Errors of decisions.
var (
	ErrNotOpen      = errors.New("account is not open")
	ErrInsufficient = errors.New("insufficient funds")
)

// Open decides to open an account that is not open yet.
func Open(owner, currency string) func(Account) ([]Event, error) {
	return func(a Account) ([]Event, error) {
		if a.Open {
			return nil, nil
		}
		return []Event{AccountOpened{Owner: owner, Currency: currency}}, nil
	}
}

// Deposit decides on a credit.
func Deposit(amount int64) func(Account) ([]Event, error) {
	return func(a Account) ([]Event, error) {
		if !a.Open {
			return nil, ErrNotOpen
		}
		return []Event{MoneyDeposited{Amount: amount}}, nil
	}
}

// Withdraw decides on a debit, which the balance must cover.
func Withdraw(amount int64) func(Account) ([]Event, error) {
	return func(a Account) ([]Event, error) {
		if amount > a.Balance {
			return nil, fmt.Errorf("withdraw %d of %d: %w", amount, a.Balance, ErrInsufficient)
		}
		return []Event{MoneyWithdrawn{Amount: amount}}, nil
	}
}
