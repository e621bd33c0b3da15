package guides_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/internal/pages"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/subscribe"
)

// deposits adds up what was paid in.
type deposits struct {
	bank.Ignore
	cents atomic.Int64
}

func (d *deposits) OnMoneyDeposited(_ context.Context, _ bank.Meta, e bank.MoneyDeposited) error {
	d.cents.Add(int64(e.Amount))
	return nil
}

// paidIn keeps what was paid in, in a table beside the events.
type paidIn struct{ bank.Ignore }

func (paidIn) OnMoneyDeposited(ctx context.Context, m bank.Meta, e bank.MoneyDeposited) error {
	tx, ok := postgres.TxFrom(ctx)
	if !ok {
		return subscribe.Stop(errors.New("run this by SubscribeTx"))
	}
	_, err := tx.Exec(ctx, `INSERT INTO paid_in VALUES ($1, $2)
		ON CONFLICT (account) DO UPDATE SET cents = paid_in.cents + excluded.cents`, m.ID, int64(e.Amount))
	return err
}

func TestThePageOfSubscriptionsIsCompiled(t *testing.T) {
	t.Parallel()
	pages.Open(t, "docs/subscriptions.md").Compiled("docs/guides/subscription_test.go")
}

func TestHandleEvents(t *testing.T) {
	t.Parallel()
	db, pool := open(t)
	execute(t, pool, sqlOf(t, "subscriptions", "Exactly once")[0])
	if _, err := bank.StreamOf(db, "a-17").Execute(t.Context(), bank.Open("Ada", bank.EUR)); err != nil {
		t.Fatal(err)
	}
	handler := &deposits{}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ended := make(chan error, 2)
	check(t, readsItsWrites(ctx, db, handler, slog.New(slog.DiscardHandler), ended))
	if got := handler.cents.Load(); got != 50_00 {
		t.Errorf("%d was paid in", got)
	}
	sub, err := bank.SubscribeTx(db, "paid-in", paidIn{}, subscribe.Config{})
	check(t, err)
	go func() { ended <- sub.Run(ctx) }()
	select {
	case <-sub.Live():
	case err := <-ended:
		t.Fatal(err)
	}
	if got := rows(t, pool, "SELECT account, cents FROM paid_in"); !slices.Equal(got, []string{"a-17 | 5000"}) {
		t.Errorf("paid in: %q", got)
	}
	check(t, lists(ctx, db))
	stop()
	for range 2 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func readsItsWrites(ctx context.Context, db store.Store, handler *deposits, log *slog.Logger, ended chan error) error {
	sub, err := bank.Subscribe(db, "deposits", handler, subscribe.Config{Logger: log})
	if err != nil {
		return err
	}
	go func() { ended <- sub.Run(ctx) }()
	select {
	case <-sub.Live():
	case err := <-ended:
		return err
	}
	appended, err := bank.StreamOf(db, "a-17").Append(ctx, store.StreamExists, bank.MoneyDeposited{Amount: 50_00})
	if err != nil {
		return err
	}
	if err := subscribe.WaitFor(ctx, db, "deposits", appended); err != nil {
		return err
	}
	return nil
}

func lists(ctx context.Context, db store.Store) error {
	all, err := subscribe.List(ctx, db)
	if err != nil {
		return err
	}
	for _, s := range all {
		fmt.Println(s.Name, s.State, s.Behind, s.BehindTime, s.Parked, s.LastError)
	}
	if len(all) != 2 || all[0].Name != "deposits" || !strings.HasPrefix(all[0].Reads, "categories") || all[0].LastError != "" {
		return fmt.Errorf("listed %+v", all)
	}
	return nil
}

// TestParkedEventsComeBack fails at an account until the ledger is open, in one of
// several lanes.
func TestParkedEventsComeBack(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	for _, account := range []string{"a-17", "b-2"} {
		for _, decide := range []func(bank.Account) ([]bank.Event, error){bank.Open("Ada", bank.EUR), bank.Deposit(1_00)} {
			if _, err := bank.StreamOf(db, account).Execute(t.Context(), decide); err != nil {
				t.Fatal(err)
			}
		}
	}
	var ledger atomic.Bool
	var handled atomic.Int64
	c := subscribe.Config{Lanes: 4}
	c.OnFailure, c.Lease = subscribe.ThenPark, 600*time.Millisecond
	sub, err := subscribe.New(db, "deposits", func(_ context.Context, r store.Recorded) error {
		if r.Stream == "bank-a-17" && !ledger.Load() {
			return subscribe.Park(errors.New("the ledger is closed"))
		}
		handled.Add(1)
		return nil
	}, c)
	check(t, err)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- sub.Run(ctx) }()
	select {
	case <-sub.Live():
	case err := <-ended:
		t.Fatal(err)
	}
	keys := map[string]bool{}
	check(t, parked(ctx, db, keys))
	if len(keys) != 1 || !keys["bank-a-17"] || handled.Load() != 2 {
		t.Fatalf("parked %v, handled %d", keys, handled.Load())
	}
	ledger.Store(true)
	key := "bank-a-17"
	n, err := subscribe.RetryParked(ctx, db, "deposits", key, "the ledger is open again")
	if n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for all, err := range subscribe.Watch(ctx, db, 10*time.Millisecond, "deposits") {
		check(t, err)
		if all[0].Parked == 0 {
			break
		}
	}
	if handled.Load() != 4 {
		t.Errorf("handled %d", handled.Load())
	}
	stop()
	<-ended
}

func parked(ctx context.Context, db store.Store, keys map[string]bool) error {
	for p, err := range subscribe.Parked(ctx, db, store.ParkedQuery{Subscription: "deposits", Lane: -1}) {
		if err != nil {
			return err
		}
		fmt.Println(p.Key, p.At, p.Attempts, p.Error)
		keys[p.Key] = true
	}
	return nil
}
