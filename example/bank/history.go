package bank

// cashMovedV1 is how the bank stored cash in its first year: deposits and withdrawals
// were one event, and a withdrawal a negative amount.
type cashMovedV1 struct {
	Moved Money `json:"amount"`
}

// cashMoved reads them as what they are called today. A teller who moved nothing made
// an event, too; nobody misses it.
//
//esgen:upcast name=bank.cash_moved revision=1
func cashMoved(v cashMovedV1) Event {
	switch {
	case v.Moved > 0:
		return MoneyDeposited{Amount: v.Moved}
	case v.Moved < 0:
		return MoneyWithdrawn{Amount: -v.Moved}
	}
	return nil
}
