package evolution

// Source is where money comes from.
//
//esgen:union
type Source interface{ isSource() }

// Cash was paid in at a counter.
//
//esgen:member name=cash
type Cash struct {
	Counter int `json:"counter,omitempty"`
}

// Transfer came from another bank.
//
//esgen:member name=transfer
type Transfer struct {
	IBAN string `json:"iban"`
}

func (Cash) isSource()     {}
func (Transfer) isSource() {}
