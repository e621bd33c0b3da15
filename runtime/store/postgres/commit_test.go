package postgres_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest/pgproxy"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestACommitIsCutAtEachPoint cuts the connection of a caller's transaction
// at each point of its COMMIT. The answer is what became of it.
func TestACommitIsCutAtEachPoint(t *testing.T) {
	t.Parallel()
	for name, point := range map[string]struct {
		at     pgproxy.Point
		stored int
	}{
		"before the server gets it": {pgproxy.Request, 0},
		"half sent":                 {pgproxy.MidRequest, 0},
		"before the answer":         {pgproxy.Answer, 2},
		"half answered":             {pgproxy.MidAnswer, 2},
		"before its end is told":    {pgproxy.Complete, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openBehind(t, 3, postgres.Config{})
			bell := s.Local().Wait()
			trap := s.proxy.Arm(pgproxy.Fault{At: point.at, SQL: regexp.MustCompile(`(?i)^commit`)})
			b := batch("a-1", store.NoStream, event("x", `{}`), event("y", `{}`))
			calls := 0
			got, err := postgres.InTx(t.Context(), s.Store, func(ctx context.Context, _ pgx.Tx, in *postgres.Tx) error {
				calls++
				_, err := in.Append(ctx, b)
				return err
			})
			if trap.Hits() != 1 || calls != 1 {
				t.Fatalf("%d commits were cut, %d calls", trap.Hits(), calls)
			}
			if n := s.stored(t, b); n != point.stored {
				t.Errorf("%d events are stored, want %d", n, point.stored)
			}
			if point.stored > 0 {
				if err != nil || len(got) != 1 || got[0].Version != 2 || got[0].Last != got[0].First+1 || got[0].First == 0 {
					t.Errorf("committed %+v, %v", got, err)
				}
				select {
				case <-bell:
				default:
					t.Error("the doorbell did not ring")
				}
			} else if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrUnknownOutcome) ||
				!store.Retryable(err) || !strings.Contains(err.Error(), "commit") {
				t.Errorf("got %v (%T)", err, err)
			}
			checkPool(t, s.pool)
		})
	}
}

// TestACommitThatCannotBeAskedForIsUnknown takes the network away with the reply.
func TestACommitThatCannotBeAskedForIsUnknown(t *testing.T) {
	t.Parallel()
	s := openBehind(t, 3, postgres.Config{})
	trap := s.proxy.Arm(pgproxy.Fault{At: pgproxy.Answer, Do: pgproxy.Hold, SQL: regexp.MustCompile(`(?i)^commit`)})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-trap.Hit()
		_ = s.proxy.Down()
		cancel()
	}()
	b := batch("a-1", store.NoStream, event("x", `{}`))
	_, err := postgres.InTx(ctx, s.Store, func(ctx context.Context, _ pgx.Tx, in *postgres.Tx) error {
		_, err := in.Append(ctx, b)
		return err
	})
	var unknown *store.UnknownOutcomeError
	if !errors.As(err, &unknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v (%T)", err, err)
	}
	trap.Release()
	if err := s.proxy.Up(); err != nil {
		t.Fatal(err)
	}
	if n := s.stored(t, b); n != 1 {
		t.Errorf("%d events are stored", n)
	}
	checkPool(t, s.pool)
}

// TestAContextThatEndsInAReadFreesTheConnection holds the answer to a page.
func TestAContextThatEndsInAReadFreesTheConnection(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]pgproxy.Point{"on its way": pgproxy.Request, "at work": pgproxy.Sent, "half a row": pgproxy.MidAnswer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openBehind(t, 2, postgres.Config{})
			trap := s.proxy.Arm(pgproxy.Fault{At: at, Do: pgproxy.Hold})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				<-trap.Hit()
				cancel()
			}()
			all, err := collect(s.Read(ctx, store.Query{}))
			if trap.Hits() != 1 || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "read") || len(all) > 4 {
				t.Errorf("%d hits, %d events, %v", trap.Hits(), len(all), err)
			}
			trap.Release()
			checkPool(t, s.pool)
			if all, err := collect(s.Read(t.Context(), store.Query{})); err != nil || len(all) != 4 {
				t.Errorf("read again: %d events, %v", len(all), err)
			}
		})
	}
}
