package bank

// Decision answers, for an account as it stands, which events happen now, or
// refuses. It is pure: it is called again if somebody else changed the account
// in the meantime, and it is tested without a database.
type Decision = func(Account) ([]Event, error)

// Open decides to open an account for owner.
func Open(owner string, currency Currency) Decision {
	return func(a Account) ([]Event, error) {
		switch {
		case a.Status == Opened:
			return nil, ErrAlreadyOpen
		case a.Status == Closed:
			return nil, ErrClosed
		case owner == "":
			return nil, ErrNoOwner
		}
		if _, err := ParseCurrency(string(currency)); err != nil {
			return nil, err
		}
		return []Event{AccountOpened{Owner: owner, Currency: currency}}, nil
	}
}

// Deposit decides to take amount in.
func Deposit(amount Money) Decision {
	return func(a Account) ([]Event, error) {
		if err := a.canReceive(amount); err != nil {
			return nil, err
		}
		return []Event{MoneyDeposited{Amount: amount}}, nil
	}
}

// Withdraw decides to pay amount out. There is no overdraft.
func Withdraw(amount Money) Decision {
	return func(a Account) ([]Event, error) {
		if err := a.canSpend(amount); err != nil {
			return nil, err
		}
		return []Event{MoneyWithdrawn{Amount: amount}}, nil
	}
}

// Send decides the sender's half of a transfer.
func Send(transfer, to string, amount Money) Decision {
	return func(a Account) ([]Event, error) {
		if err := a.canSpend(amount); err != nil {
			return nil, err
		}
		return []Event{TransferSent{Transfer: transfer, To: to, Amount: amount}}, nil
	}
}

// Receive decides the receiver's half of a transfer.
func Receive(transfer, from string, amount Money) Decision {
	return func(a Account) ([]Event, error) {
		if err := a.canReceive(amount); err != nil {
			return nil, err
		}
		return []Event{TransferReceived{Transfer: transfer, From: from, Amount: amount}}, nil
	}
}

// Close decides to end an account that holds nothing.
func Close() Decision {
	return func(a Account) ([]Event, error) {
		if err := a.usable(); err != nil {
			return nil, err
		}
		if a.Balance != 0 {
			return nil, MoneyLeftError{Balance: a.Balance}
		}
		return []Event{AccountClosed{}}, nil
	}
}

// In refuses decide for accounts that are kept in another currency. An empty
// currency means the account's own.
func In(currency Currency, decide Decision) Decision {
	return func(a Account) ([]Event, error) {
		if currency != "" && a.Status == Opened && currency != a.Currency {
			return nil, CurrencyMismatchError{Account: a.Currency, Given: currency}
		}
		return decide(a)
	}
}

func (a Account) usable() error {
	switch a.Status {
	case Opened:
		return nil
	case Closed:
		return ErrClosed
	default:
		return ErrNotOpen
	}
}

func (a Account) canReceive(amount Money) error {
	if err := a.usable(); err != nil {
		return err
	}
	if amount <= 0 {
		return NotPositiveError{Amount: amount}
	}
	// Written so that it cannot overflow itself.
	if amount > MaxMoney-a.Balance {
		return OverflowError{Balance: a.Balance, Amount: amount}
	}
	return nil
}

func (a Account) canSpend(amount Money) error {
	if err := a.usable(); err != nil {
		return err
	}
	if amount <= 0 {
		return NotPositiveError{Amount: amount}
	}
	if amount > a.Balance {
		return InsufficientFundsError{Balance: a.Balance, Amount: amount}
	}
	return nil
}
