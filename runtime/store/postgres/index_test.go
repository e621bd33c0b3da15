package postgres_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func TestIndexesAreAddedListedAndDropped(t *testing.T) {
	t.Parallel()
	s := open(t)
	long := strings.Repeat("long ", 60)
	for _, i := range []postgres.Index{postgres.ByType, postgres.ByMetadata("tenant"), postgres.ByMetadata(`it's "a" \key`), postgres.ByMetadata(long)} {
		for _, want := range []bool{true, false} {
			if built, err := s.AddIndex(t.Context(), i); err != nil || built != want {
				t.Fatalf("%s: built %t, %v", i, built, err)
			}
		}
		if len(i.Name()) > 63 {
			t.Errorf("%s has a name of %d bytes", i, len(i.Name()))
		}
	}
	list, err := s.Indexes(t.Context())
	if err != nil || len(list) != 4 {
		t.Fatalf("%+v, %v", list, err)
	}
	names := make([]string, 0, len(list))
	for _, i := range list {
		if !i.Valid || i.Building != nil || i.Bytes == 0 || i.Index.String() != i.For || i.Index.Name() != i.Name {
			t.Errorf("%+v", i)
		}
		names = append(names, i.For)
	}
	for _, want := range []string{"type", "metadata.tenant", `metadata.it's "a" \key`, "metadata." + long} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not in the list", want)
		}
	}
	for _, want := range []bool{true, false} {
		if dropped, err := s.DropIndex(t.Context(), postgres.ByMetadata(long)); err != nil || dropped != want {
			t.Errorf("dropped %t, %v", dropped, err)
		}
	}
}

// A build that is cut off while it waits for an open transaction is told while it
// goes on, leaves an index that serves nobody, and is made up for by the next one.
func TestAnInterruptedBuildIsDoneAgain(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	schema := pgtest.Schema(t)
	s := openOn(t, pool, postgres.Config{Schema: schema})
	i := postgres.ByMetadata("tenant")

	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := s.WithTx(tx).Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := s.AddIndex(ctx, i)
		ended <- err
	}()
	waitFor(t, pool, "the build waits for the transaction", `SELECT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = '`+schema+`.events'::regclass AND p.phase LIKE 'waiting for writers%')`)

	var building *postgres.BuildingError
	if _, err := s.AddIndex(t.Context(), i); !errors.As(err, &building) || building.Build.PID == 0 || !strings.Contains(err.Error(), "waiting for writers before build") {
		t.Errorf("a second build says %v", err)
	}
	if _, err := s.DropIndex(t.Context(), i); !errors.As(err, &building) {
		t.Errorf("to drop it meanwhile says %v", err)
	}
	r, err := s.Doctor(t.Context())
	if err != nil || len(r.Indexes) != 1 || r.Indexes[0].Building == nil || found(r, "is invalid") {
		t.Errorf("the doctor says %+v, %v", r, err)
	}

	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the build that was cut off says %v", err)
	}
	waitFor(t, pool, "the build ends", `SELECT NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = '`+schema+`.events'::regclass)`)
	list, err := s.Indexes(t.Context())
	if err != nil || len(list) != 1 || list[0].Valid || list[0].Building != nil {
		t.Fatalf("left over: %+v, %v", list, err)
	}
	if r, err = s.Doctor(t.Context()); err != nil || !found(r, "index "+i.Name()+" is invalid") {
		t.Errorf("the doctor says %+v, %v", r.Findings, err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if built, err := s.AddIndex(t.Context(), i); err != nil || !built {
		t.Fatalf("again: %t, %v", built, err)
	}
	list, err = s.Indexes(t.Context())
	if err != nil || len(list) != 1 || !list[0].Valid || list[0].For != "metadata.tenant" {
		t.Errorf("%+v, %v", list, err)
	}
}

// The key is noted behind the index: what came between is made up for.
func TestAnIndexWhoseKeyIsNotKnownIsMended(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	i := postgres.ByMetadata("tenant")
	if _, err := s.AddIndex(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), "COMMENT ON INDEX "+postgres.SchemaOf(s)+"."+i.Name()+" IS NULL"); err != nil {
		t.Fatal(err)
	}
	if list, err := s.Indexes(t.Context()); err != nil || len(list) != 1 || list[0].For != "" {
		t.Fatalf("%+v, %v", list, err)
	}
	if built, err := s.AddIndex(t.Context(), i); err != nil || built {
		t.Errorf("%t, %v", built, err)
	}
	if list, err := s.Indexes(t.Context()); err != nil || len(list) != 1 || list[0].For != "metadata.tenant" {
		t.Errorf("%+v, %v", list, err)
	}
}

