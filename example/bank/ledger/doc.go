// Package ledger imports operations on accounts from a CSV file: one operation a
// line, in the order in which they happened, under the header that [Header]
// shows. Lines that cannot be read and operations that the bank refuses are
// reported with their number; the rest is imported.
//
//	time          when it happened, as 2025-01-31T09:30:00Z
//	operation     open, deposit, withdraw, transfer or close
//	account       the account, of a transfer the sender
//	counterparty  the receiver of a transfer
//	amount        of a deposit, withdrawal or transfer, as 12.34
//	currency      of an amount, or of the account to open
//	owner         of the account to open
//	text          shown on statements; may be empty
//	reference     names the operation, once in all files
//
// A field that an operation does not use stays empty. A line may end in \n or
// \r\n; empty lines are skipped; a quoted field ends on its line.
//
// A file can be imported again, as a whole or after it has grown or an import was
// interrupted: what was imported stays as it is. An operation that was accepted
// is known by its reference. One that was refused is known by its line and is
// refused again for the reason of the first time, even if the account could bear
// it by now: its moment is over. To have it after all, write a new line.
// Therefore import one file at a time.
package ledger

//go:generate go tool esgen
