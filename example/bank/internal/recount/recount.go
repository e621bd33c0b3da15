// Package recount works a ledger out a second time, in the plainest way: a loop
// and a map. It shares no code with the bank, so that a test that compares the two
// finds what either has misunderstood.
package recount

import (
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Account is an account at the end of a ledger.
type Account struct {
	Owner, Currency string
	Closed          bool
	// Units is the balance in minor units.
	Units *big.Int
}

// Result is what a ledger comes to.
type Result struct {
	Accounts map[string]*Account
	// Accepted operations.
	Accepted int
	// Rejected are the numbers of the lines that change nothing, in order.
	Rejected []int
}

// Count works out a ledger, given as the whole text of the file.
func Count(ledger string) Result {
	r := Result{Accounts: make(map[string]*Account)}
	references := make(map[string]bool)
	for i, line := range strings.Split(ledger, "\n") {
		line = strings.TrimRight(line, "\r")
		if i == 0 || line == "" {
			continue
		}
		fields, ok := split(line)
		if !ok || !readable(fields) || references[fields[8]] {
			r.Rejected = append(r.Rejected, i+1)
			continue
		}
		references[fields[8]] = true
		if r.book(fields) {
			r.Accepted++
		} else {
			r.Rejected = append(r.Rejected, i+1)
		}
	}
	return r
}

// split cuts a line into nine fields.
func split(line string) (fields []string, ok bool) {
	if !utf8.ValidString(line) || strings.ContainsRune(line, 0) {
		return nil, false
	}
	for more := true; more; {
		m := quoted.FindStringSubmatch(line)
		if m == nil {
			m = bare.FindStringSubmatch(line)
		}
		if m == nil {
			return nil, false
		}
		fields = append(fields, strings.ReplaceAll(m[1], `""`, `"`))
		line = line[len(m[0]):]
		more = m[2] == ","
	}
	return fields, len(fields) == 9
}

var (
	quoted = regexp.MustCompile(`^"((?:[^"]|"")*)"(,|$)`)
	bare   = regexp.MustCompile(`^([^",]*)(,|$)`)

	number   = regexp.MustCompile(`^-?[0-9]+(\.[0-9]{1,2})?$`)
	currency = regexp.MustCompile(`^(CHF|EUR|GBP|USD)$`)
	largest  = new(big.Int).SetUint64(1<<63 - 1)
)

// readable tells whether the fields make an operation, possible or not.
func readable(f []string) bool {
	if _, err := time.Parse(time.RFC3339, f[0]); err != nil || f[8] == "" {
		return false
	}
	operation, to, amount, money, owner := f[1], f[3], f[4], f[5], f[6]
	switch operation {
	case "open":
		return to == "" && amount == "" && currency.MatchString(money)
	case "deposit", "withdraw":
		return to == "" && owner == "" && isAmount(amount) && currency.MatchString(money)
	case "transfer":
		return owner == "" && isAmount(amount) && currency.MatchString(money)
	case "close":
		return to == "" && amount == "" && money == "" && owner == ""
	default:
		return false
	}
}

func isAmount(text string) bool {
	return number.MatchString(text) && units(text).CmpAbs(largest) <= 0
}

// units reads an amount that number matches, in minor units.
func units(text string) *big.Int {
	amount, _ := new(big.Rat).SetString(text)
	return new(big.Int).Set(amount.Mul(amount, big.NewRat(100, 1)).Num())
}

// book does what the fields say, if it is possible.
func (r Result) book(f []string) bool {
	name, to, owner := f[2], f[3], f[6]
	from, target := r.Accounts[name], r.Accounts[to]
	usable := func(a *Account) bool { return a != nil && !a.Closed }
	if f[1] == "open" {
		if from != nil || owner == "" || !regexp.MustCompile(`^[A-Za-z0-9.-]{1,64}$`).MatchString(name) {
			return false
		}
		r.Accounts[name] = &Account{Owner: owner, Currency: f[5], Units: new(big.Int)}
		return true
	}
	if !usable(from) {
		return false
	}
	if f[1] == "close" {
		from.Closed = from.Units.Sign() == 0
		return from.Closed
	}
	amount := units(f[4])
	if amount.Sign() <= 0 || from.Currency != f[5] {
		return false
	}
	enough := from.Units.Cmp(amount) >= 0
	fits := func(a *Account) bool { return new(big.Int).Add(a.Units, amount).Cmp(largest) <= 0 }
	switch f[1] {
	case "deposit":
		if !fits(from) {
			return false
		}
		from.Units.Add(from.Units, amount)
	case "withdraw":
		if !enough {
			return false
		}
		from.Units.Sub(from.Units, amount)
	case "transfer":
		if !enough || name == to || !usable(target) || target.Currency != f[5] || !fits(target) {
			return false
		}
		from.Units.Sub(from.Units, amount)
		target.Units.Add(target.Units, amount)
	default:
		panic("operation " + f[1])
	}
	return true
}
