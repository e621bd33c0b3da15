package postgres_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
	"github.com/esgen/esgen/runtime/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a migrated store in a schema of its own.
func open(t testing.TB, configure ...func(*pgxpool.Config)) *postgres.Store {
	t.Helper()
	return openOn(t, pgtest.Pool(t, configure...), postgres.Config{Schema: pgtest.Schema(t), HardDeletes: true})
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
		c.Schema, c.HardDeletes, c.Observer = pgtest.Schema(t), hard, o
		return openOn(t, pgtest.Pool(t, configure...), c)
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
