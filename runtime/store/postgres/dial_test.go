package postgres_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// swallowing is a pool whose new connections the network swallows from a signal on.
// Each is told of; free lets them fail.
func swallowing(t *testing.T, connections int32) (pool *pgxpool.Pool, swallow func(), dialling <-chan struct{}) {
	t.Helper()
	var swallows atomic.Bool
	told := make(chan struct{}, 100)
	hung, free := context.WithCancel(context.Background())
	pool = pgtest.Pool(t, func(c *pgxpool.Config) {
		c.MaxConns = connections
		c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			if swallows.Load() {
				told <- struct{}{}
				select {
				case <-ctx.Done():
				case <-hung.Done():
				}
				return nil, errCut
			}
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		}
	})
	t.Cleanup(free) // before the pool is closed, which waits for them
	return pool, func() { swallows.Store(true) }, told
}

// holdOne leaves one connection in the pool, and nobody gets it until it is released.
func holdOne(t *testing.T, pool *pgxpool.Pool) *pgxpool.Conn {
	t.Helper()
	held, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range pool.AcquireAllIdle(t.Context()) {
		if err := c.Hijack().Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return held
}

// TestADialThatHangsDoesNotHoldUpEveryAppend makes the network swallow one new
// connection. Another connection is idle; appends must go on over it.
func TestADialThatHangsDoesNotHoldUpEveryAppend(t *testing.T) {
	t.Parallel()
	grouping(t, func(t *testing.T, c postgres.Config) {
		pool, swallow, dialling := swallowing(t, 2)
		c.Schema = pgtest.Schema(t)
		s := openOn(t, pool, c)
		mustAppend(t, s, one("a-1", 0))
		held := holdOne(t, pool)
		swallow()
		waits, leave := context.WithTimeout(t.Context(), 10*time.Second)
		defer leave()
		first := inBackground(waits, s, one("a-2", 0))
		<-dialling
		held.Release()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		if _, err := s.Append(ctx, one("a-3", 0)); err != nil {
			t.Errorf("after %s with an idle connection in the pool: %v", time.Since(began), err)
		}
		leave()
		<-first
	})
}

// TestAsManyDialsThatHangAsThereAreFlushers lets every flusher wait for a connection
// that never comes. Who waits for them, and who reads, gets one that becomes idle
// meanwhile.
func TestAsManyDialsThatHangAsThereAreFlushers(t *testing.T) {
	t.Parallel()
	grouping(t, func(t *testing.T, c postgres.Config) {
		const dials = postgres.MaxFlushers
		pool, swallow, dialling := swallowing(t, dials+1)
		c.Schema, c.NoNotify = pgtest.Schema(t), true // a notification would dial, too
		s := openOn(t, pool, c)
		mustAppend(t, s, one("a-0", 0))
		held := holdOne(t, pool)
		swallow()
		// Shorter than a dial may take, as the store's timeout is.
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		told := make([]<-chan answer, 0, dials)
		for i := range dials {
			told = append(told, inBackground(ctx, s, one(fmt.Sprintf("a-%d", i+1), 0)))
		}
		for range dials {
			<-dialling
		}
		read := make(chan error, 1)
		go func() {
			_, err := collect(s.Read(ctx, store.Query{}))
			read <- err
		}()
		held.Release()
		began := time.Now()
		for _, a := range told {
			if a := <-a; a.err != nil {
				t.Errorf("after %s with an idle connection in the pool: %v", time.Since(began), a.err)
			}
		}
		if err := <-read; err != nil {
			t.Errorf("a read, after %s with an idle connection in the pool: %v", time.Since(began), err)
		}
	})
}
