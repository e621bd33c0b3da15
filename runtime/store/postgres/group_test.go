package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/storetest"
)

// holdHead takes the head of s in a transaction of its own, so that flushes stand
// still. release ends it.
func holdHead(t *testing.T, s *postgres.Store) (release func()) {
	t.Helper()
	tx, err := pgtest.Pool(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT pg_advisory_xact_lock($1::text::regclass::oid::integer, 0)", postgres.SchemaOf(s)+".events"); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		if err := tx.Rollback(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(release) // a test that has failed must not hang
	return release
}

// waitsForHead waits until n connections wait for the head of s.
func waitsForHead(t *testing.T, s *postgres.Store, n int) {
	t.Helper()
	waitFor(t, pgtest.Pool(t), fmt.Sprintf("%d appends wait for the head", n), fmt.Sprintf(
		"SELECT count(*) >= %d FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = '%s.events'::regclass::oid", n, postgres.SchemaOf(s)))
}

// answer is what an append was told.
type answer struct {
	appended []store.Appended
	err      error
}

// inBackground appends, and returns where the answer will be.
func inBackground(ctx context.Context, s store.Streams, batches ...store.Batch) <-chan answer {
	told := make(chan answer, 1)
	go func() {
		a, err := s.Append(ctx, batches...)
		told <- answer{a, err}
	}()
	return told
}

func one(stream string, expected store.Version) store.Batch {
	return batch(stream, expected, event("x", `{}`))
}

// TestCallersOfOneFlushHaveTheirOwnAnswers sends what succeeds, conflicts, repeats
// and is refused in one transaction.
func TestCallersOfOneFlushHaveTheirOwnAnswers(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := t.Context()
	for _, b := range []store.Batch{one("known-2", 0), one("gone-1", 0)} {
		if _, err := s.Append(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete(ctx, "gone-1", store.Any, store.Soft); err != nil {
		t.Fatal(err)
	}
	release := holdHead(t, s)
	first := inBackground(ctx, s, one("first-1", 0))
	waitsForHead(t, s, 1) // the others gather behind it
	good, shared := make([]<-chan answer, 0, 20), make([]<-chan answer, 0, 20)
	for i := range 20 {
		good = append(good, inBackground(ctx, s, batch(fmt.Sprintf("good-%d", i), 0, event("x", `{}`), event("y", `{}`))))
		shared = append(shared, inBackground(ctx, s, one("shared-1", store.Any)))
	}
	conflict := inBackground(ctx, s, one("known-2", 0))
	deleted := inBackground(ctx, s, one("gone-1", store.Any))
	half := inBackground(ctx, s, one("half-1", 0), one("known-2", 7))
	whole := inBackground(ctx, s, one("whole-1", 0), one("whole-2", 0))
	release()

	if a := <-first; a.err != nil {
		t.Error(a.err)
	}
	var told []store.Appended
	for i, c := range good {
		a := <-c
		if a.err != nil || a.appended[0].Version != 2 || a.appended[0].Last != a.appended[0].First+1 {
			t.Errorf("good %d: %+v", i, a)
		}
		told = append(told, a.appended...)
	}
	versions := make(map[store.Version]bool)
	for _, c := range shared {
		a := <-c
		if a.err != nil {
			t.Fatal(a.err)
		}
		told = append(told, a.appended...)
		versions[a.appended[0].Version] = true
	}
	if len(versions) != 20 || !versions[1] || !versions[20] {
		t.Errorf("20 appends to one stream got the versions %v", versions)
	}
	var was *store.ConflictError
	if a := <-conflict; !errors.As(a.err, &was) || was.Actual != 1 {
		t.Errorf("conflict: %+v", a)
	}
	if a := <-deleted; !errors.Is(a.err, store.ErrStreamDeleted) {
		t.Errorf("deleted: %+v", a)
	}
	if a := <-half; !errors.As(a.err, &was) || was.Stream != "known-2" || was.Actual != 1 {
		t.Errorf("half: %+v", a)
	}
	a := <-whole
	if a.err != nil || a.appended[1].First != a.appended[0].Last+1 {
		t.Errorf("whole: %+v", a)
	}
	told = append(told, a.appended...)
	all := checkStored(t, s, 2+1+40+20+2)
	for _, r := range all {
		if r.Stream == "half-1" {
			t.Error("half of a refused append is stored")
		}
	}
	for _, a := range told {
		if last := all[a.Last-1]; last.Stream != a.Stream || last.Version != a.Version || all[a.First-1].Stream != a.Stream {
			t.Errorf("answered %+v, stored %+v", a, last)
		}
	}
}

// TestADuplicateInAFlushIsItsOwnersAlone has one of a flush's events stored already:
// the transaction fails as a whole, and each is told about its own.
func TestADuplicateInAFlushIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := t.Context()
	stored := event("x", `{}`)
	mustAppend(t, s, batch("known-1", 0, stored))
	release := holdHead(t, s)
	first := inBackground(ctx, s, one("first-1", 0))
	waitsForHead(t, s, 1)
	repeated := inBackground(ctx, s, batch("known-1", 0, stored))
	elsewhere := inBackground(ctx, s, batch("other-1", 0, stored))
	neighbour := inBackground(ctx, s, one("neighbour-1", 0))
	for postgres.Waiting(s) < 3 {
		runtime.Gosched()
	}
	release()
	if a := <-repeated; a.err != nil || !a.appended[0].Duplicate || a.appended[0].First != 1 {
		t.Errorf("repeated: %+v", a)
	}
	var duplicate *store.DuplicateEventError
	if a := <-elsewhere; !errors.As(a.err, &duplicate) || duplicate.StoredStream != "known-1" {
		t.Errorf("elsewhere: %+v", a)
	}
	for _, told := range []<-chan answer{first, neighbour} {
		if a := <-told; a.err != nil || a.appended[0].Duplicate {
			t.Errorf("neighbour: %+v", a)
		}
	}
	checkStored(t, s, 3)
}

// checkStored fails t unless n events are stored, in order.
func checkStored(t *testing.T, s *postgres.Store, n int) []store.Recorded {
	t.Helper()
	all, err := collect(s.Read(t.Context(), store.Query{}))
	if err != nil {
		t.Fatal(err)
	}
	versions := make(map[string]store.Version)
	for i, r := range all {
		if versions[r.Stream]++; r.Position != store.Position(i+1) || r.Version != versions[r.Stream] {
			t.Fatalf("event %d is at position %d, version %d of %s", i+1, r.Position, r.Version, r.Stream)
		}
	}
	if len(all) != n {
		t.Errorf("%d events are stored, want %d", len(all), n)
	}
	return all
}

// TestAnOpenTransactionDelaysNobodyElse holds promise 4: appends to other streams
// complete while transactions that have appended are open, more of them than
// connections may wait; those to the same streams, old or new, wait for it alone.
func TestAnOpenTransactionDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := t.Context()
	if _, err := s.Append(ctx, one("old-0", 0), one("old-1", 0), one("old-2", 0)); err != nil {
		t.Fatal(err)
	}
	strangers := pgtest.Pool(t)
	transactions, waiting := make([]pgx.Tx, 0, 3), make([]<-chan answer, 0, 12)
	for i := range 3 {
		tx, err := strangers.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback(context.Background()) }()
		in := s.WithTx(tx)
		for _, b := range []store.Batch{one(fmt.Sprintf("old-%d", i), 1), one(fmt.Sprintf("new-%d", i), 0)} {
			if a, err := in.Append(ctx, b); err != nil || a[0].First != 0 || a[0].Last != 0 {
				t.Fatalf("%+v, %v", a, err)
			}
		}
		transactions = append(transactions, tx)
		for range 2 {
			waiting = append(waiting,
				inBackground(ctx, s, one(fmt.Sprintf("old-%d", i), store.Any)),
				inBackground(ctx, s, one(fmt.Sprintf("new-%d", i), store.Any)))
		}
	}
	waitFor(t, strangers, "appends wait for the transactions",
		"SELECT count(*) >= 2 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%"+postgres.SchemaOf(s)+"%'")
	var others sync.WaitGroup
	for w := range 10 {
		others.Go(func() {
			for i := range 20 {
				if _, err := s.Append(ctx, one(fmt.Sprintf("other-%d-%d", w, i), 0)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	others.Wait()
	for i, told := range waiting {
		select {
		case a := <-told:
			t.Errorf("append %d did not wait for the transaction: %+v", i, a)
		default:
		}
	}
	for i, tx := range transactions {
		end := tx.Commit
		if i == 1 {
			end = tx.Rollback
		}
		if err := end(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for i, told := range waiting {
		if a := <-told; a.err != nil {
			t.Errorf("append %d: %v", i, a.err)
		}
	}
	checkStored(t, s, 3+200+4+12)
}

// TestAnUncommittedEventIDDelaysNobody holds what the partial index is for: else a
// flush that carries the id of an uncommitted event would wait with the head in
// its hands.
func TestAnUncommittedEventIDDelaysNobody(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := t.Context()
	twice := event("x", `{}`)
	_, err := postgres.InTx(ctx, s, func(ctx context.Context, _ pgx.Tx, in *postgres.Tx) error {
		if _, err := in.Append(ctx, batch("slow-1", 0, twice)); err != nil {
			return err
		}
		_, err := s.Append(ctx, batch("quick-1", 0, twice))
		return err
	})
	var duplicate *store.DuplicateEventError
	if !errors.As(err, &duplicate) || duplicate.ID != twice.ID || duplicate.Stream != "slow-1" || duplicate.StoredStream != "quick-1" {
		t.Errorf("commit: %v", err)
	}
	if all := checkStored(t, s, 1); all[0].Stream != "quick-1" {
		t.Errorf("stored: %+v", all)
	}
}

// TestACallerThatLeavesBeforeItsFlushStoresNothing cancels one of those who wait
// behind a flush; the others do not notice.
// TestACallerThatLeavesDuringItsFlushIsToldSo cancels one whose append is on its
// way: the outcome is unknown, and appending again resolves it.
// TestALoneAppendWaitsForNothing runs in a bubble whose clock stands still as long
// as anything is going on: an append that slept, or waited for a timer, would move it.
// TestAFlushThatHangsIsOvertaken takes the head away for longer than a flush should
// take: others try in its place, and all are stored when it is back.
// TestOneConnectionIsEnough appends and reads from many goroutines with a pool of one.
// TestAHotStreamIsFair lets many callers fight for one stream with exact versions,
// while others append to it as it is: each gets through.
func TestWithoutGroupCommitTheContractHoldsToo(t *testing.T) {
	t.Parallel()
	storetest.Run(t, setupWith(postgres.Config{NoGroupCommit: true}))
}
