package postgres_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func newStore(t *testing.T, c postgres.Config) *postgres.Store {
	t.Helper()
	s, err := postgres.New(pgtest.Pool(t), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMigrateTakesEachStepOnce(t *testing.T) {
	t.Parallel()
	s := newStore(t, postgres.Config{Schema: pgtest.Schema(t)})
	all := len(postgres.Migrations())
	for _, pending := range []int{all, 0} {
		steps, err := s.Pending(t.Context())
		if err != nil || len(steps) != pending {
			t.Fatalf("%d steps pending, %v; want %d", len(steps), err, pending)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMigrationsAreNumberedWithoutAGap(t *testing.T) {
	t.Parallel()
	for i, m := range postgres.Migrations() {
		if m.Number != i+1 || m.Name == "" || m.SQL == "" {
			t.Errorf("migration %d is %d %q", i+1, m.Number, m.Name)
		}
	}
}

func TestMigrateFromManyProcessesAtOnce(t *testing.T) {
	t.Parallel()
	schema := pgtest.Schema(t)
	var wg sync.WaitGroup
	for range 6 {
		s := newStore(t, postgres.Config{Schema: schema})
		wg.Go(func() {
			if err := s.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s := newStore(t, postgres.Config{Schema: schema})
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
}

func TestMigrateRefusesANewerSchema(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	want := len(postgres.Migrations())
	if _, err := pool.Exec(t.Context(), "INSERT INTO "+postgres.SchemaOf(s)+".migrations (number, name) VALUES ($1, 'later')", want+1); err != nil {
		t.Fatal(err)
	}
	_, pending := s.Pending(t.Context())
	for _, err := range []error{s.Migrate(t.Context()), pending} {
		var e *store.NotMigratedError
		if !errors.As(err, &e) || e.Have != want+1 || e.Want != want || !strings.Contains(err.Error(), "update the program") {
			t.Errorf("got %v", err)
		}
	}
}

func TestEveryCallOnASchemaThatIsNotMigratedSaysSo(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testing.T, *postgres.Store){
		"no schema": func(*testing.T, *postgres.Store) {},
		"dropped": func(t *testing.T, s *postgres.Store) {
			if err := errors.Join(s.Migrate(t.Context()), s.Drop(t.Context())); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, postgres.Config{Schema: pgtest.Schema(t)})
			prepare(t, s)
			for call, err := range calls(t, s) {
				var e *store.NotMigratedError
				if !errors.As(err, &e) || e.Have != 0 || e.Want != len(postgres.Migrations()) || e.Store != postgres.SchemaOf(s) {
					t.Errorf("%s: %v", call, err)
				}
			}
		})
	}
}

// calls returns the error of each method of a store that asks the database.
func calls(t *testing.T, s *postgres.Store) map[string]error {
	t.Helper()
	ctx := t.Context()
	errs := make(map[string]error)
	_, errs["append one"] = s.Append(ctx, batch("a-1", store.Any, event("x", `{}`)))
	_, errs["append two"] = s.Append(ctx, batch("a-1", store.Any, event("x", `{}`), event("x", `{}`)))
	_, errs["read stream"] = collect(s.Read(ctx, store.Query{Stream: "a-1"}))
	_, errs["read all"] = collect(s.Read(ctx, store.Query{}))
	_, errs["stream info"] = s.StreamInfo(ctx, "a-1")
	_, errs["open"] = s.Subscriptions().Open(ctx, store.Subscription{Name: "n", Lanes: make([]store.Lane, 1)})
	errs["advance"] = s.Subscriptions().Pause(ctx, "n", true)
	errs["save"] = s.SaveSnapshot(ctx, store.Snapshot{Stream: "a-1", Version: 1, Type: "s", Format: store.JSON, Data: []byte(`{}`)})
	_, errs["load"] = s.LoadSnapshot(ctx, "a-1")
	errs["delete"] = s.DeleteSnapshot(ctx, "a-1")
	return errs
}

func TestStoresInOneDatabaseShareNothing(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	// A name that must be quoted, and holds what statements are rewritten by.
	one := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	two := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t) + ` "Odd" esgen.x`})
	t.Cleanup(func() { dropSchema(t, pool, postgres.SchemaOf(two)) })

	e := event("x", `{"n":1}`)
	for _, s := range []*postgres.Store{one, two} {
		a, err := s.Append(t.Context(), batch("a-1", store.NoStream, e))
		if err != nil || a[0].First != 1 || a[0].Duplicate {
			t.Fatalf("%s: %+v, %v", postgres.SchemaOf(s), a, err)
		}
	}

	// An open transaction that holds the head of one store delays nobody in the other.
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT pg_advisory_xact_lock(to_regclass($1)::oid::integer, 0)", postgres.SchemaOf(one)+".events"); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Append(t.Context(), batch("a-2", store.NoStream, event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
	held := make(chan error, 1)
	go func() {
		_, err := one.Append(t.Context(), batch("a-2", store.NoStream, event("x", `{}`)))
		held <- err
	}()
	waitFor(t, pool, "an append waits for the head", `SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = to_regclass('`+postgres.SchemaOf(one)+`.events')`)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-held; err != nil {
		t.Fatal(err)
	}
}

func TestNewRefusesWhatCannotBeASchema(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	for _, name := range []string{strings.Repeat("x", 64), "pg_mine", "a\x00b", "\xff"} {
		if _, err := postgres.New(pool, postgres.Config{Schema: name}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("schema %q: %v", name, err)
		}
	}
	if _, err := postgres.New(nil, postgres.Config{}); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("no pool: %v", err)
	}
}
