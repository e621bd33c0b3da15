package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

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
	for postgres.Waiting(s) < 2 {
		runtime.Gosched()
	}
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

func TestALoneAppendWaitsForNothing(t *testing.T) {
	t.Parallel()
	url, schema := pgtest.URL(t), pgtest.Schema(t)
	synctest.Test(t, func(t *testing.T) {
		pool, err := pgxpool.New(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		s, err := postgres.New(pool, postgres.Config{Schema: schema, NoNotify: true})
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
