package postgres_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestADialThatHangsDoesNotHoldUpEveryAppend makes the network swallow one new
// connection. Another connection is idle; appends must go on over it.
func TestADialThatHangsDoesNotHoldUpEveryAppend(t *testing.T) {
	t.Parallel()
	grouping(t, func(t *testing.T, c postgres.Config) {
		var swallow atomic.Bool
		dialling := make(chan struct{}, 10)
		hung, free := context.WithCancel(context.Background())
		defer free()
		pool := pgtest.Pool(t, func(c *pgxpool.Config) {
			c.MaxConns = 2
			c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
				if swallow.Load() {
					dialling <- struct{}{}
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
		c.Schema = pgtest.Schema(t)
		s := openOn(t, pool, c)
		mustAppend(t, s, one("a-1", 0))
		held, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range pool.AcquireAllIdle(t.Context()) {
			if err := c.Hijack().Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		swallow.Store(true)
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
