package main

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"github.com/esgen/esgen/example/bank"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
)

// Arguments that several verbs take.
const (
	accountArg = "ACCOUNT"
	amountArg  = "AMOUNT"
)

// order is what all verbs that change an account have in common.
type order struct{ id, text, currency string }

const idUsage = "the command's `ID`: given again, it is carried out once"

func orderFlags(f *flag.FlagSet, currency string) *order {
	var o order
	f.StringVar(&o.id, "id", "", idUsage)
	f.StringVar(&o.text, "text", "", "`TEXT` for the statement")
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

// parse returns the amount and its currency, which is empty if none was given.
func (o *order) parse(text string) (amount bank.Money, currency bank.Currency, err error) {
	if amount, err = bank.ParseMoney(text); err != nil || o.currency == "" {
		return amount, "", err
	}
	currency, err = bank.ParseCurrency(o.currency)
	return amount, currency, err
}

// carryOut carries a command out and says what was done, and what the accounts
// hold now.
func (s shell) carryOut(ctx context.Context, what string, accounts []string, command func(bank.Bank) (store.Appended, error)) error {
	return s.with(ctx, func(s session) error {
		done, err := command(s.bank)
		if err != nil {
			return err
		}
		if done.Duplicate {
			what = "carried out before, nothing changed"
		}
		said := []string{what}
		for _, name := range accounts {
			a, _, err := s.bank.Account(ctx, name)
			if err != nil {
				return err
			}
			said = append(said, fmt.Sprintf("%s holds %s %s", name, a.Balance.Group(), a.Currency))
		}
		s.printf("%s", printable(strings.Join(said, "; ")))
		return nil
	})
}

var openVerb = verb{
	name: "open", args: []string{accountArg, "OWNER"}, about: "open an account",
	more: "The name of an account is used once: 1 to 64 letters, digits, dots and dashes.",
	prepare: func(f *flag.FlagSet) action {
		currency := f.String("currency", "EUR", "the account's currency `CODE`: CHF, EUR, GBP or USD")
		o := orderFlags(f, "")
		return func(ctx context.Context, s shell, args []string) error {
			c, err := bank.ParseCurrency(*currency)
			if err != nil {
				return err
			}
			what := fmt.Sprintf("opened %s for %s", args[0], args[1])
			return s.carryOut(ctx, what, args[:1], func(b bank.Bank) (store.Appended, error) {
				return b.Open(ctx, args[0], args[1], c, o.settings(true)...)
			})
		}
	},
}

var depositVerb = verb{
	name: "deposit", args: []string{accountArg, amountArg}, about: "pay cash in",
	prepare: cash("deposited", bank.Bank.Deposit),
}

var withdrawVerb = verb{
	name: "withdraw", args: []string{accountArg, amountArg}, about: "pay cash out",
	more:    "There is no overdraft.",
	prepare: cash("withdrew", bank.Bank.Withdraw),
}

// cash prepares the two verbs that move cash.
func cash(did string, command func(bank.Bank, context.Context, string, bank.Money, bank.Currency, ...es.Setting) (store.Appended, error)) func(*flag.FlagSet) action {
	return func(f *flag.FlagSet) action {
		o := orderFlags(f, "the amount's currency `CODE`; refused if the account is kept in another")
		return func(ctx context.Context, s shell, args []string) error {
			amount, currency, err := o.parse(args[1])
			if err != nil {
				return err
			}
			return s.carryOut(ctx, did+" "+amount.Group(), args[:1], func(b bank.Bank) (store.Appended, error) {
				return command(b, ctx, args[0], amount, currency, o.settings(true)...)
			})
		}
	}
}

var transferVerb = verb{
	name: "transfer", args: []string{"FROM", "TO", amountArg}, about: "move money to another account",
	more: "Both accounts change in one moment or not at all.",
	prepare: func(f *flag.FlagSet) action {
		o := orderFlags(f, "the amount's currency `CODE`; refused if an account is kept in another")
		return func(ctx context.Context, s shell, args []string) error {
			amount, currency, err := o.parse(args[2])
			if err != nil {
				return err
			}
			order := bank.Transfer{ID: o.id, From: args[0], To: args[1], Amount: amount, Currency: currency}
			return s.carryOut(ctx, "transferred "+amount.Group(), args[:2], func(b bank.Bank) (store.Appended, error) {
				return b.Transfer(ctx, order, o.settings(false)...)
			})
		}
	},
}

var closeVerb = verb{
	name: "close", args: []string{accountArg}, about: "close an account that holds nothing",
	prepare: func(f *flag.FlagSet) action {
		o := orderFlags(f, "")
		return func(ctx context.Context, s shell, args []string) error {
			return s.carryOut(ctx, "closed "+args[0], args, func(b bank.Bank) (store.Appended, error) {
				return b.Close(ctx, args[0], o.settings(true)...)
			})
		}
	},
}
