#!/bin/sh
# Imports the ledger of a small town into an embedded store, shows what is in it,
# and lets fifty tellers work on it at once. The store is in a new directory, named
# in the end, so that you can go on with it.
set -eu
cd "$(dirname "$0")"
place=$(mktemp -d)
go build -o "$place/bank" ./cmd/bank
BANK_DB="sqlite:$place/bank.db"
export BANK_DB

show() {
	printf '\n$ bank %s\n' "$*"
	"$place/bank" "$@"
}

show import ledger.csv
show balances | head -n 12
show statement p-1001
show simulate -tellers 50 -operations 2000
printf '\nGo on with: BANK_DB=%s %s/bank -h\n' "$BANK_DB" "$place"
