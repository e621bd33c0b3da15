package postgres_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/storetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := pgtest.Drop(schemas.made...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}

// schemas are migrated, and used by one test after another: most of a test's time
// would else go into making its tables.
var schemas struct {
	mu         sync.Mutex
	made, free []string
}

// migrated returns a schema whose tables are empty, and takes it back when t ends.
func migrated(t testing.TB) string {
	t.Helper()
	pool := pgtest.Pool(t)
	schemas.mu.Lock()
	var name string
	if n := len(schemas.free); n > 0 {
		name, schemas.free = schemas.free[n-1], schemas.free[:n-1]
	}
	schemas.mu.Unlock()
	if name == "" {
		name = pgtest.SchemaName()
		openOn(t, pool, postgres.Config{Schema: name})
		schemas.mu.Lock()
		schemas.made = append(schemas.made, name)
		schemas.mu.Unlock()
	}
	t.Cleanup(func() {
		if err := empty(pool, name); err != nil {
			t.Errorf("empty the schema of the test: %v", err)
			return
		}
		schemas.mu.Lock()
		defer schemas.mu.Unlock()
		schemas.free = append(schemas.free, name)
	})
	return name
}

// empty makes a schema what it was after its migration. Triggers that refuse this do
// not fire in a replica.
func empty(pool *pgxpool.Pool, schema string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	in := pgx.Identifier{schema}.Sanitize()
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for _, sql := range []string{
			"SET LOCAL session_replication_role = replica",
			"TRUNCATE " + in + ".streams, " + in + ".events, " + in + ".links, " + in + ".pending, " + in + ".subscriptions, " + in + ".lanes, " + in + ".members, " + in + ".parked, " + in + ".snapshots RESTART IDENTITY",
			"UPDATE " + in + ".store SET floor = 0, epoch = gen_random_uuid()",
		} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
}

// open returns a migrated store in a schema of its own.
func open(t testing.TB, configure ...func(*pgxpool.Config)) *postgres.Store {
	t.Helper()
	return openOn(t, pgtest.Pool(t, configure...), postgres.Config{Schema: pgtest.Schema(t), HardDeletes: true})
}

// openQuiet returns a store as open does, which sends nothing but what it is asked
// for.
func openQuiet(t testing.TB, configure ...func(*pgxpool.Config)) *postgres.Store {
	t.Helper()
	return openOn(t, pgtest.Pool(t, configure...), postgres.Config{Schema: pgtest.Schema(t), HardDeletes: true, NoNotify: true})
}

func openOn(t testing.TB, pool *pgxpool.Pool, c postgres.Config) *postgres.Store {
	t.Helper()
	s, err := postgres.New(pool, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// setup is the contract suite's on pools that configure makes.
func setup(configure ...func(*pgxpool.Config)) storetest.Setup {
	return setupWith(postgres.Config{}, configure...)
}

// setupWith is the contract suite's on stores that are configured as c, but for the
// schema and what the suite itself asks for.
func setupWith(c postgres.Config, configure ...func(*pgxpool.Config)) storetest.Setup {
	openWith := func(t testing.TB, hard bool, o store.Observer) store.Store {
		t.Helper()
		c := c
		c.Schema, c.HardDeletes, c.Observer = migrated(t), hard, o
		s, err := postgres.New(pgtest.Pool(t, configure...), c)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	// The suite opens a store's data a second time by the store.
	again := func(t testing.TB, s store.Store) store.Store {
		t.Helper()
		c := c
		c.Schema, c.HardDeletes = postgres.SchemaOf(s.(*postgres.Store)), true
		other, err := postgres.New(pgtest.Pool(t, configure...), c)
		if err != nil {
			t.Fatal(err)
		}
		return other
	}
	return storetest.Setup{
		Open:                   func(t testing.TB) store.Store { return openWith(t, true, nil) },
		OpenWithoutHardDeletes: func(t testing.TB) store.Store { return openWith(t, false, nil) },
		Observed:               func(t testing.TB, o store.Observer) store.Store { return openWith(t, true, o) },
		Declares:               storetest.Postgres,
		Reopen:                 again,
		Another:                again,
	}
}

func mode(m pgx.QueryExecMode) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = m }
}

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, setup())
}

func TestStoreKeepsTheContractInEveryQueryMode(t *testing.T) {
	t.Parallel()
	for _, m := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, setup(mode(m)))
		})
	}
}

func event(kind, data string) store.Event {
	return store.Event{ID: uuid.Must(uuid.NewV7()), Type: kind, Format: store.JSON, Data: []byte(data)}
}

func batch(stream string, expected store.Version, events ...store.Event) store.Batch {
	return store.Batch{Stream: stream, Expected: expected, Events: events}
}
