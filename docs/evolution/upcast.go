package evolution

import (
	"fmt"
	"math"
)

type depositedV1 struct {
	Amount float64 `json:"amount"` // in euro
}

type depositedV2 struct {
	Amount   float64 `json:"amount"`
	Currency string  `json:"currency"`
}

//esgen:upcast name=account.deposited revision=1
func depositedV1ToV2(v depositedV1) depositedV2 {
	return depositedV2{Amount: v.Amount, Currency: "EUR"}
}

//esgen:upcast name=account.deposited revision=2
func depositedV2ToV3(v depositedV2) (Deposited, error) {
	if v.Amount < 0 {
		return Deposited{}, fmt.Errorf("a deposit of %v", v.Amount)
	}
	return Deposited{Cents: int64(math.Round(v.Amount * 100)), Currency: v.Currency, Source: Cash{}}, nil
}

type bookedV1 struct {
	Cents int64 `json:"cents"`
}

//esgen:upcast name=account.booked revision=1
func bookedV1ToEvent(v bookedV1) Event {
	switch {
	case v.Cents > 0:
		return Deposited{Cents: v.Cents, Currency: "EUR", Source: Cash{}}
	case v.Cents < 0:
		return Withdrawn{Cents: -v.Cents}
	}
	return nil
}
