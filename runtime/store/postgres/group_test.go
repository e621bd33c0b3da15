package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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
	return sync.OnceFunc(func() {
		if err := tx.Rollback(context.Background()); err != nil {
			t.Error(err)
		}
	})
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
	stored := event("x", `{}`)
	for _, b := range []store.Batch{batch("known-1", 0, stored), one("known-2", 0), one("gone-1", 0)} {
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
	repeated := inBackground(ctx, s, batch("known-1", 0, stored))
	elsewhere := inBackground(ctx, s, batch("other-1", 0, stored))
	deleted := inBackground(ctx, s, one("gone-1", store.Any))
	half := inBackground(ctx, s, one("half-1", 0), one("known-2", 7))
	whole := inBackground(ctx, s, one("whole-1", 0), one("whole-2", 0))
	release()

	if a := <-first; a.err != nil {
		t.Error(a.err)
	}
	for i, told := range good {
		if a := <-told; a.err != nil || a.appended[0].Version != 2 || a.appended[0].Last != a.appended[0].First+1 {
			t.Errorf("good %d: %+v", i, a)
		}
	}
	versions := make(map[store.Version]bool)
	for _, told := range shared {
		a := <-told
		if a.err != nil {
			t.Fatal(a.err)
		}
		versions[a.appended[0].Version] = true
	}
	if len(versions) != 20 || !versions[1] || !versions[20] {
		t.Errorf("20 appends to one stream got the versions %v", versions)
	}
	var was *store.ConflictError
	if a := <-conflict; !errors.As(a.err, &was) || was.Actual != 1 {
		t.Errorf("conflict: %+v", a)
	}
	if a := <-repeated; a.err != nil || !a.appended[0].Duplicate || a.appended[0].First != 1 {
		t.Errorf("repeated: %+v", a)
	}
	var duplicate *store.DuplicateEventError
	if a := <-elsewhere; !errors.As(a.err, &duplicate) || duplicate.StoredStream != "known-1" {
		t.Errorf("elsewhere: %+v", a)
	}
	if a := <-deleted; !errors.Is(a.err, store.ErrStreamDeleted) {
		t.Errorf("deleted: %+v", a)
	}
	if a := <-half; !errors.As(a.err, &was) || was.Stream != "known-2" || was.Actual != 1 {
		t.Errorf("half: %+v", a)
	}
	if a := <-whole; a.err != nil || a.appended[1].First != a.appended[0].Last+1 {
		t.Errorf("whole: %+v", a)
	}
	all := checkStored(t, s, 3+1+40+20+2)
	for _, r := range all {
		if r.Stream == "half-1" {
			t.Error("half of a refused append is stored")
		}
	}
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
func TestACallerThatLeavesBeforeItsFlushStoresNothing(t *testing.T) {
	t.Parallel()
	// Of one connection, which the first append occupies, nobody can be sent.
	s := openOn(t, pgtest.Pool(t, single), postgres.Config{Schema: pgtest.Schema(t)})
	ctx := t.Context()
	release := holdHead(t, s)
	first := inBackground(ctx, s, one("first-1", 0))
	waitsForHead(t, s, 1)
	leaving, leave := context.WithCancelCause(ctx)
	gone := inBackground(leaving, s, one("gone-1", 0))
	stays := inBackground(ctx, s, one("stays-1", 0))
	enough := errors.New("enough")
	leave(enough)
	if a := <-gone; !errors.Is(a.err, context.Canceled) || !errors.Is(a.err, enough) || errors.Is(a.err, store.ErrUnknownOutcome) {
		t.Errorf("who left was told %v", a.err)
	}
	release()
	if a := <-first; a.err != nil {
		t.Error(a.err)
	}
	if a := <-stays; a.err != nil {
		t.Error(a.err)
	}
	checkStored(t, s, 2)
}

// TestACallerThatLeavesDuringItsFlushIsToldSo cancels one whose append is on its
// way: the outcome is unknown, and appending again resolves it.
func TestACallerThatLeavesDuringItsFlushIsToldSo(t *testing.T) {
	t.Parallel()
	s := open(t)
	release := holdHead(t, s)
	defer release()
	leaving, leave := context.WithCancel(t.Context())
	told := inBackground(leaving, s, one("bank-1", 0))
	waitsForHead(t, s, 1)
	leave()
	var unknown *store.UnknownOutcomeError
	if a := <-told; !errors.As(a.err, &unknown) {
		t.Fatalf("who left was told %v", a.err)
	}
	release()
	for range 2 {
		if a, err := s.Append(t.Context(), unknown.Batches...); err != nil || a[0].Version != 1 || a[0].First != 1 {
			t.Errorf("appended again: %+v, %v", a, err)
		}
	}
}

// TestALoneAppendWaitsForNothing runs in a bubble whose clock stands still as long
// as anything is going on: an append that slept, or waited for a timer, would move it.
func TestALoneAppendWaitsForNothing(t *testing.T) {
	t.Parallel()
	url, schema := pgtest.URL(t), pgtest.Schema(t)
	synctest.Test(t, func(t *testing.T) {
		pool, err := pgxpool.New(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		s, err := postgres.New(pool, postgres.Config{Schema: schema})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for i := range 20 {
			if _, err := s.Append(t.Context(), one("bank-1", store.Version(i))); err != nil {
				t.Fatal(err)
			}
		}
		if moved := time.Since(began); moved != 0 {
			t.Errorf("the clock moved by %s while 20 appends were made", moved)
		}
	})
}

// TestAFlushThatHangsIsOvertaken takes the head away for longer than a flush should
// take: others try in its place, and all are stored when it is back.
func TestAFlushThatHangsIsOvertaken(t *testing.T) {
	t.Parallel()
	s := open(t)
	release := holdHead(t, s)
	first := inBackground(t.Context(), s, one("a-1", 0))
	waitsForHead(t, s, 1)
	second := inBackground(t.Context(), s, one("a-2", 0))
	waitsForHead(t, s, 2)
	release()
	for _, told := range []<-chan answer{first, second} {
		if a := <-told; a.err != nil {
			t.Error(a.err)
		}
	}
	checkStored(t, s, 2)
}

func TestCloseAnswersAllAndRefusesMore(t *testing.T) {
	t.Parallel()
	for _, alone := range []bool{false, true} {
		s := openOn(t, pgtest.Pool(t), postgres.Config{Schema: pgtest.Schema(t), NoGroupCommit: alone})
		release := holdHead(t, s)
		told := inBackground(t.Context(), s, one("a-1", 0))
		waitsForHead(t, s, 1)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Close(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("closed with a context that ended, and an append under way: %v", err)
		}
		if _, err := s.Append(t.Context(), one("a-2", 0)); !errors.Is(err, store.ErrClosed) {
			t.Errorf("append after Close: %v", err)
		}
		release()
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if a := <-told; a.err != nil {
			t.Error(a.err)
		}
		checkStored(t, s, 1)
	}
}

// TestOneConnectionIsEnough appends and reads from many goroutines with a pool of one.
func TestOneConnectionIsEnough(t *testing.T) {
	t.Parallel()
	s := openOn(t, pgtest.Pool(t, single), postgres.Config{Schema: pgtest.Schema(t)})
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 20 {
				stream := fmt.Sprintf("bank-%d", (w+i)%5)
				if _, err := s.Append(t.Context(), one(stream, store.Any)); err != nil {
					t.Error(err)
				}
				if _, err := collect(s.Read(t.Context(), store.Query{Stream: stream})); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	checkStored(t, s, 160)
}

// TestAHotStreamIsFair lets many callers fight for one stream with exact versions,
// while others append to it as it is: each gets through.
func TestAHotStreamIsFair(t *testing.T) {
	t.Parallel()
	s := open(t)
	var all sync.WaitGroup
	for w := range 12 {
		all.Go(func() {
			for stored := 0; stored < 10; {
				expected := store.Any
				if w%2 == 0 {
					info, err := s.StreamInfo(t.Context(), "hot-1")
					if err != nil && !errors.Is(err, store.ErrStreamNotFound) {
						t.Error(err)
						return
					}
					expected = info.Version
				}
				switch _, err := s.Append(t.Context(), one("hot-1", expected)); {
				case err == nil:
					stored++
				case !errors.Is(err, store.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	checkStored(t, s, 120)
}

func TestWithoutGroupCommitTheContractHoldsToo(t *testing.T) {
	t.Parallel()
	storetest.Run(t, setupWith(postgres.Config{NoGroupCommit: true}))
}
