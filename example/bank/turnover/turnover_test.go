package turnover_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/esgen/esgen/example/bank"
	"github.com/esgen/esgen/example/bank/turnover"
	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/subscribe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a store and a pool whose tables of its own are in the store's schema.
func open(t *testing.T) (*postgres.Store, *pgxpool.Pool) {
	t.Helper()
	schema := pgtest.Schema(t)
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.RuntimeParams["search_path"] = schema
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	db, err := postgres.New(pool, postgres.Config{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), turnover.Table); err != nil {
		t.Fatal(err)
	}
	return db, pool
}

func fill(t *testing.T, db store.Store) {
	t.Helper()
	b := bank.New(db)
	for i := range 10 {
		name := fmt.Sprintf("a-%d", i)
		if _, err := b.Open(t.Context(), name, "Ada Lovelace", bank.EUR); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if _, err := b.Deposit(t.Context(), name, 10_00, ""); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Withdraw(t.Context(), name, 3_00, ""); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs a subscription until it is live, or ends with an error.
func run(t *testing.T, sub *subscribe.Subscription) error {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- sub.Run(ctx) }()
	select {
	case <-sub.Live():
		stop()
		<-ended
		return nil
	case err := <-ended:
		return err
	}
}

// failing is a handler whose program dies of some events: it has written to the
// table by then.
type failing struct {
	turnover.Handler
	left *int
}

func (f failing) OnMoneyWithdrawn(ctx context.Context, m bank.Meta, e bank.MoneyWithdrawn) error {
	err := f.Handler.OnMoneyWithdrawn(ctx, m, e)
	if *f.left > 0 {
		*f.left--
		return errors.Join(err, subscribe.Stop(errors.New("the power failed")))
	}
	return err
}

func TestEveryEventCountsOnce(t *testing.T) {
	t.Parallel()
	db, pool := open(t)
	fill(t, db)
	failures := 3
	for failures > 0 {
		before := failures
		sub, err := bank.SubscribeTx(db, "turnover", failing{left: &failures}, subscribe.Config{Start: subscribe.Origin})
		if err != nil {
			t.Fatal(err)
		}
		if err := run(t, sub); err == nil || !strings.Contains(err.Error(), "the power failed") || failures != before-1 {
			t.Fatalf("%v, with %d failures left of %d", err, failures, before)
		}
	}
	for range 2 { // the second has nothing to do
		sub, err := turnover.Subscription(db)
		if err != nil {
			t.Fatal(err)
		}
		if err := run(t, sub); err != nil {
			t.Fatal(err)
		}
	}
	var in, out, movements int64
	// The test may run at midnight.
	if err := pool.QueryRow(t.Context(), "SELECT sum(paid_in), sum(paid_out), sum(movements) FROM turnover").Scan(&in, &out, &movements); err != nil {
		t.Fatal(err)
	}
	if in != 50*10_00 || out != 10*3_00 || movements != 60 {
		t.Errorf("paid in %d and out %d in %d movements, want 50000, 3000 and 60", in, out, movements)
	}
}

func TestWithoutTransactionsItIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := turnover.Subscription(memory.New(memory.Config{})); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("%v, want %v", err, store.ErrInvalid)
	}
}