// Reads find by an index what they found without, and the doctor knows of filters
// that have none.
func TestFiltersUseTheirIndexes(t *testing.T) {
	t.Parallel()
	s := open(t)
	e := event("x", `{}`)
	e.Metadata = store.Metadata(`{"it's":"a"}`)
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, e, event("y", `{}`))); err != nil {
		t.Fatal(err)
	}
	read := func() {
		t.Helper()
		for _, q := range []store.Query{{Types: []string{"x"}}, {Metadata: map[string]string{"it's": "a"}}} {
			if all, err := collect(s.Read(t.Context(), q)); err != nil || len(all) != 1 || all[0].ID != e.ID {
				t.Errorf("%+v: %+v, %v", q, all, err)
			}
		}
	}
	read()
	r, err := s.Doctor(t.Context())
	if err != nil || len(r.Filters) != 2 || r.Filters[0] != (postgres.FilterState{Filter: "metadata.it's", Reads: 1}) || !found(r, "1 reads have filtered by type") {
		t.Errorf("%+v %+v, %v", r.Filters, r.Findings, err)
	}
	for _, f := range r.Filters {
		i, err := postgres.ParseIndex(f.Filter)
		if err == nil {
			_, err = s.AddIndex(t.Context(), i)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	read()
	if r, err = s.Doctor(t.Context()); err != nil || len(r.Filters) != 0 {
		t.Errorf("%+v, %v", r.Filters, err)
	}
}

func TestIndexRefusals(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "time", "metadata", "metadata.", "metadata.\x00", "metadata.\xff"} {
		if _, err := postgres.ParseIndex(text); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	pool := pgtest.Pool(t)
	missing, err := postgres.New(pool, postgres.Config{Schema: pgtest.Schema(t)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := missing.AddIndex(t.Context(), postgres.ByType); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("without tables: %v", err)
	}
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	if _, err := s.AddIndex(t.Context(), postgres.ByMetadata("")); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("an empty key: %v", err)
	}

	// A role that may append does not own the tables.
	role := postgres.SchemaOf(s) + "_role"
	for _, sql := range []string{
		"CREATE ROLE " + role, "GRANT USAGE ON SCHEMA " + postgres.SchemaOf(s) + " TO " + role,
		"GRANT SELECT ON ALL TABLES IN SCHEMA " + postgres.SchemaOf(s) + " TO " + role,
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := pool.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	theirs := openAs(t, role, postgres.SchemaOf(s))
	if _, err := theirs.AddIndex(t.Context(), postgres.ByType); err == nil || !strings.Contains(err.Error(), "only the owner of the tables") {
		t.Errorf("by another role: %v", err)
	}
	if r, err := theirs.Doctor(t.Context()); err != nil || r.Server.SeesAll || !found(r, "does not see what the sessions of other roles do") {
		t.Errorf("the doctor of another role says %+v, %v", r.Findings, err)
	}
	if err := theirs.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// openAs returns a store whose sessions have the rights of a role.
func openAs(t *testing.T, role, schema string) *postgres.Store {
	t.Helper()
	pool := pgtest.Pool(t, onConnect("SET ROLE "+pgx.Identifier{role}.Sanitize()))
	s, err := postgres.New(pool, postgres.Config{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
