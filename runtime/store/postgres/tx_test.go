package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// beginTx begins a transaction on a pool that is not the store's, and rolls it back at
// the end if it is still open.
func beginTx(t *testing.T, level pgx.TxIsoLevel) pgx.Tx {
	t.Helper()
	tx, err := pgtest.Pool(t).BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

func mustAppend(t *testing.T, s store.Streams, batches ...store.Batch) []store.Appended {
	t.Helper()
	a, err := s.Append(t.Context(), batches...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func commit(t *testing.T, tx pgx.Tx) {
	t.Helper()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestPositionsAreThoseOfTheCommit appends in an older transaction, then in a younger
// one that commits first.
func TestPositionsAreThoseOfTheCommit(t *testing.T) {
	t.Parallel()
	s := open(t)
	tx := beginTx(t, pgx.ReadCommitted)
	in := s.WithTx(tx)
	a := mustAppend(t, in, batch("old-1", 0, event("x", `{}`), event("y", `{}`)))
	if a[0] != (store.Appended{Stream: "old-1", Version: 2}) {
		t.Errorf("before the commit: %+v", a[0])
	}
	if a := mustAppend(t, s, one("young-1", 0)); a[0].First != 1 {
		t.Errorf("the younger one: %+v", a[0])
	}
	// Several batches are in the order of the call, not of the streams' names.
	mustAppend(t, in, one("z-1", 0), batch("a-1", 0, event("x", `{}`), event("y", `{}`)))
	mustAppend(t, in, one("old-1", 2))
	commit(t, tx)
	got := make([]string, 0, 7)
	for _, r := range checkStored(t, s, 7) {
		got = append(got, fmt.Sprintf("%s %d", r.Stream, r.Version))
	}
	if want := "young-1 1, old-1 1, old-1 2, z-1 1, a-1 1, a-1 2, old-1 3"; strings.Join(got, ", ") != want {
		t.Errorf("stored %s, want %s", strings.Join(got, ", "), want)
	}
}

// TestACommitWaitsForTheHead holds that positions are given under the lock by which
// all appends are ordered.
func TestACommitWaitsForTheHead(t *testing.T) {
	t.Parallel()
	s := open(t)
	tx := beginTx(t, pgx.ReadCommitted)
	mustAppend(t, s.WithTx(tx), one("bank-1", 0))
	release := holdHead(t, s)
	committed := make(chan error, 1)
	go func() { committed <- tx.Commit(context.Background()) }()
	waitsForHead(t, s, 1)
	release()
	if err := <-committed; err != nil {
		t.Error(err)
	}
	checkStored(t, s, 1)
}

// TestATransactionSeesItsOwnEvents reads what is not committed: streams show it, with
// position 0; $all and categories do not, and nobody else sees any of it.
func TestATransactionSeesItsOwnEvents(t *testing.T) {
	t.Parallel()
	s := open(t)
	mustAppend(t, s, one("bank-1", 0))
	tx := beginTx(t, pgx.ReadCommitted)
	in := s.WithTx(tx)
	mustAppend(t, in, one("bank-1", 1), one("bank-2", 0))
	for _, backward := range []bool{false, true} {
		events, err := collect(in.Read(t.Context(), store.Query{Stream: "bank-1", Backward: backward}))
		if err != nil || len(events) != 2 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		if backward {
			events[0], events[1] = events[1], events[0]
		}
		if events[0].Position != 1 || events[1].Position != 0 || events[1].Version != 2 {
			t.Errorf("backward %t: %+v", backward, events)
		}
	}
	if events, err := collect(in.Read(t.Context(), store.Query{Stream: "bank-2", Types: []string{"x"}})); err != nil || len(events) != 1 {
		t.Errorf("filtered: %d events, %v", len(events), err)
	}
	for _, q := range []store.Query{{}, {Categories: []string{"bank"}}} {
		if events, err := collect(in.Read(t.Context(), q)); err != nil || len(events) != 1 {
			t.Errorf("%s inside: %d events, %v", q, len(events), err)
		}
		if events, err := collect(s.Read(t.Context(), q)); err != nil || len(events) != 1 {
			t.Errorf("%s outside: %d events, %v", q, len(events), err)
		}
	}
	if info, err := in.StreamInfo(t.Context(), "bank-1"); err != nil || info.Version != 2 {
		t.Errorf("inside: %+v, %v", info, err)
	}
	if info, err := s.StreamInfo(t.Context(), "bank-1"); err != nil || info.Version != 1 {
		t.Errorf("outside: %+v, %v", info, err)
	}
	var setting string
	if err := tx.QueryRow(t.Context(), "SHOW enable_seqscan").Scan(&setting); err != nil || setting != "on" {
		t.Errorf("a filtered read left enable_seqscan %s behind, %v", setting, err)
	}
	commit(t, tx)
	checkStored(t, s, 3)
}

// TestARollbackLeavesNothing rolls back a transaction, and a savepoint of one that
// is committed: no event, no stream, no hole.
func TestARollbackLeavesNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	tx := beginTx(t, pgx.ReadCommitted)
	mustAppend(t, s.WithTx(tx), one("bank-1", 0))
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.StreamInfo(t.Context(), "bank-1"); !errors.Is(err, store.ErrStreamNotFound) {
		t.Errorf("after the rollback: %v", err)
	}
	tx = beginTx(t, pgx.ReadCommitted)
	in := s.WithTx(tx)
	mustAppend(t, in, one("bank-1", 0))
	savepoint, err := tx.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	within := s.WithTx(savepoint)
	mustAppend(t, within, one("bank-1", 1), one("bank-2", 0))
	if err := savepoint.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if savepoint, err = tx.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s.WithTx(savepoint), batch("bank-1", 1, event("y", `{}`)))
	if err := savepoint.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, in, one("bank-1", 2))
	commit(t, tx)
	checkStored(t, s, 3)
	var pending int
	if err := pgtest.Pool(t).QueryRow(t.Context(), "SELECT count(*) FROM "+postgres.SchemaOf(s)+".pending").Scan(&pending); err != nil || pending != 0 {
		t.Errorf("%d rows are pending, %v", pending, err)
	}
}

// TestAnswersLeaveATransactionUsable gets a conflict, a deleted stream and a
// duplicate, and goes on.
func TestAnswersLeaveATransactionUsable(t *testing.T) {
	t.Parallel()
	s := open(t)
	stored := event("x", `{}`)
	mustAppend(t, s, batch("bank-1", 0, stored), one("gone-1", 0))
	if err := s.Delete(t.Context(), "gone-1", store.Any, store.Soft); err != nil {
		t.Fatal(err)
	}
	tx := beginTx(t, pgx.ReadCommitted)
	in := s.WithTx(tx)
	var conflict *store.ConflictError
	if _, err := in.Append(t.Context(), one("bank-1", 5)); !errors.As(err, &conflict) || conflict.Actual != 1 {
		t.Errorf("conflict: %v", err)
	}
	if _, err := in.Append(t.Context(), one("new-1", 0), one("gone-1", store.Any)); !errors.Is(err, store.ErrStreamDeleted) {
		t.Errorf("deleted: %v", err)
	}
	if a, err := in.Append(t.Context(), batch("bank-1", 0, stored)); err != nil || !a[0].Duplicate || a[0].First != 1 {
		t.Errorf("the same again: %+v, %v", a, err)
	}
	if _, err := in.Append(t.Context(), batch("bank-2", store.Any, stored)); !errors.Is(err, store.ErrDuplicateEvent) {
		t.Errorf("elsewhere: %v", err)
	}
	mustAppend(t, in, one("bank-1", 1))
	commit(t, tx)
	checkStored(t, s, 3)
}

// TestALostReplyToACommitIsAskedFor loses the answer to COMMIT, after the server has
// sent it.
// TestEverythingWorksInATransaction links, deletes, truncates and keeps snapshots,
// and takes all of it back.
func TestEverythingWorksInATransaction(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := t.Context()
	linked := event("x", `{}`)
	mustAppend(t, s, batch("bank-1", 0, linked, event("y", `{}`)), one("bank-2", 0), one("bank-3", 0))
	for _, keep := range []bool{false, true} {
		tx := beginTx(t, pgx.ReadCommitted)
		in := s.WithTx(tx)
		if a, err := in.Link(ctx, "list-1", 0, linked.ID); err != nil || a.Version != 1 {
			t.Fatalf("%+v, %v", a, err)
		}
		if events, err := collect(in.Read(ctx, store.Query{Stream: "list-1"})); err != nil || len(events) != 1 || events[0].OriginalStream != "bank-1" {
			t.Errorf("%+v, %v", events, err)
		}
		if err := in.Delete(ctx, "bank-3", 1, store.Hard); err != nil {
			t.Fatal(err)
		}
		if err := in.Delete(ctx, "bank-2", 1, store.Soft); err != nil {
			t.Fatal(err)
		}
		if err := in.Truncate(ctx, "bank-1", 2, store.Soft); err != nil {
			t.Fatal(err)
		}
		if err := in.SaveSnapshot(ctx, store.Snapshot{Stream: "bank-1", Version: 2, Type: "x", Format: store.JSON, Data: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range in.Streams(ctx, store.StreamQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 2 {
			t.Errorf("%d streams inside, want bank-1 and list-1", n)
		}
		if keep {
			commit(t, tx)
		} else if err := tx.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
		_, noList := s.StreamInfo(ctx, "list-1")
		_, gone := s.StreamInfo(ctx, "bank-3")
		_, noSnapshot := s.LoadSnapshot(ctx, "bank-1")
		info, err := s.StreamInfo(ctx, "bank-1")
		if keep != (noList == nil) || keep != (gone != nil) || keep != (noSnapshot == nil) || err != nil || keep != (info.First == 2) {
			t.Errorf("kept %t: %v, %v, %v, %+v, %v", keep, noList, gone, noSnapshot, info, err)
		}
	}
	// The last position was removed, and is not given again.
	if a := mustAppend(t, s, one("bank-4", 0)); a[0].First != 5 {
		t.Errorf("appended at %d, want 5", a[0].First)
	}
}

func TestAHardDeleteOfWhatTheTransactionAppendedIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	tx := beginTx(t, pgx.ReadCommitted)
	in := s.WithTx(tx)
	mustAppend(t, in, one("bank-1", 0))
	if err := in.Delete(t.Context(), "bank-1", store.Any, store.Hard); err == nil || !strings.Contains(err.Error(), "Commit that first") {
		t.Error(err)
	}
}

func TestTransactionsThatAppendsDoNotSuit(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := t.Context()
	for _, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
		in := s.WithTx(beginTx(t, level))
		if _, err := in.Append(ctx, one("bank-1", 0)); err == nil || !strings.Contains(err.Error(), string(level)) || !strings.Contains(err.Error(), "read committed") {
			t.Errorf("%s: %v", level, err)
		}
	}
	for _, c := range []struct {
		name, before, after, want string
	}{
		{name: "immediate before", before: "SET CONSTRAINTS ALL IMMEDIATE", want: "by name"},
		{name: "immediate after", after: "SET CONSTRAINTS ALL IMMEDIATE", want: "by name"},
		{name: "two phases", after: "PREPARE TRANSACTION 'esgen'", want: "one phase"},
	} {
		tx := beginTx(t, pgx.ReadCommitted)
		var err error
		if c.before != "" {
			_, err = tx.Exec(ctx, c.before)
		}
		if err == nil {
			_, err = s.WithTx(tx).Append(ctx, one("bank-1", 0))
		}
		if err == nil && c.after != "" {
			_, err = tx.Exec(ctx, c.after)
		}
		if err == nil || !strings.Contains(fmt.Sprintf("%v %s", err, hint(err)), c.want) {
			t.Errorf("%s: %v, hint %q", c.name, err, hint(err))
		}
	}
	mustAppend(t, s, one("bank-1", 0))
	tx := beginTx(t, pgx.ReadCommitted)
	if _, err := tx.Exec(ctx, "SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := s.WithTx(tx).Delete(ctx, "bank-1", store.Any, store.Hard); err == nil || !strings.Contains(hint(err), "by name") {
		t.Errorf("hard delete: %v", err)
	}
	checkStored(t, s, 1)
}

// TestTheUsersOwnConstraintsWork has deferred triggers of the user's beside ours, and
// checks one of them at once.
// TestOppositeOrdersInTransactionsAreRetryable makes the one deadlock that is left.
