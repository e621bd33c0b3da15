// Package purse is a small domain to measure typed streams with.
package purse

//go:generate go tool esgen

// MoneySpent records what went out of a purse.
//
//esgen:event name=purse.money_spent
type MoneySpent struct {
	Purse    string `json:"purse"`
	Owner    string `json:"owner"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
	Note     string `json:"note"`
}

// Bytes is the length of [Sample] as JSON.
const Bytes = 173

// Sample is an event of ordinary size.
var Sample = MoneySpent{
	Purse: "9f1c52f4-6a0e-4d5e-8a4b-0c7d7f6f2a11", Owner: "Ada Lovelace", Amount: 123_45, Currency: "EUR",
	Note: "two pounds of coffee, two pots of jam and what the cat wants",
}
