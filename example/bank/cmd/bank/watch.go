package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/runtime/subscribe"
)

var watchVerb = verb{
	name: "watch", about: "show events as they happen, until interrupted",
	more: "Each line is: position, time in UTC, account, what happened, amount.",
	prepare: func(f *flag.FlagSet) action {
		from := f.Uint64("from", 0, "begin with the event at this `POSITION`, 1 for all (default: new events only)")
		return func(ctx context.Context, s shell, _ []string) error {
			var start subscribe.Start = subscribe.Current
			if *from > 0 {
				start = subscribe.After(*from - 1)
			}
			return s.with(ctx, func(s session) error { return s.watch(ctx, start) })
		}
	},
}

// watch returns nil when ctx ends: that is how watching ends.
func (s session) watch(ctx context.Context, start subscribe.Start) error {
	w := &watcher{session: s}
	// Watching leaves no trace: the next one begins where it is told to.
	sub, err := bank.Subscribe(bank.Transient(s.db), "watch", w, subscribe.Config{Start: start})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- sub.Run(ctx) }()
	select {
	case <-sub.Started():
		s.notef("watching; interrupt to end")
		err = <-ended
	case err = <-ended:
	}
	if !errors.Is(err, context.Canceled) {
		return err
	}
	s.notef("watched %s", countGrouped(w.events, "event"))
	return nil
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
	line := fmt.Sprintf("%6d  %s  %-12s  %-32s  %14s",
		m.Position, m.Time.Format("2006-01-02 15:04:05"), m.ID, printable(what), signed(amount))
	_, err = fmt.Fprintln(w.stdout, strings.TrimRight(line, " "))
	if err != nil {
		return subscribe.Stop(fmt.Errorf("show position %d: %w", m.Position, err))
	}
	return nil
}
