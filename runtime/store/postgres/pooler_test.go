package postgres_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/storetest"
)

// TestStoreKeepsTheContractThroughPgBouncer runs the suite in the query modes that
// suit a pooler which neither keeps prepared statements nor sessions.
func TestStoreKeepsTheContractThroughPgBouncer(t *testing.T) {
	t.Parallel()
	// Fewer connections to the server than one pool has to PgBouncer: nobody can
	// count on getting the same twice.
	bouncer := pgtest.StartBouncer(t, pgtest.URL(t), map[string]string{"default_pool_size": "6"})
	for _, m := range []pgx.QueryExecMode{pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeCacheDescribe} {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, setup(bouncer.Through, mode(m)))
		})
	}
}

// TestAppendsGoOnAcrossARestartOfPgBouncer stops it in every way while writers
// append, and try again what they are told to. Everything is stored once.
func TestAppendsGoOnAcrossARestartOfPgBouncer(t *testing.T) {
	t.Parallel()
	bouncer := pgtest.StartBouncer(t, pgtest.URL(t), nil)
	pool := pgtest.Pool(t, bouncer.Through, mode(pgx.QueryExecModeExec))
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var stored, retried atomic.Int64
	var writers sync.WaitGroup
	for range 6 {
		writers.Go(func() {
			for ctx.Err() == nil {
				b := batch("a-1", store.Any, event("x", `{}`), event("y", `{}`))
				tries := 0
				err := appendUntilAnswered(t.Context(), s, b, &tries)
				if err != nil {
					t.Errorf("after %d tries: %v", tries, err)
					return
				}
				stored.Add(2)
				retried.Add(int64(tries - 1))
			}
		})
	}
	more := func() {
		t.Helper()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for begin, deadline := stored.Load(), time.Now().Add(20*time.Second); stored.Load() < begin+40; <-tick.C {
			if time.Now().After(deadline) {
				t.Fatalf("no appends for 20 s; %d events so far", begin)
			}
		}
	}
	for _, how := range []pgtest.Mode{pgtest.Fast, pgtest.Immediate, pgtest.Kill} {
		more()
		bouncer.Stop(how)
		bouncer.Restart()
	}
	more()
	stop()
	writers.Wait()
	if all := checkOrder(t, s); int64(len(all)) != stored.Load() {
		t.Errorf("%d events are stored, %d were acknowledged", len(all), stored.Load())
	}
	t.Logf("%d events, %d tries more", stored.Load(), retried.Load())
	checkPool(t, pool)
}

// appendUntilAnswered appends b again as long as the error says that this may help.
func appendUntilAnswered(ctx context.Context, s *postgres.Store, b store.Batch, tries *int) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		*tries++
		if _, err := s.Append(ctx, b); err == nil || !store.Retryable(err) || time.Now().After(deadline) {
			return err
		}
	}
}

// checkPool fails t unless every connection of pool is there to be used.
func checkPool(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	// A connection that broke is given back once pgx has closed it.
	for s := pool.Stat(); s.AcquiredConns()+s.ConstructingConns() > 0; s = pool.Stat() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Errorf("after 20 s %d connections are acquired, %d under construction", s.AcquiredConns(), s.ConstructingConns())
			return
		}
	}
	var held []*pgxpool.Conn
	defer func() {
		for _, c := range held {
			c.Release()
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range pool.Config().MaxConns {
		c, err := pool.Acquire(ctx)
		if err != nil {
			t.Errorf("of %d connections only %d can be used: %v", pool.Config().MaxConns, len(held), err)
			return
		}
		held = append(held, c)
	}
}
