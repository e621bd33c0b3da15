package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func TestEventsAreNeverChanged(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
	in := postgres.SchemaOf(s) + "."
	for _, sql := range []string{
		"UPDATE " + in + "events SET type = 'y'",
		"UPDATE " + in + "events SET position = position",
		"UPDATE " + in + "events SET position = NULL",
		"DELETE FROM " + in + "events",
		"TRUNCATE " + in + "events",
		"DELETE FROM " + in + "streams",
		"TRUNCATE " + in + "streams",
	} {
		_, err := pool.Exec(t.Context(), sql)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "0A000" || !strings.Contains(pg.Message, "never changed or removed") {
			t.Errorf("%s: %v", sql, err)
		}
	}

	// The one change there is: a position for an event that had none.
	insert := "INSERT INTO " + in + "events (position, stream_id, version, time, revision, event_id, type, format, data) VALUES (NULL, 1, $1, now(), 1, $2, 'x', 'json', '{}')"
	for i := range 2 {
		if _, err := pool.Exec(t.Context(), insert, 2+i, uuid.New()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pool.Exec(t.Context(), "UPDATE "+in+"events SET position = 2, type = 'y' WHERE version = 2"); err == nil {
		t.Error("a position was given together with another change")
	}
	if _, err := pool.Exec(t.Context(), "UPDATE "+in+"events SET position = version WHERE position IS NULL"); err != nil {
		t.Errorf("give positions: %v", err)
	}
}

func TestPayloadsAreExactlyOneOfBytesAndJSON(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	for _, columns := range []string{"NULL, NULL", "'{}', '{}'"} {
		_, err := pool.Exec(t.Context(), "INSERT INTO "+postgres.SchemaOf(s)+".events (stream_id, version, time, revision, event_id, type, format, data, data_json) VALUES (1, 1, now(), 1, gen_random_uuid(), 'x', 'json', "+columns+")")
		if err == nil {
			t.Errorf("data and data_json may be %s", columns)
		}
	}
	binary := store.Event{Type: "x", Format: store.Msgpack}
	if _, err := s.Append(t.Context(), batch("a-1", store.Any, binary), batch("a-2", store.Any, binary)); err != nil {
		t.Errorf("an empty payload: %v", err)
	}
	if _, err := s.Append(t.Context(), batch("a-1", store.Any, binary)); err != nil {
		t.Errorf("an empty payload alone: %v", err)
	}
}

func TestSessionsThatDefaultToAnotherIsolation(t *testing.T) {
	t.Parallel()
	for _, isolation := range []string{"repeatable read", "serializable"} {
		for _, m := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
			t.Run(isolation+"/"+m.String(), func(t *testing.T) {
				t.Parallel()
				s := open(t, mode(m), func(c *pgxpool.Config) {
					c.ConnConfig.RuntimeParams["default_transaction_isolation"] = isolation
				})
				var wg sync.WaitGroup
				for range 6 {
					wg.Go(func() {
						for range 10 {
							if _, err := s.Append(t.Context(), batch("a-1", store.Any, event("x", `{}`))); err != nil {
								t.Error(err)
							}
							if _, err := s.Append(t.Context(), batch("a-2", store.Any, event("x", `{}`)), batch("a-1", store.Any, event("x", `{}`))); err != nil {
								t.Error(err)
							}
							if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); !errors.Is(err, store.ErrConflict) {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				all := checkOrder(t, s)
				if len(all) != 180 {
					t.Errorf("%d events", len(all))
				}
				if a, err := s.Append(t.Context(), batch(all[0].Stream, store.Any, store.Event{ID: all[0].ID, Type: "x", Format: store.JSON, Data: []byte(`{}`)})); err != nil || !a[0].Duplicate {
					t.Errorf("a retry: %+v, %v", a, err)
				}
			})
		}
	}
}

// TestLinksAndRemovalsInSessionsOfAnotherIsolation does the same to what else needs
// read committed, each as the first call of its store.
func TestLinksAndRemovalsInSessionsOfAnotherIsolation(t *testing.T) {
	t.Parallel()
	for _, m := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			schema := pgtest.Schema(t)
			seen := openOn(t, pgtest.Pool(t), postgres.Config{Schema: schema})
			ids := given(t, seen, "a-1", 3)
			pool := pgtest.Pool(t, mode(m), func(c *pgxpool.Config) {
				c.ConnConfig.RuntimeParams["default_transaction_isolation"] = "repeatable read"
			})
			for what, do := range []func(*postgres.Store) error{
				func(s *postgres.Store) error {
					_, err := s.Link(t.Context(), "list-1", store.NoStream, ids...)
					return err
				},
				func(s *postgres.Store) error { return s.Truncate(t.Context(), "a-1", 2, store.Hard) },
				func(s *postgres.Store) error { return s.Delete(t.Context(), "a-1", 3, store.Hard) },
			} {
				s, err := postgres.New(pool, postgres.Config{Schema: schema, HardDeletes: true})
				if err != nil {
					t.Fatal(err)
				}
				for again := range 2 {
					if err := do(s); err != nil && (again == 0 || !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrStreamNotFound)) {
						t.Errorf("%d: %v", what, err)
					}
				}
			}
			if all, err := collect(seen.Read(t.Context(), store.Query{})); err != nil || len(all) > 0 {
				t.Errorf("%d events are left, %v", len(all), err)
			}
		})
	}
}

// TestAppendFunctionsRefuseAnotherIsolation holds what protects those who call
// the functions in a transaction of their own.
func TestAppendFunctionsRefuseAnotherIsolation(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	for _, call := range []string{
		"append_one('a-1', 'a', -1, gen_random_uuid(), 'x', 1, 'json', '{}', NULL, '{}', gen_random_uuid(), NULL, now())",
		"append('{1}', '{a-1}', '{a}', '{-1}', '{1}', '{now}', '{1}', '{1}', '{0198c0de-0000-7000-8000-000000000000}', '{x}', '{1}', '{json}', '{abc}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{now}')",
	} {
		tx, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.Exec(t.Context(), "SELECT "+postgres.SchemaOf(s)+"."+call)
		if err == nil || !strings.Contains(err.Error(), "repeatable read") || !strings.Contains(err.Error(), "read committed only") {
			t.Errorf("%s: %v", call, err)
		}
		_ = tx.Rollback(t.Context())
		if _, err := pool.Exec(t.Context(), "SELECT "+postgres.SchemaOf(s)+"."+call); err != nil {
			t.Errorf("under read committed: %v", err)
		}
	}
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	admin := pgtest.Pool(t)
	s := openOn(t, admin, postgres.Config{Schema: pgtest.Schema(t)})
	schema := postgres.SchemaOf(s)
	on := func(t *testing.T, configure ...func(*pgxpool.Config)) *postgres.Store {
		t.Helper()
		other, err := postgres.New(pgtest.Pool(t, configure...), postgres.Config{Schema: schema})
		if err != nil {
			t.Fatal(err)
		}
		return other
	}
	one := batch("a-1", store.Any, event("x", `{}`))

	t.Run("no privilege", func(t *testing.T) {
		role := schema + "_role"
		if _, err := admin.Exec(t.Context(), "CREATE ROLE "+role+" LOGIN"); err != nil {
			t.Fatal(err)
		}
		defer admin.Exec(t.Context(), "DROP OWNED BY "+role+"; DROP ROLE "+role, pgx.QueryExecModeSimpleProtocol)
		other := on(t, func(c *pgxpool.Config) { c.ConnConfig.User = role })
		_, err := other.Append(t.Context(), one)
		if err == nil || store.Retryable(err) || !strings.Contains(err.Error(), "permission denied") || !strings.Contains(err.Error(), "grant the role USAGE on schema") {
			t.Errorf("got %v", err)
		}
		// What the error asks for is enough.
		for _, grant := range []string{
			"USAGE ON SCHEMA ", "EXECUTE ON ALL FUNCTIONS IN SCHEMA ", "USAGE ON ALL SEQUENCES IN SCHEMA ",
			"SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ",
		} {
			if _, err := admin.Exec(t.Context(), "GRANT "+grant+schema+" TO "+role); err != nil {
				t.Fatal(err)
			}
		}
		for _, expected := range []store.Version{store.NoStream, store.StreamExists} {
			if _, err := other.Append(t.Context(), batch("b-1", expected, event("x", `{}`), event("x", `{}`))); err != nil {
				t.Error(err)
			}
		}
		for call, err := range calls(t, other) {
			if err != nil && call != "load" && call != "advance" {
				t.Errorf("%s, after the grants: %v", call, err)
			}
		}
	})
	t.Run("no privilege to migrate", func(t *testing.T) {
		role := schema + "_guest"
		if _, err := admin.Exec(t.Context(), "CREATE ROLE "+role+" LOGIN"); err != nil {
			t.Fatal(err)
		}
		defer admin.Exec(t.Context(), "DROP ROLE "+role)
		other, err := postgres.New(pgtest.Pool(t, func(c *pgxpool.Config) { c.ConnConfig.User = role }), postgres.Config{Schema: schema + "_2"})
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "permission denied") || !strings.Contains(err.Error(), "grant the role CREATE") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("read-only", func(t *testing.T) {
		_, err := on(t, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on" }).Append(t.Context(), one)
		if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a pooler that mixes up sessions", func(t *testing.T) {
		pool := pgtest.Pool(t, single)
		if _, err := openOn(t, pool, postgres.Config{Schema: schema}).Append(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		rows, err := pool.Query(t.Context(), "SELECT name FROM pg_prepared_statements")
		if err != nil {
			t.Fatal(err)
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(names) == 0 {
			t.Fatalf("prepared statements %v, %v", names, err)
		}
		_, err = on(t, func(c *pgxpool.Config) {
			c.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
				for _, name := range names {
					if _, err := c.Exec(ctx, "PREPARE "+name+" AS SELECT 1", pgx.QueryExecModeSimpleProtocol); err != nil {
						return err
					}
				}
				return nil
			}
		}).Append(t.Context(), one)
		if err == nil || store.Retryable(err) || !strings.Contains(err.Error(), "default_query_exec_mode=exec") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("closed pool", func(t *testing.T) {
		pool := pgtest.Pool(t)
		closed := openOn(t, pool, postgres.Config{Schema: schema})
		pool.Close()
		for call, err := range calls(t, closed) {
			if !errors.Is(err, store.ErrClosed) || store.Retryable(err) {
				t.Errorf("%s: %v", call, err)
			}
		}
	})
	t.Run("JSON that PostgreSQL cannot hold", func(t *testing.T) {
		e := event("x", `{"n":1e999999}`)
		e.Format = store.JSONB
		_, err := s.Append(t.Context(), batch("a-1", store.Any, e))
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "a-1") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a snapshot's revision that would be cut off", func(t *testing.T) {
		err := s.SaveSnapshot(t.Context(), store.Snapshot{Stream: "a-1", Version: 1, Type: "s", Revision: 1<<32 + 1, Format: store.JSON, Data: []byte(`{}`)})
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "4294967297") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("more than one append may hold", func(t *testing.T) {
		data := []byte(`"` + strings.Repeat("x", 15<<20) + `"`)
		b := batch("a-1", store.Any)
		for range 18 {
			b.Events = append(b.Events, store.Event{Type: "x", Format: store.Msgpack, Data: data})
		}
		if _, err := s.Append(t.Context(), b); !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "268435456") {
			t.Errorf("got %v", err)
		}
	})
}

func TestErrorsHoldNoPassword(t *testing.T) {
	t.Parallel()
	u, err := url.Parse("postgres://someone:tops%24ecret@127.0.0.1:1/db?connect_timeout=2")
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	s, err := postgres.New(pool, postgres.Config{})
	if err != nil {
		t.Fatal(err)
	}
	errs := calls(t, s)
	errs["migrate"] = s.Migrate(t.Context())
	for call, err := range errs {
		if !errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), "ecret") {
			t.Errorf("%s: %v", call, err)
		}
	}
}

func TestTooManyConnectionsIsUnavailable(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{Settings: map[string]string{"max_connections": "5", "superuser_reserved_connections": "0", "max_wal_senders": "0"}})
	s := openOn(t, server.Pool(t), postgres.Config{})
	hog := server.Pool(t)
	fill(t, hog)
	var held []*pgxpool.Conn
	for len(held) < 8 {
		c, err := hog.Acquire(t.Context())
		if err != nil {
			break
		}
		held = append(held, c)
	}
	other, err := postgres.New(server.Pool(t), postgres.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.Append(t.Context(), batch("a-1", store.Any, event("x", `{}`)))
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "53300") {
		t.Errorf("got %v", err)
	}
	for _, c := range held {
		c.Release()
	}
	if _, err := s.Append(t.Context(), batch("a-1", store.Any, event("x", `{}`))); err != nil {
		t.Error(err)
	}
}

// TestAServerThatHangs stops the processes of the store's connections, so that
// they neither answer nor close.
func TestAServerThatHangs(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	pool := server.Pool(t)
	s, err := postgres.New(pool, postgres.Config{Timeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	fill(t, pool)
	pids := backends(t, server)
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	_, appendErr := s.Append(t.Context(), batch("a-1", store.Any, event("x", `{}`)))
	_, readErr := collect(s.Read(t.Context(), store.Query{}))
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("two calls took %s, their timeout is 300ms", took)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	var unknown *store.UnknownOutcomeError
	var timeout *store.TimeoutError
	if !errors.As(appendErr, &unknown) || !errors.As(appendErr, &timeout) || !errors.Is(appendErr, context.DeadlineExceeded) {
		t.Errorf("append: %v", appendErr)
	}
	if !errors.As(readErr, &timeout) || !store.Retryable(readErr) {
		t.Errorf("read: %v", readErr)
	}
	if unknown == nil {
		return
	}
	resolved, err := postgres.New(server.Pool(t), postgres.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := resolved.Append(t.Context(), unknown.Batches...); err != nil {
		t.Errorf("append the batches again: %v", err)
	}
	if all := checkOrder(t, resolved); len(all) != 1 {
		t.Errorf("%d events are stored", len(all))
	}
}

func backends(t *testing.T, server *pgtest.Server) []int {
	t.Helper()
	c, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	rows, err := c.Query(t.Context(), "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
	if err != nil {
		t.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || len(pids) == 0 {
		t.Fatalf("backends %v, %v", pids, err)
	}
	return pids
}
