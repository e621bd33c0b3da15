package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/internal/bank"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func TestInTxStoresAllOrNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	pool := pgtest.Pool(t)
	table := postgres.SchemaOf(s) + ".balances"
	if _, err := pool.Exec(t.Context(), "CREATE TABLE "+table+" (account text PRIMARY KEY, cents bigint)"); err != nil {
		t.Fatal(err)
	}
	deposit := func(ctx context.Context, tx pgx.Tx, in *postgres.Tx) error {
		account := bank.StreamOf(in, "a-17")
		if _, err := account.Append(ctx, store.Any, bank.AccountOpened{Owner: "ada"}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO "+table+" VALUES ('a-17', 5000)")
		return err
	}
	bell := s.Local().Wait()
	committed, err := postgres.InTx(t.Context(), s, deposit)
	if err != nil || len(committed) != 1 || committed[0] != (store.Appended{Stream: "bank-a-17", Version: 1, First: 1, Last: 1}) {
		t.Fatalf("%+v, %v", committed, err)
	}
	select {
	case <-bell:
	default:
		t.Error("the doorbell did not ring")
	}
	// The second insert fails, and so does the append.
	if _, err := postgres.InTx(t.Context(), s, deposit); err == nil {
		t.Error("the second insert was no error")
	}
	// An error that work hides is one of the commit.
	if _, err := postgres.InTx(t.Context(), s, func(ctx context.Context, tx pgx.Tx, in *postgres.Tx) error {
		_ = deposit(ctx, tx, in)
		return nil
	}); err == nil || !strings.Contains(err.Error(), "rolled back") {
		t.Errorf("the commit of a failed transaction: %v", err)
	}
	mine := errors.New("mine")
	if _, err := postgres.InTx(t.Context(), s, func(ctx context.Context, _ pgx.Tx, in *postgres.Tx) error {
		if _, err := in.Append(ctx, one("bank-9", 0)); err != nil {
			return err
		}
		return mine
	}); !errors.Is(err, mine) {
		t.Errorf("an error of work: %v", err)
	}
	checkStored(t, s, 1)
	var rows int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestALostReplyToACommitIsAskedFor(t *testing.T) {
	t.Parallel()
	var w wire
	s := openQuiet(t, w.configure)
	committed, err := postgres.InTx(t.Context(), s, func(ctx context.Context, _ pgx.Tx, in *postgres.Tx) error {
		_, err := in.Append(ctx, one("bank-1", 0))
		w.cutReply.Store(true)
		return err
	})
	if err != nil || len(committed) != 1 || committed[0].First != 1 {
		t.Errorf("%+v, %v", committed, err)
	}
	if w.cutReply.Load() {
		t.Error("no reply was lost, so this test shows nothing")
	}
	checkStored(t, s, 1)
}

func TestTheUsersOwnConstraintsWork(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := t.Context()
	schema := postgres.SchemaOf(s)
	for _, sql := range []string{
		"CREATE TABLE %s.parents (id int PRIMARY KEY)",
		"CREATE TABLE %[1]s.children (parent int CONSTRAINT has_parent REFERENCES %[1]s.parents DEFERRABLE INITIALLY DEFERRED)",
	} {
		if _, err := pgtest.Pool(t).Exec(ctx, fmt.Sprintf(sql, schema)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := postgres.InTx(ctx, s, func(ctx context.Context, tx pgx.Tx, in *postgres.Tx) error {
		for _, sql := range []string{"INSERT INTO %s.children VALUES (1)", "", "INSERT INTO %s.parents VALUES (1)", "SET CONSTRAINTS %s.has_parent IMMEDIATE", ""} {
			if sql == "" {
				if _, err := in.Append(ctx, one("bank-1", store.Any)); err != nil {
					return err
				}
				continue
			}
			if _, err := tx.Exec(ctx, fmt.Sprintf(sql, schema)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	checkStored(t, s, 2)
	// A constraint that fails at commit takes the events with it.
	if _, err := postgres.InTx(ctx, s, func(ctx context.Context, tx pgx.Tx, in *postgres.Tx) error {
		if _, err := in.Append(ctx, one("bank-1", store.Any)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, fmt.Sprintf("INSERT INTO %s.children VALUES (2)", schema))
		return err
	}); err == nil || !strings.Contains(err.Error(), "has_parent") {
		t.Error(err)
	}
	checkStored(t, s, 2)
}

func TestOppositeOrdersInTransactionsAreRetryable(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := t.Context()
	mustAppend(t, s, one("a-1", 0), one("b-1", 0))
	first, second := beginTx(t, pgx.ReadCommitted), beginTx(t, pgx.ReadCommitted)
	mustAppend(t, s.WithTx(first), one("a-1", store.Any))
	mustAppend(t, s.WithTx(second), one("b-1", store.Any))
	waiting := inBackground(ctx, s.WithTx(first), one("b-1", store.Any))
	waitFor(t, pgtest.Pool(t), "the first waits", "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%"+postgres.SchemaOf(s)+"%'")
	_, err := s.WithTx(second).Append(ctx, one("a-1", store.Any))
	ended, other := err, first
	if err == nil {
		ended, other = (<-waiting).err, second
	} else {
		// The transaction that PostgreSQL ended holds its locks until it is rolled back.
		if err := second.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
		if a := <-waiting; a.err != nil {
			t.Fatal(a.err)
		}
	}
	if !store.Retryable(ended) || !strings.Contains(ended.Error(), "deadlock") {
		t.Errorf("ended with %v", ended)
	}
	if other == second {
		if err := first.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, other)
	checkStored(t, s, 4)
}

// TestCommittedIsWhatWasCommitted leaves out what a savepoint took back.
func TestCommittedIsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	s := open(t)
	committed, err := postgres.InTx(t.Context(), s, func(ctx context.Context, tx pgx.Tx, in *postgres.Tx) error {
		if _, err := in.Append(ctx, one("kept-1", 0)); err != nil {
			return err
		}
		savepoint, err := tx.Begin(ctx)
		if err != nil {
			return err
		}
		// By the same Tx: it does not know of the savepoint.
		if _, err := in.Append(ctx, one("dropped-1", 0)); err != nil {
			return err
		}
		if err := savepoint.Rollback(ctx); err != nil {
			return err
		}
		_, err = in.Append(ctx, one("kept-2", 0))
		return err
	})
	want := []store.Appended{{Stream: "kept-1", Version: 1, First: 1, Last: 1}, {Stream: "kept-2", Version: 1, First: 2, Last: 2}}
	if err != nil || !slices.Equal(committed, want) {
		t.Errorf("%+v, %v, want %+v", committed, err, want)
	}
}
