package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestNoFailureLosesAConnection makes every call fail for reasons that do not pass
// by themselves, and then counts the connections of the pool.
func TestNoFailureLosesAConnection(t *testing.T) {
	t.Parallel()
	t.Run("server away", func(t *testing.T) {
		t.Parallel()
		grouping(t, func(t *testing.T, c postgres.Config) {
			s := openBehind(t, 4, c)
			if err := s.proxy.Down(); err != nil {
				t.Fatal(err)
			}
			s.proxy.Cut()
			for range 3 {
				for call, err := range calls(t, s.Store) {
					if !errors.Is(err, store.ErrUnavailable) || !store.Retryable(err) || errors.Is(err, store.ErrUnknownOutcome) {
						t.Errorf("%s: %v", call, err)
					}
				}
			}
			if err := s.proxy.Up(); err != nil {
				t.Fatal(err)
			}
			checkPool(t, s.pool)
			if n := len(checkOrder(t, s.seen)); n != 8 {
				t.Errorf("%d events are stored, want the 8 from before", n)
			}
		})
	})
	t.Run("no rights", func(t *testing.T) {
		t.Parallel()
		grouping(t, func(t *testing.T, c postgres.Config) {
			c.Schema = pgtest.Schema(t)
			seen := openOn(t, pgtest.Pool(t), postgres.Config{Schema: c.Schema})
			role := newRole(t, c.Schema+"_guest")
			pool := pgtest.Pool(t, func(c *pgxpool.Config) { c.ConnConfig.User = role })
			s, err := postgres.New(pool, c)
			if err != nil {
				t.Fatal(err)
			}
			for call, err := range calls(t, s) {
				if err == nil || store.Retryable(err) || !strings.Contains(err.Error(), "42501") || !strings.Contains(err.Error(), "grant the role") {
					t.Errorf("%s: %v", call, err)
				}
			}
			checkPool(t, pool)
			if n := len(checkOrder(t, seen)); n != 0 {
				t.Errorf("%d events are stored", n)
			}
		})
	})
	t.Run("out of connections", func(t *testing.T) {
		t.Parallel()
		grouping(t, func(t *testing.T, c postgres.Config) {
			c.Schema = pgtest.Schema(t)
			admin := pgtest.Pool(t)
			seen := openOn(t, admin, postgres.Config{Schema: c.Schema})
			role := newRole(t, c.Schema+"_crowd")
			for _, sql := range []string{
				"ALTER ROLE " + role + " CONNECTION LIMIT 0", "GRANT USAGE ON SCHEMA " + c.Schema + " TO " + role,
				"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA " + c.Schema + " TO " + role,
				"GRANT USAGE ON ALL SEQUENCES IN SCHEMA " + c.Schema + " TO " + role,
				"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + c.Schema + " TO " + role,
			} {
				if _, err := admin.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			pool := pgtest.Pool(t, func(c *pgxpool.Config) { c.ConnConfig.User = role })
			s, err := postgres.New(pool, c)
			if err != nil {
				t.Fatal(err)
			}
			var callers sync.WaitGroup
			for range 12 {
				callers.Go(func() {
					_, err := s.Append(t.Context(), batch("a-1", store.Any, event("x", `{}`)))
					if !errors.Is(err, store.ErrUnavailable) || !store.Retryable(err) || !strings.Contains(err.Error(), "53300") || !strings.Contains(err.Error(), "a-1") {
						t.Errorf("got %v", err)
					}
				})
			}
			callers.Wait()
			if _, err := admin.Exec(t.Context(), "ALTER ROLE "+role+" CONNECTION LIMIT -1"); err != nil {
				t.Fatal(err)
			}
			checkPool(t, pool)
			if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); err != nil {
				t.Errorf("with connections again: %v", err)
			}
			if n := len(checkOrder(t, seen)); n != 1 {
				t.Errorf("%d events are stored, want 1", n)
			}
		})
	})
}

// newRole makes a role that may log in and nothing else.
func newRole(t *testing.T, name string) string {
	t.Helper()
	url := pgtest.URL(t)
	if _, err := pgtest.Pool(t).Exec(t.Context(), "CREATE ROLE "+name+" LOGIN NOSUPERUSER"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c, err := pgx.Connect(context.Background(), url)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close(context.Background())
		if _, err := c.Exec(context.Background(), "DROP OWNED BY "+name+"; DROP ROLE "+name, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Error(err)
		}
	})
	return name
}
