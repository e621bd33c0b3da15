package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/internal/pgtest/pgproxy"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// behind is a store whose connections can be held and broken.
type behind struct {
	*postgres.Store

	proxy *pgproxy.Proxy
	pool  *pgxpool.Pool
	seen  *postgres.Store // the same data, past the proxy
}

// openBehind returns a store whose connections, as many as conns, stand ready with
// everything that appending prepares.
func openBehind(t *testing.T, conns int32, c postgres.Config) behind {
	t.Helper()
	proxy, err := pgproxy.New(pgtest.URL(t), pgproxy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	if c.Schema == "" {
		c.Schema = pgtest.Schema(t)
	}
	b := behind{proxy: proxy, seen: openOn(t, pgtest.Pool(t), postgres.Config{Schema: c.Schema})}
	b.pool = pgtest.Pool(t, through(t, proxy.URL()), func(p *pgxpool.Config) {
		p.MaxConns = conns
		// Only what the store itself says goes through.
		p.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	})
	c.NoNotify = true // as above
	if b.Store, err = postgres.New(b.pool, c); err != nil {
		t.Fatal(err)
	}
	fill(t, b.pool)
	// With a deadline, whatever the timeout of c.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 2 * conns {
		if _, err := b.Append(ctx, batch("warm-1", store.Any, event("x", `{}`))); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// through makes a pool connect to the server of url.
func through(t *testing.T, url string) func(*pgxpool.Config) {
	t.Helper()
	other, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *pgxpool.Config) {
		c.ConnConfig.Host, c.ConnConfig.Port = other.ConnConfig.Host, other.ConnConfig.Port
		c.ConnConfig.TLSConfig, c.ConnConfig.Fallbacks = nil, nil
	}
}

// stored is how many of the events of b are stored; more than once is an error.
func (s behind) stored(t *testing.T, b store.Batch) (n int) {
	t.Helper()
	for _, r := range checkOrder(t, s.seen) {
		for _, e := range b.Events {
			if r.ID == e.ID {
				n++
			}
		}
	}
	if n > len(b.Events) {
		t.Errorf("%d events are stored %d times", len(b.Events), n)
	}
	return n
}

func grouping(t *testing.T, run func(t *testing.T, c postgres.Config)) {
	t.Helper()
	for _, off := range []bool{false, true} {
		t.Run(fmt.Sprintf("grouped=%t", !off), func(t *testing.T) {
			t.Parallel()
			run(t, postgres.Config{NoGroupCommit: off})
		})
	}
}

// TestAContextThatEndsWhileAnAppendIsOnItsWay cancels at each point between the
// client and the server's answer. Nobody can know the outcome then; appending the
// batches again finds it out.
func TestAContextThatEndsWhileAnAppendIsOnItsWay(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]pgproxy.Point{
		"before the server gets it": pgproxy.Request, "half sent": pgproxy.MidRequest,
		"while the server works": pgproxy.Sent, "between answer and client": pgproxy.Answer,
		"half answered": pgproxy.MidAnswer, "before its end is told": pgproxy.Complete,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			grouping(t, func(t *testing.T, c postgres.Config) {
				s := openBehind(t, 2, c)
				b := batch("a-1", store.NoStream, event("x", `{}`), event("y", `{}`))
				trap := s.proxy.Arm(pgproxy.Fault{At: at, Do: pgproxy.Hold})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					<-trap.Hit()
					cancel()
				}()
				_, err := s.Append(ctx, b)
				if trap.Hits() != 1 {
					t.Fatalf("%d requests were held; the answer was %v", trap.Hits(), err)
				}
				var unknown *store.UnknownOutcomeError
				if !errors.As(err, &unknown) || !errors.Is(err, context.Canceled) || !store.Retryable(err) ||
					!strings.Contains(err.Error(), "a-1") || !strings.Contains(err.Error(), "append the same batches again") {
					t.Fatalf("got %v", err)
				}
				trap.Release()
				got, err := s.Append(t.Context(), unknown.Batches...)
				if err != nil || len(got) != 1 || got[0].Version != 2 || got[0].Last != got[0].First+1 {
					t.Errorf("appended again: %+v, %v", got, err)
				}
				if n := s.stored(t, b); n != 2 {
					t.Errorf("%d of 2 events are stored", n)
				}
				checkPool(t, s.pool)
			})
		})
	}
}

