package bank_test

import (
	"testing"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/runtime/estest"
)

// Decisions are tested without a store: given what has happened, when something
// is asked for, then these events follow, or this refusal.

var (
	opened    = bank.AccountOpened{Owner: "Ada Lovelace", Currency: bank.EUR}
	never     = bank.Fold()
	empty     = bank.Fold(opened)
	withFifty = bank.Fold(opened, bank.MoneyDeposited{Amount: 80_00}, bank.MoneyWithdrawn{Amount: 30_00})
	full      = bank.Fold(opened, bank.MoneyDeposited{Amount: bank.MaxMoney})
	closed    = bank.Fold(opened, bank.AccountClosed{})
)

func TestOpen(t *testing.T) {
	t.Parallel()
	estest.When(t, never, bank.Open("Ada Lovelace", bank.EUR)).Then(opened)
	estest.When(t, empty, bank.Open("Ada Lovelace", bank.EUR)).ThenError(bank.ErrAlreadyOpen)
	estest.When(t, closed, bank.Open("Ada Lovelace", bank.EUR)).ThenError(bank.ErrClosed)
	estest.When(t, never, bank.Open("", bank.EUR)).ThenError(bank.ErrNoOwner)
	estest.When(t, never, bank.Open("Ada Lovelace", "JPY")).ThenError(bank.CurrencyError{Code: "JPY"})
}

func TestDeposit(t *testing.T) {
	t.Parallel()
	estest.When(t, empty, bank.Deposit(50_00)).Then(bank.MoneyDeposited{Amount: 50_00})
	estest.When(t, empty, bank.Deposit(bank.MaxMoney)).Then(bank.MoneyDeposited{Amount: bank.MaxMoney})
	estest.When(t, full, bank.Deposit(1)).ThenError(bank.OverflowError{Balance: bank.MaxMoney, Amount: 1})
	estest.When(t, withFifty, bank.Deposit(bank.MaxMoney)).ThenError(bank.OverflowError{Balance: 50_00, Amount: bank.MaxMoney})
	estest.When(t, empty, bank.Deposit(0)).ThenError(bank.NotPositiveError{})
	estest.When(t, empty, bank.Deposit(-1)).ThenError(bank.NotPositiveError{Amount: -1})
	estest.When(t, never, bank.Deposit(1)).ThenError(bank.ErrNotOpen)
	estest.When(t, closed, bank.Deposit(1)).ThenError(bank.ErrClosed)
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	estest.When(t, withFifty, bank.Withdraw(30_00)).Then(bank.MoneyWithdrawn{Amount: 30_00})
	estest.When(t, withFifty, bank.Withdraw(50_00)).Then(bank.MoneyWithdrawn{Amount: 50_00})
	estest.When(t, withFifty, bank.Withdraw(50_01)).ThenError(bank.InsufficientFundsError{Balance: 50_00, Amount: 50_01})
	estest.When(t, withFifty, bank.Withdraw(0)).ThenError(bank.NotPositiveError{})
	estest.When(t, withFifty, bank.Withdraw(-50_00)).ThenError(bank.NotPositiveError{Amount: -50_00})
	estest.When(t, never, bank.Withdraw(1)).ThenError(bank.ErrNotOpen)
	estest.When(t, closed, bank.Withdraw(1)).ThenError(bank.ErrClosed)
}

func TestSend(t *testing.T) {
	t.Parallel()
	estest.When(t, withFifty, bank.Send("t-1", "b-2", 20_00)).Then(bank.TransferSent{Transfer: "t-1", To: "b-2", Amount: 20_00})
	estest.When(t, withFifty, bank.Send("t-1", "b-2", 50_01)).ThenError(bank.InsufficientFundsError{Balance: 50_00, Amount: 50_01})
	estest.When(t, withFifty, bank.Send("t-1", "b-2", 0)).ThenError(bank.NotPositiveError{})
	estest.When(t, never, bank.Send("t-1", "b-2", 1)).ThenError(bank.ErrNotOpen)
	estest.When(t, closed, bank.Send("t-1", "b-2", 1)).ThenError(bank.ErrClosed)
}

func TestReceive(t *testing.T) {
	t.Parallel()
	estest.When(t, empty, bank.Receive("t-1", "a-1", 20_00)).Then(bank.TransferReceived{Transfer: "t-1", From: "a-1", Amount: 20_00})
	estest.When(t, full, bank.Receive("t-1", "a-1", 1)).ThenError(bank.OverflowError{Balance: bank.MaxMoney, Amount: 1})
	estest.When(t, empty, bank.Receive("t-1", "a-1", 0)).ThenError(bank.NotPositiveError{})
	estest.When(t, never, bank.Receive("t-1", "a-1", 1)).ThenError(bank.ErrNotOpen)
	estest.When(t, closed, bank.Receive("t-1", "a-1", 1)).ThenError(bank.ErrClosed)
}

func TestClose(t *testing.T) {
	t.Parallel()
	estest.When(t, empty, bank.Close()).Then(bank.AccountClosed{})
	estest.When(t, withFifty, bank.Close()).ThenError(bank.MoneyLeftError{Balance: 50_00})
	estest.When(t, never, bank.Close()).ThenError(bank.ErrNotOpen)
	estest.When(t, closed, bank.Close()).ThenError(bank.ErrClosed)
}

func TestIn(t *testing.T) {
	t.Parallel()
	estest.When(t, empty, bank.In(bank.EUR, bank.Deposit(1))).Then(bank.MoneyDeposited{Amount: 1})
	estest.When(t, empty, bank.In("", bank.Deposit(1))).Then(bank.MoneyDeposited{Amount: 1})
	estest.When(t, empty, bank.In(bank.USD, bank.Deposit(1))).ThenError(bank.CurrencyMismatchError{Account: bank.EUR, Given: bank.USD})
	estest.When(t, never, bank.In(bank.USD, bank.Deposit(1))).ThenError(bank.ErrNotOpen)
	estest.When(t, closed, bank.In(bank.USD, bank.Deposit(1))).ThenError(bank.ErrClosed)
}
