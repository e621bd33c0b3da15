package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/esgen/esgen/example/bank"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
)

// order is what all verbs that change an account have in common.
type order struct{ id, text, currency string }

const idUsage = "identity of the command: given again, it is carried out once"

func orderFlags(f *flag.FlagSet, currency string) *order {
	var o order
	f.StringVar(&o.id, "id", "", idUsage)
	f.StringVar(&o.text, "text", "", "what the statement shall say")
	if currency != "" {
		f.StringVar(&o.currency, "currency", "", currency)
	}
	return &o
}

// settings are those of the events. The identity of a transfer stands in the
// transfer itself.
func (o *order) settings(withID bool) []es.Setting {
	var settings []es.Setting
	if withID && o.id != "" {
		settings = append(settings, es.Key("command "+o.id))
	}
	if o.text != "" {
		settings = append(settings, es.Metadata{bank.Text: o.text})
	}
	return settings
}

// parseCurrency is bank.ParseCurrency for a flag that may be left out.
func (o *order) parseCurrency() (bank.Currency, error) {
	if o.currency == "" {
		return "", nil
	}
	return bank.ParseCurrency(o.currency)
}

// report says what was done and what the accounts hold now.
func report(ctx context.Context, s session, done store.Appended, what string, accounts ...string) error {
	if done.Duplicate {
		what = "carried out before, nothing changed"
	}
	for _, name := range accounts {
		a, _, err := s.bank.Account(ctx, name)
		if err != nil {
			return err
		}
		what += fmt.Sprintf("; %s holds %s %s", name, a.Balance.Group(), a.Currency)
	}
	s.print("%s", what)
	return nil
}

var openVerb = verb{
	name: "open", args: []string{"ACCOUNT", "OWNER"}, about: "open an account",
	more: "The name of an account is used once: 1 to 64 letters, digits, dots and dashes.",
	prepare: func(f *flag.FlagSet) action {
		currency := f.String("currency", "EUR", "CHF, EUR, GBP or USD")
		o := orderFlags(f, "")
		return func(ctx context.Context, s session, args []string) error {
			c, err := bank.ParseCurrency(*currency)
			if err != nil {
				return err
			}
			done, err := s.bank.Open(ctx, args[0], args[1], c, o.settings(true)...)
			if err != nil {
				return err
			}
			return report(ctx, s, done, fmt.Sprintf("opened %s for %s", args[0], args[1]), args[0])
		}
	},
}

var depositVerb = verb{
	name: "deposit", args: []string{"ACCOUNT", "AMOUNT"}, about: "pay cash in",
	prepare: cash("deposited", bank.Bank.Deposit),
}

var withdrawVerb = verb{
	name: "withdraw", args: []string{"ACCOUNT", "AMOUNT"}, about: "pay cash out",
	more:    "There is no overdraft.",
	prepare: cash("withdrew", bank.Bank.Withdraw),
}

// cash prepares the two verbs that move cash.
func cash(did string, command func(bank.Bank, context.Context, string, bank.Money, bank.Currency, ...es.Setting) (store.Appended, error)) func(*flag.FlagSet) action {
	return func(f *flag.FlagSet) action {
		o := orderFlags(f, "currency of the amount; refused if the account is kept in another")
		return func(ctx context.Context, s session, args []string) error {
			amount, err := bank.ParseMoney(args[1])
			if err != nil {
				return err
			}
			currency, err := o.parseCurrency()
			if err != nil {
				return err
			}
			done, err := command(s.bank, ctx, args[0], amount, currency, o.settings(true)...)
			if err != nil {
				return err
			}
			return report(ctx, s, done, did+" "+amount.Group(), args[0])
		}
	}
}

var transferVerb = verb{
	name: "transfer", args: []string{"FROM", "TO", "AMOUNT"}, about: "move money to another account",
	more: "Both accounts change in one moment or not at all.",
	prepare: func(f *flag.FlagSet) action {
		o := orderFlags(f, "currency of the amount; refused if an account is kept in another")
		return func(ctx context.Context, s session, args []string) error {
			amount, err := bank.ParseMoney(args[2])
			if err != nil {
				return err
			}
			currency, err := o.parseCurrency()
			if err != nil {
				return err
			}
			done, err := s.bank.Transfer(ctx, bank.Transfer{
				ID: o.id, From: args[0], To: args[1], Amount: amount, Currency: currency,
			}, o.settings(false)...)
			if err != nil {
				return err
			}
			return report(ctx, s, done, "transferred "+amount.Group(), args[0], args[1])
		}
	},
}

var closeVerb = verb{
	name: "close", args: []string{"ACCOUNT"}, about: "close an account that holds nothing",
	prepare: func(f *flag.FlagSet) action {
		o := orderFlags(f, "")
		return func(ctx context.Context, s session, args []string) error {
			done, err := s.bank.Close(ctx, args[0], o.settings(true)...)
			if err != nil {
				return err
			}
			return report(ctx, s, done, "closed "+args[0])
		}
	},
}
