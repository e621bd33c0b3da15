package main

import (
	"context"
	"flag"

	"github.com/esgen/esgen/example/bank"
)

// minute is how times are printed, in UTC.
const minute = "2006-01-02 15:04"

// signed prints an amount with its direction, and nothing for none.
func signed(m bank.Money) string {
	switch {
	case m > 0:
		return "+" + m.Group()
	case m < 0:
		return m.Group()
	default:
		return ""
	}
}

var statementVerb = verb{
	name: "statement", args: []string{accountArg}, about: "show what happened to an account",
	more: "Times are in UTC.",
	prepare: func(*flag.FlagSet) action {
		return func(ctx context.Context, s shell, args []string) error {
			return s.with(ctx, func(s session) error { return s.statement(ctx, args[0]) })
		}
	},
}

func (s session) statement(ctx context.Context, account string) error {
	t := table{right: []int{2, 3}}
	t.row("TIME", "WHAT", amountArg, "BALANCE", "TEXT")
	for e, err := range s.bank.Statement(ctx, account) {
		if err != nil {
			return err
		}
		t.row(e.Time.Format(minute), e.What, signed(e.Amount), e.Balance.Group(), e.Text)
	}
	t.print(s.stdout, "")
	return nil
}

var balancesVerb = verb{
	name: "balances", about: "show what all accounts hold",
	more: "The list is a projection, rebuilt from all events each time. Closed accounts are\nleft out.",
	prepare: func(f *flag.FlagSet) action {
		closed := f.Bool("closed", false, "show closed accounts too")
		return func(ctx context.Context, s shell, _ []string) error {
			return s.with(ctx, func(s session) error { return s.balances(ctx, *closed) })
		}
	},
}

func (s session) balances(ctx context.Context, closed bool) error {
	var balances bank.Balances
	if err := balances.CatchUp(ctx, s.db); err != nil {
		return err
	}
	all, at := balances.All()
	t := table{right: []int{2}}
	t.row(accountArg, "OWNER", "BALANCE", "")
	totals := make(map[bank.Currency]bank.Money)
	opened := 0
	for _, b := range all {
		totals[b.Currency] += b.Balance
		switch {
		case b.Status == bank.Opened:
			opened++
			t.row(b.Name, b.Owner, b.Balance.Group(), string(b.Currency))
		case closed:
			t.row(b.Name, b.Owner, b.Balance.Group(), string(b.Currency)+", closed")
		}
	}
	for _, c := range bank.Currencies() {
		if total, ok := totals[c]; ok {
			t.row("", "total", total.Group(), string(c))
		}
	}
	t.print(s.stdout, "")
	said := countGrouped(opened, "account")
	if n := len(all) - opened; n > 0 {
		said += " and " + group(n) + " closed"
	}
	s.notef("%s, as of position %d", said, at)
	return nil
}
