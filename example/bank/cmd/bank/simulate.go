package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/esgen/esgen/example/bank/simulation"
)

var simulateVerb = verb{
	name: "simulate", about: "let many tellers work at once, and count the money",
	more: `The tellers work on new accounts of their own, and meet there: whoever is later
decides again. In the end all accounts must hold what was paid in and not out,
to the cent; if they do not, the exit code is 1.`,
	prepare: func(f *flag.FlagSet) action {
		var c simulation.Config
		f.IntVar(&c.Tellers, "tellers", 8, "`N` tellers who work at once")
		f.IntVar(&c.Accounts, "accounts", 10, "`N` accounts that they work on; few are much in demand")
		f.IntVar(&c.Operations, "operations", 1000, "`N` operations in all")
		f.Uint64Var(&c.Seed, "seed", 1, "`SEED` of what the tellers choose; how they meet is up to the machine")
		return func(ctx context.Context, s shell, _ []string) error {
			if c.Tellers < 1 || c.Accounts < 2 || c.Operations < 1 {
				return usageError{"simulate", "it takes at least 1 teller, 2 accounts and 1 operation"}
			}
			return s.with(ctx, func(s session) error { return s.simulate(ctx, c) })
		}
	},
}

func (s session) simulate(ctx context.Context, c simulation.Config) error {
	r, err := simulation.Run(ctx, s.db, c)
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	s.tell(c, r)
	if !r.Conserved() {
		return errors.New("money is not conserved")
	}
	return nil
}

func (s shell) tell(c simulation.Config, r simulation.Result) {
	perSecond := float64(c.Operations) / max(r.Elapsed.Seconds(), 1e-9)
	s.printf("%s by %s on %s (%s-…) in %s, %s a second\n", countGrouped(c.Operations, "operation"),
		count(c.Tellers, "teller"), count(c.Accounts, "account"), r.Prefix, r.Elapsed.Round(time.Millisecond), group(int(perSecond)))
	t := table{right: []int{1}}
	t.row("deposits", group(r.Deposits))
	t.row("withdrawals", group(r.Withdrawals))
	t.row("transfers", group(r.Transfers))
	for _, kind := range slices.Sorted(maps.Keys(r.Refused)) {
		t.row("refused, "+kind, group(r.Refused[kind]))
	}
	t.row("conflicts, decided again", group(r.Conflicts))
	t.row("given up after too many", group(r.GivenUp))
	t.print(s.stdout, "  ")

	s.printf("")
	money := table{right: []int{1}}
	money.row("paid in", r.PaidIn.Group())
	money.row("paid out", r.PaidOut.Group())
	money.row("must be there", r.Expected().Group())
	money.row("is there, by the streams", r.InStreams.Group())
	money.row("is there, by the projection", r.InProjection.Group())
	money.print(s.stdout, "  ")
	if r.Conserved() {
		s.printf("\nMoney is conserved to the cent.")
	} else {
		s.printf("\nMONEY IS NOT CONSERVED.")
	}
}
