package bank

// Account is what the decisions need to know of an account. The zero Account is
// one that was never opened.
//
//esgen:state
type Account struct {
	Status   Status
	Owner    string
	Currency Currency
	Balance  Money
}

// Status is where an account stands in its life.
type Status int

// An account is opened once and closed once.
const (
	NotOpened Status = iota
	Opened
	Closed
)

// String returns "not opened", "open" or "closed".
func (s Status) String() string {
	switch s {
	case Opened:
		return "open"
	case Closed:
		return "closed"
	default:
		return "not opened"
	}
}

// ApplyAccountOpened makes the account usable.
func (a *Account) ApplyAccountOpened(e AccountOpened) {
	a.Status, a.Owner, a.Currency = Opened, e.Owner, e.Currency
}

// ApplyMoneyDeposited adds the amount.
func (a *Account) ApplyMoneyDeposited(e MoneyDeposited) { a.Balance += e.Amount }

// ApplyMoneyWithdrawn subtracts the amount.
func (a *Account) ApplyMoneyWithdrawn(e MoneyWithdrawn) { a.Balance -= e.Amount }

// ApplyTransferSent subtracts the amount.
func (a *Account) ApplyTransferSent(e TransferSent) { a.Balance -= e.Amount }

// ApplyTransferReceived adds the amount.
func (a *Account) ApplyTransferReceived(e TransferReceived) { a.Balance += e.Amount }

// ApplyAccountClosed ends the account.
func (a *Account) ApplyAccountClosed(AccountClosed) { a.Status = Closed }
