// Package evolution is the family of events that docs/evolution.md changes over the
// years.
package evolution

//go:generate go tool esgen

//esgen:family name=account

// Opened starts an account. It was stored as account.created in the first year.
//
//esgen:event name=account.opened alias=account.created
type Opened struct {
	Owner string `json:"owner"`
	Note  string `json:"note,omitempty"`
}

// Deposited is a credit.
//
//esgen:event name=account.deposited revision=3
type Deposited struct {
	Cents    int64  `json:"cents"`
	Currency string `json:"currency"`
	Source   Source `json:"source"`
}

// Withdrawn is a debit.
//
//esgen:event name=account.withdrawn
type Withdrawn struct {
	Cents int64 `json:"cents"`
}

// OverdraftGranted let an account go below zero.
//
//esgen:retired name=account.overdraft_granted "reason=not sold since 2024"
type OverdraftGranted struct {
	Cents int64 `json:"cents"`
}

//esgen:retired name=account.statement_viewed "reason=is no business of the account"