// TestAContextThatEndsBeforeAnAppendIsSent holds that the outcome is known: nothing
// was stored, and nothing will be.
func TestAContextThatEndsBeforeAnAppendIsSent(t *testing.T) {
	t.Parallel()
	refused := func(t *testing.T, s behind, b store.Batch, err, cause error) {
		t.Helper()
		if !errors.Is(err, cause) || errors.Is(err, store.ErrUnknownOutcome) || !strings.Contains(err.Error(), "append to a-1") {
			t.Errorf("got %v", err)
		}
		checkPool(t, s.pool)
		if n := s.stored(t, b); n != 0 {
			t.Errorf("%d events of an append that was not sent are stored", n)
		}
		if _, err := s.Append(t.Context(), b); err != nil {
			t.Errorf("the next append: %v", err)
		}
	}
	t.Run("ended before", func(t *testing.T) {
		t.Parallel()
		grouping(t, func(t *testing.T, c postgres.Config) {
			s := openBehind(t, 2, c)
			before := s.proxy.Counts().Requests
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			b := batch("a-1", store.Any, event("x", `{}`))
			_, err := s.Append(ctx, b)
			if n := s.proxy.Counts().Requests; n != before {
				t.Errorf("%d requests were sent", n-before)
			}
			refused(t, s, b, err, context.Canceled)
		})
	})
	t.Run("waiting for a connection", func(t *testing.T) {
		t.Parallel()
		grouping(t, func(t *testing.T, c postgres.Config) {
			s := openBehind(t, 1, c)
			held, err := s.pool.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			b := batch("a-1", store.Any, event("x", `{}`))
			_, err = s.Append(ctx, b)
			held.Release()
			refused(t, s, b, err, context.DeadlineExceeded)
		})
	})
	t.Run("connecting", func(t *testing.T) {
		t.Parallel()
		grouping(t, func(t *testing.T, c postgres.Config) {
			s := openBehind(t, 2, c)
			s.pool.Reset()
			trap := s.proxy.Arm(pgproxy.Fault{At: pgproxy.Connect, Do: pgproxy.Hold})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				<-trap.Hit()
				cancel()
			}()
			b := batch("a-1", store.Any, event("x", `{}`))
			_, err := s.Append(ctx, b)
			trap.Release()
			refused(t, s, b, err, context.Canceled)
		})
	})
}

// TestAContextThatEndsWhileAStreamIsBusy cancels an append that waits for a
// stream in which a transaction has appended.
func TestAContextThatEndsWhileAStreamIsBusy(t *testing.T) {
	t.Parallel()
	for name, exists := range map[string]bool{"existing": true, "new": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			grouping(t, func(t *testing.T, c postgres.Config) {
				s := openBehind(t, 4, c)
				before := 0
				if exists {
					if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); err != nil {
						t.Fatal(err)
					}
					before = 1
				}
				direct := pgtest.Pool(t)
				tx, err := direct.Begin(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer tx.Rollback(context.Background())
				if _, err := s.seen.WithTx(tx).Append(t.Context(), batch("a-1", store.Any, event("x", `{}`))); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				b := batch("a-1", store.Any, event("x", `{}`))
				_, err = s.Append(ctx, b)
				if !errors.Is(err, context.DeadlineExceeded) || !store.Retryable(err) || !strings.Contains(err.Error(), "a-1") {
					t.Errorf("got %v", err)
				}
				// Others were not disturbed.
				if _, err := s.Append(t.Context(), batch("b-1", store.NoStream, event("x", `{}`))); err != nil {
					t.Errorf("another stream: %v", err)
				}
				if err := tx.Rollback(t.Context()); err != nil {
					t.Fatal(err)
				}
				checkPool(t, s.pool)
				if n := s.stored(t, b); n != 0 && !errors.Is(err, store.ErrUnknownOutcome) {
					t.Error("an append that was said to have ended is stored")
				}
				got, err := s.Append(t.Context(), b)
				if err != nil || got[0].Version != store.Version(before+1) {
					t.Errorf("again: %+v, %v", got, err)
				}
				if n := s.stored(t, b); n != 1 {
					t.Errorf("stored %d times", n)
				}
			})
		})
	}
}

// TestANetworkThatSwallowsEverything holds that calls end when they say, and that
// the store goes on by itself once the network is there again.
func TestANetworkThatSwallowsEverything(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]pgproxy.Way{"both ways": pgproxy.Both, "requests": pgproxy.ToServer, "answers": pgproxy.ToClient} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			grouping(t, func(t *testing.T, c postgres.Config) {
				c.Timeout = 300 * time.Millisecond
				s := openBehind(t, 4, c)
				s.proxy.Hole(way)
				begin := time.Now()
				b := batch("a-1", store.NoStream, event("x", `{}`))
				_, appendErr := s.Append(t.Context(), b)
				_, readErr := collect(s.Read(t.Context(), store.Query{}))
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("two calls took %s, their timeout is %s", took, c.Timeout)
				}
				var timeout *store.TimeoutError
				if !errors.Is(appendErr, store.ErrUnknownOutcome) || !errors.As(appendErr, &timeout) {
					t.Errorf("append: %v", appendErr)
				}
				if !errors.As(readErr, &timeout) || !store.Retryable(readErr) {
					t.Errorf("read: %v", readErr)
				}
				s.proxy.Heal()
				tries := 0
				if err := appendUntilAnswered(t.Context(), s.Store, b, &tries); err != nil {
					t.Errorf("after the network came back, in %d tries: %v", tries, err)
				}
				if n := s.stored(t, b); n != 1 {
					t.Errorf("stored %d times", n)
				}
				checkPool(t, s.pool)
			})
		})
	}
}
