package bank

// AccountOpened starts an account. It is always the first event.
//
//esgen:event name=bank.account_opened
type AccountOpened struct {
	Owner    string   `json:"owner"`
	Currency Currency `json:"currency"`
}

// MoneyDeposited records cash that was paid in.
//
//esgen:event name=bank.money_deposited
type MoneyDeposited struct {
	Amount Money `json:"amount"`
}

// MoneyWithdrawn records cash that was paid out.
//
//esgen:event name=bank.money_withdrawn
type MoneyWithdrawn struct {
	Amount Money `json:"amount"`
}

// TransferSent is the sender's half of a transfer. The other half, with the same
// Transfer, is stored in the same moment.
//
//esgen:event name=bank.transfer_sent
type TransferSent struct {
	Transfer string `json:"transfer"`
	To       string `json:"to"`
	Amount   Money  `json:"amount"`
}

// TransferReceived is the receiver's half of a transfer.
//
//esgen:event name=bank.transfer_received
type TransferReceived struct {
	Transfer string `json:"transfer"`
	From     string `json:"from"`
	Amount   Money  `json:"amount"`
}

// AccountClosed ends an account. Nothing happens to it afterwards.
//
//esgen:event name=bank.account_closed
type AccountClosed struct{}
