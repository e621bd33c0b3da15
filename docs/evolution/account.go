package evolution

// Account is what the decisions need to know.
//
//esgen:state snapshots=500
type Account struct {
	Balance int64 `json:"balance"`
	Limit   int64 `json:"limit"`
}

// ApplyOpened changes nothing.
func (a *Account) ApplyOpened(Opened) {}

// ApplyDeposited raises the balance.
func (a *Account) ApplyDeposited(e Deposited) { a.Balance += e.Cents }

// ApplyWithdrawn lowers the balance.
func (a *Account) ApplyWithdrawn(e Withdrawn) { a.Balance -= e.Cents }

// ApplyOverdraftGranted sets the limit, which is kept though it is no longer granted.
func (a *Account) ApplyOverdraftGranted(e OverdraftGranted) { a.Limit = e.Cents }
