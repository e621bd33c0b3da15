package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/subscribe"
)

var watchVerb = verb{
	name: "watch", about: "show events as they happen, until interrupted",
	more: "Each line is: position, time in UTC, account, what happened, amount.",
	prepare: func(f *flag.FlagSet) action {
		from := f.Uint64("from", 0, "begin with the event at this `position`, 1 for all (default: new events only)")
		return func(ctx context.Context, s session, _ []string) error {
			w := &watcher{session: s}
			c := subscribe.Config{Start: subscribe.Current}
			if *from > 0 {
				c.Start = subscribe.After(store.Position(*from - 1))
			}
			// Watching leaves no trace: the next one begins where it is told to.
			sub, err := bank.Subscribe(bank.Transient(s.db), "watch", w, c)
			if err != nil {
				return err
			}
			ended := make(chan error, 1)
			go func() { ended <- sub.Run(ctx) }()
			select {
			case <-sub.Started():
				s.note("watching; interrupt to end")
				err = <-ended
			case err = <-ended:
			}
			if !errors.Is(err, context.Canceled) {
				return err
			}
			s.note("watched %s", count(w.events, "event"))
			return nil
		}
	},
}

// watcher prints every event.
type watcher struct {
	session
	events int
}

var _ bank.Handler = (*watcher)(nil)

func (w *watcher) OnAccountOpened(_ context.Context, m bank.Meta, e bank.AccountOpened) error {
	return w.show(m, e)
}

func (w *watcher) OnMoneyDeposited(_ context.Context, m bank.Meta, e bank.MoneyDeposited) error {
	return w.show(m, e)
}

func (w *watcher) OnMoneyWithdrawn(_ context.Context, m bank.Meta, e bank.MoneyWithdrawn) error {
	return w.show(m, e)
}

func (w *watcher) OnTransferSent(_ context.Context, m bank.Meta, e bank.TransferSent) error {
	return w.show(m, e)
}

func (w *watcher) OnTransferReceived(_ context.Context, m bank.Meta, e bank.TransferReceived) error {
	return w.show(m, e)
}

func (w *watcher) OnAccountClosed(_ context.Context, m bank.Meta, e bank.AccountClosed) error {
	return w.show(m, e)
}

func (w *watcher) show(m bank.Meta, e bank.Event) error {
	what, amount, err := bank.Describe(e)
	if err != nil {
		return err
	}
	w.events++
	// Lines come one by one, so the widths are a guess; longer words push the rest.
	_, err = fmt.Fprintf(w.stdout, "%6d  %s  %-12s  %-32s  %14s\n",
		m.Position, m.Time.Format("2006-01-02 15:04:05"), m.ID, what, signed(amount))
	if err != nil {
		return subscribe.Stop(fmt.Errorf("show position %d: %w", m.Position, err))
	}
	return nil
}
