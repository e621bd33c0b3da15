package guides_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/example/bank"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func TestAppendInYourOwnTransaction(t *testing.T) {
	t.Parallel()
	db, pool := open(t)
	execute(t, pool, sqlOf(t, "transactions", "InTx")[0])
	check(t, transactions(t, t.Context(), db, pool))
	if got := rows(t, pool, "SELECT account, cents FROM balances"); !slices.Equal(got, []string{"a-17 | 5000"}) {
		t.Errorf("balances: %q", got)
	}
	if got := positions(t, db); !slices.Equal(got, []store.Position{1, 2, 3}) {
		t.Errorf("positions %d", got)
	}
}

func transactions(t *testing.T, ctx context.Context, db *postgres.Store, pool *pgxpool.Pool) error {
	t.Helper()
	if _, err := bank.StreamOf(db, "a-17").Execute(ctx, bank.Open("Ada", bank.EUR)); err != nil {
		return err
	}

	committed, err := postgres.InTx(ctx, db, func(ctx context.Context, tx pgx.Tx, s *postgres.Tx) error {
		if _, err := bank.StreamOf(s, "a-17").Execute(ctx, bank.Deposit(50_00)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO balances VALUES ($1, $2)
			ON CONFLICT (account) DO UPDATE SET cents = balances.cents + excluded.cents`, "a-17", 50_00)
		return err
	})
	if err != nil || len(committed) != 1 || committed[0] != (store.Appended{Stream: "bank-a-17", Version: 2, First: 2, Last: 2}) {
		t.Errorf("%+v, %v", committed, err)
	}

	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	bell := db.Local().Wait()
	if _, err := bank.StreamOf(db.WithTx(tx), "a-17").Append(ctx, store.StreamExists, bank.MoneyWithdrawn{Amount: 20_00}); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	db.Wake()
	select {
	case <-bell:
	default:
		t.Error("Wake did not ring")
	}
	return nil
}

// TestInsideATransaction holds what the page says is seen inside.
func TestInsideATransaction(t *testing.T) {
	t.Parallel()
	db, pool := open(t)
	ctx := t.Context()
	_, err := bank.StreamOf(db, "a-17").Execute(ctx, bank.Open("Ada", bank.EUR))
	check(t, err)
	tx, err := pool.Begin(ctx)
	check(t, err)
	defer func() { _ = tx.Rollback(ctx) }()
	in := db.WithTx(tx)
	a, err := bank.StreamOf(in, "a-17").Execute(ctx, bank.Deposit(5_00))
	if err != nil || a.Version != 2 || a.First != 0 || a.Last != 0 {
		t.Errorf("%+v, %v", a, err)
	}
	inside, version, err := bank.StreamOf(in, "a-17").Load(ctx)
	if err != nil || version != 2 || inside.Balance != 5_00 {
		t.Errorf("inside: %+v at %d, %v", inside, version, err)
	}
	if got := positions(t, in); len(got) != 1 {
		t.Errorf("inside, the whole order is %d", got)
	}
	if _, version, err := bank.StreamOf(db, "a-17").Load(ctx); err != nil || version != 1 {
		t.Errorf("outside: at %d, %v", version, err)
	}
	// Nobody else waits.
	b, err := bank.StreamOf(db, "b-4").Execute(ctx, bank.Open("Bob", bank.EUR))
	if err != nil || b.First != 2 {
		t.Errorf("%+v, %v", b, err)
	}
	_, err = bank.StreamOf(in, "a-17").Append(ctx, 7, bank.MoneyDeposited{Amount: 1})
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("a conflict inside: %v", err)
	}
	check(t, tx.Commit(ctx))
	if got := positions(t, db); !slices.Equal(got, []store.Position{1, 2, 3}) {
		t.Errorf("positions %d", got)
	}
}

// TestADuplicateAtCommit has another transaction store the same id in between.
func TestADuplicateAtCommit(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	id := es.EventIDs(uuid.New())
	_, err := postgres.InTx(t.Context(), db, func(ctx context.Context, _ pgx.Tx, s *postgres.Tx) error {
		if _, err := bank.StreamOf(s, "a-17").With(id).Append(ctx, store.NoStream, bank.AccountOpened{}); err != nil {
			return err
		}
		_, err := bank.StreamOf(db, "b-4").With(id).Append(ctx, store.NoStream, bank.AccountOpened{})
		return err
	})
	if _, ok := errors.AsType[*store.DuplicateEventError](err); !ok {
		t.Errorf("got %v", err)
	}
	if got := positions(t, db); len(got) != 1 {
		t.Errorf("positions %d, want that of the other transaction", got)
	}
}

// TestOwnConstraintsBesideAppends runs what the page shows, and a slow deferred
// trigger that was queued after an append: appends wait for it, unless its constraint
// is checked by name before the commit.
func TestOwnConstraintsBesideAppends(t *testing.T) {
	t.Parallel()
	db, pool := open(t)
	ctx := t.Context()
	execute(t, pool, `CREATE TABLE parents (id int PRIMARY KEY);
		CREATE TABLE children (parent int CONSTRAINT has_parent REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
		CREATE TABLE slow (id int);
		CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait();`)
	execute(t, pool, sqlOf(t, "transactions", "What ends it")[0])

	for _, early := range []bool{false, true} {
		// Whoever holds this is what makes the trigger slow.
		holder, err := pool.Begin(ctx)
		check(t, err)
		_, err = holder.Exec(ctx, "SELECT pg_advisory_xact_lock(42)")
		check(t, err)
		ended := make(chan error, 1)
		go func() {
			_, err := postgres.InTx(ctx, db, func(ctx context.Context, tx pgx.Tx, s *postgres.Tx) error {
				if _, err := bank.StreamOf(s, "a-17").Append(ctx, store.Any, bank.MoneyDeposited{Amount: 1}); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, "INSERT INTO slow VALUES (1)"); err != nil || !early {
					return err
				}
				_, err := tx.Exec(ctx, "SET CONSTRAINTS waits IMMEDIATE")
				return err
			})
			ended <- err
		}()
		await(t, pool, "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 42 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")

		other := make(chan error, 1)
		go func() {
			_, err := bank.StreamOf(db, "b-4").Append(ctx, store.Any, bank.MoneyDeposited{Amount: 1})
			other <- err
		}()
		if early {
			check(t, <-other) // while the trigger still waits
		} else {
			await(t, pool, "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%append_one%'")
			select {
			case err := <-other:
				t.Errorf("an append did not wait for the head: %v", err)
			default:
			}
		}
		check(t, holder.Rollback(ctx))
		check(t, <-ended)
		if !early {
			check(t, <-other)
		}
	}
}

// await returns when a query is true.
func await(t *testing.T, pool *pgxpool.Pool, condition string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		var yes bool
		check(t, pool.QueryRow(t.Context(), condition).Scan(&yes))
		if yes {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s in vain: %s", condition)
		}
	}
}

// TestWhatTransactionsMustNotSay holds the last rows of the page's table.
func TestWhatTransactionsMustNotSay(t *testing.T) {
	t.Parallel()
	db, pool := open(t)
	ctx := t.Context()
	for _, c := range []struct {
		level       pgx.TxIsoLevel
		after, want string
	}{
		{pgx.RepeatableRead, "", "READ COMMITTED"},
		{pgx.Serializable, "", "READ COMMITTED"},
		{pgx.ReadCommitted, "SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS"},
		{pgx.ReadCommitted, "PREPARE TRANSACTION 'guide'", "PREPARE TRANSACTION"},
	} {
		tx, err := pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: c.level})
		check(t, err)
		_, err = bank.StreamOf(db.WithTx(tx), "a-17").Append(ctx, store.Any, bank.MoneyDeposited{Amount: 1})
		if err == nil && c.after != "" {
			_, err = tx.Exec(ctx, c.after)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v", c.level, c.after, err)
		}
		_ = tx.Rollback(ctx)
	}
	if got := positions(t, db); len(got) != 0 {
		t.Errorf("positions %d", got)
	}
}
