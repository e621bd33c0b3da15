// Package town makes up the ledger of a small town: people who earn, pay rent, buy
// groceries, owe each other money, move in and move away. The same seed gives the
// same bytes, on every machine and with every release of Go.
package town

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// Config is a town. The zero value is the one whose ledger is committed.
type Config struct {
	// Lines below the header. Defaults to 10 000.
	Lines int
	// People who live there in the beginning. Defaults to 300.
	People int
	// Seed of all that happens by chance. Defaults to 1.
	Seed uint64
}

// Write writes the ledger. About one line in forty is wrong on purpose, in every
// way that mistake.go knows.
func Write(w io.Writer, c Config) error {
	if c.Lines == 0 {
		c.Lines = 10_000
	}
	if c.People == 0 {
		c.People = 300
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	t := &town{
		// PCG is specified, so the sequence outlives releases of Go; what is
		// drawn from it is computed here for the same reason.
		chance:  chance{rand.NewPCG(c.Seed, 0)},
		limit:   c.Lines,
		balance: make(map[string]int64),
		now:     time.Date(2025, time.January, 1, 8, 0, 0, 0, time.UTC),
	}
	t.found(c.People)
	for day := time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC); len(t.lines) < t.limit; {
		t.live(day)
		day = day.AddDate(0, 0, 1)
		t.now = day.Add(time.Duration(6*60+t.below(120)) * time.Minute)
	}
	_, err := io.WriteString(w, "time,operation,account,counterparty,amount,currency,owner,text,reference\n"+
		strings.Join(t.lines[:t.limit], ""))
	return err
}

// town keeps the books of its own, so that what is not wrong on purpose is right.
type town struct {
	chance
	limit int
	lines []string
	now   time.Time

	people    []*person
	employers []*firm
	shops     []*firm
	landlords []*firm
	closed    []string
	// balance in minor units, by account.
	balance map[string]int64
	numbers int
}

type person struct {
	account, name, currency string
	employer, landlord      *firm
	salary, rent            int64
}

type firm struct{ account, name, currency, sells string }

// entry is a line as its fields.
type entry struct {
	time                                     string
	operation, account, counterparty         string
	amount, currency, owner, text, reference string
}

func (e entry) String() string {
	return strings.Join([]string{
		e.time, e.operation, e.account, e.counterparty, e.amount, e.currency, quoted(e.owner), quoted(e.text), e.reference,
	}, ",") + "\n"
}

func quoted(field string) string {
	if strings.ContainsAny(field, `,"`) {
		return `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
	}
	return field
}

func money(units int64) string { return fmt.Sprintf("%d.%02d", units/100, units%100) }

// stamp returns the fields that every line has, some seconds after the last one.
func (t *town) stamp(operation, account string) entry {
	t.now = t.now.Add(time.Duration(1+t.below(90)) * time.Second)
	t.numbers++
	return entry{
		time: t.now.Format(time.RFC3339), operation: operation, account: account,
		reference: fmt.Sprintf("%s-%05d", t.now.Format("0601"), t.numbers),
	}
}

// write adds a line, and now and then a wrong one after it.
func (t *town) write(e entry) {
	t.lines = append(t.lines, e.String())
	if len(t.people) > 0 && t.below(40) == 0 {
		t.lines = append(t.lines, t.mistake(e))
	}
}

func (t *town) open(account, owner, currency string) {
	e := t.stamp("open", account)
	e.owner, e.currency = owner, currency
	t.balance[account] = 0
	t.write(e)
}

func (t *town) deposit(account, currency string, amount int64, text string) {
	e := t.stamp("deposit", account)
	e.amount, e.currency, e.text = money(amount), currency, text
	t.balance[account] += amount
	t.write(e)
}

func (t *town) withdraw(account, currency string, amount int64, text string) {
	if amount == 0 || t.balance[account] < amount {
		return
	}
	e := t.stamp("withdraw", account)
	e.amount, e.currency, e.text = money(amount), currency, text
	t.balance[account] -= amount
	t.write(e)
}

func (t *town) transfer(from, to, currency string, amount int64, text string) {
	if amount == 0 || t.balance[from] < amount || from == to {
		return
	}
	e := t.stamp("transfer", from)
	e.counterparty, e.amount, e.currency, e.text = to, money(amount), currency, text
	t.balance[from] -= amount
	t.balance[to] += amount
	t.write(e)
}

func (t *town) close(account string) {
	t.closed = append(t.closed, account)
	t.write(t.stamp("close", account))
}

// chance draws what happens by chance.
type chance struct{ source *rand.PCG }

// below returns a number from 0 to n-1. That small ones are a little more likely,
// by one in 2^50, is of no matter here.
func (c chance) below(n int) int { return int(c.source.Uint64() >> 1 % uint64(n)) }

// between returns an amount in minor units.
func (c chance) between(low, high int64) int64 { return low + int64(c.below(int(high-low+1))) }

func pick[T any](c chance, from []T) T { return from[c.below(len(from))] }
