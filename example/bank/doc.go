// Package bank is the example application of esgen: accounts that are opened,
// paid into, drawn from, transferred between and closed.
//
// Read it in this order:
//
//   - event.go: what can happen to an account. These structs are stored.
//   - account.go: what the decisions need to know, folded from the events.
//   - decision.go: what may happen: pure functions from an account to events.
//   - history.go: what the bank stored differently once.
//   - bank.go: the commands: load, decide, append, and a transfer that is atomic
//     over two accounts.
//   - balances.go, statement.go: what is read: a projection and a stream.
//   - package turnover: a projection in a table, in which every event counts once.
//
// What is generated from event.go and account.go stands in bank.es.go, and a
// catalogue of the events in docs/events. Package
// ledger imports operations from a CSV file, package simulation lets many
// tellers work at once, and cmd/bank is the command line.
package bank

//go:generate go tool esgen
//go:generate go tool esgen docs ./...
//go:generate go run ./internal/town/write -o ledger.csv
