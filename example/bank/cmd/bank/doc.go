// Bank keeps accounts in an event store. It is the example application of esgen.
//
//	bank [-db DSN] VERB ...
//
//	bank open a-17 "Ada Lovelace"
//	bank deposit a-17 100.00 -text "first deposit"
//	bank transfer a-17 b-4 25.50
//	bank statement a-17
//	bank import ledger.csv
//	bank simulate -tellers 50
//
// The accounts are in the file bank.db of the current directory, unless -db or the
// environment variable BANK_DB names another place:
//
//	sqlite:FILE         a file, durable, for one machine
//	postgres://…        a PostgreSQL database
//	memory:             nowhere: gone when the program ends
//
// Tables are made, or brought up to date, when a verb first needs them. Results
// go to the standard output, everything else to the standard error. Exit codes:
// 0 done, 1 refused or failed, 2 called wrongly.
package main
