package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

func single(c *pgxpool.Config) { c.MaxConns = 1 }

// TestReadHoldsNoConnectionWhileItYields appends from inside a loop over events,
// and breaks off, with one connection in all.
func TestReadHoldsNoConnectionWhileItYields(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t, single)
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t), NoNotify: true})
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`), event("x", `{}`), event("x", `{}`))); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, err := range s.Read(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		isFree(t, pool)
		if _, err := s.Append(t.Context(), batch("b-1", store.Any, event("x", `{}`))); err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 2 {
			break
		}
	}
	isFree(t, pool)
}

// isFree fails t if the only connection of the pool is held by who does not give it up.
func isFree(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		t.Fatalf("the connection is held: %v", err)
	}
	conn.Release()
}

// sparse stores n events in streams of "much", with one of "rare" now and then,
// and returns the positions of those.
func sparse(t *testing.T, s *postgres.Store, n int, rare ...int) (positions []store.Position) {
	t.Helper()
	var events []store.Event
	flush := func() {
		if len(events) > 0 {
			if _, err := s.Append(t.Context(), batch("much-1", store.Any, events...)); err != nil {
				t.Fatal(err)
			}
			events = events[:0]
		}
	}
	for i := range n {
		if !slices.Contains(rare, i) {
			events = append(events, event("much", `{}`))
			continue
		}
		flush()
		a, err := s.Append(t.Context(), batch(fmt.Sprintf("rare-%d", i), store.NoStream, event("rare", `{}`)))
		if err != nil {
			t.Fatal(err)
		}
		positions = append(positions, a[0].First)
	}
	flush()
	return positions
}

// TestAFilteredReadFindsEverythingInBoundedPages reads what is rare: no statement
// may look at all events, and none may be missed at the edges of what each looks at.
func TestAFilteredReadFindsEverythingInBoundedPages(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t, single)
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	// Widths are 4,000, 8,000, 16,000, …, from either end.
	want := sparse(t, s, 60_000, 0, 3_999, 4_000, 11_999, 12_000, 27_999, 28_000, 31_999, 32_000, 47_999, 48_000, 55_999, 56_000, 59_999)
	backward := slices.Clone(want)
	slices.Reverse(backward)
	for _, q := range []store.Query{
		{Categories: []string{"rare"}},
		{Types: []string{"rare"}},
		{Categories: []string{"rare", "none"}, Types: []string{"rare", "none"}},
		{Categories: []string{"rare"}, Backward: true},
		{Types: []string{"rare"}, Backward: true},
	} {
		before := looked(t, pool, postgres.SchemaOf(s))
		all, err := collect(s.Read(t.Context(), q))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]store.Position, 0, len(all))
		for _, r := range all {
			got = append(got, r.Position)
		}
		expected := want
		if q.Backward {
			expected = backward
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%v: %s", q, diff)
		}
		if n := looked(t, pool, postgres.SchemaOf(s)) - before; n < len(want) || n > 60_100 {
			t.Errorf("%v looked at %d events of 60,000", q, n)
		}
	}
	// A limit ends the search.
	before := looked(t, pool, postgres.SchemaOf(s))
	all, err := collect(s.Read(t.Context(), store.Query{Types: []string{"rare"}, Limit: 1}))
	if n := looked(t, pool, postgres.SchemaOf(s)) - before; err != nil || len(all) != 1 || n == 0 || n > 10 {
		t.Errorf("%d events, %v; looked at %d", len(all), err, n)
	}
	for _, backward := range []bool{false, true} {
		if all, err := collect(s.Read(t.Context(), store.Query{Stream: "much-1", Types: []string{"rare"}, Backward: backward})); err != nil || len(all) != 0 {
			t.Errorf("%d events, %v", len(all), err)
		}
	}
}

// TestNoStatementScansTheEvents makes plans while the tables are empty, as a new
// program does, lets them grow, and holds that nothing is read but by an index.
func TestNoStatementScansTheEvents(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t, single)
	s := openOn(t, pool, postgres.Config{Schema: pgtest.Schema(t)})
	use := func() {
		k := event("x", `{}`)
		for _, b := range [][]store.Batch{
			{batch("a-1", store.Any, k)},
			{batch("a-1", store.Any, k)},
			{batch("a-2", store.Any, event("x", `{}`), event("x", `{}`)), batch("a-3", store.Any, event("x", `{}`))},
		} {
			if _, err := s.Append(t.Context(), b...); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, event("x", `{}`))); err == nil {
			t.Fatal("no conflict")
		}
		for _, q := range []store.Query{
			{},
			{Backward: true, Limit: 3},
			{Stream: "a-1"},
			{Stream: "a-1", Backward: true, Limit: 3},
			{Categories: []string{"a"}, Limit: 3},
			{Types: []string{"x"}, Backward: true, Limit: 3},
			{FromPosition: 5},
		} {
			if _, err := collect(s.Read(t.Context(), q)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.StreamInfo(t.Context(), "a-1"); err != nil {
			t.Fatal(err)
		}
	}
	use()
	// The planner now knows how small the tables are, and keeps what it plans.
	for _, sql := range []string{"ANALYZE " + postgres.SchemaOf(s) + ".events", "ANALYZE " + postgres.SchemaOf(s) + ".streams", "DISCARD PLANS"} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	use()
	sparse(t, s, 5_000)
	for i := range 20 {
		many := make([]store.Batch, 100)
		for j := range many {
			many[j] = batch(fmt.Sprintf("b-%d-%d", i, j), store.NoStream, event("x", `{}`))
		}
		if _, err := s.Append(t.Context(), many...); err != nil {
			t.Fatal(err)
		}
	}
	before := scans(t, pool, postgres.SchemaOf(s))
	use()
	if after := scans(t, pool, postgres.SchemaOf(s)); after != before {
		t.Errorf("%d sequential scans of events", after-before)
	}
	if _, err := pool.Exec(t.Context(), "SELECT count(*) FROM "+postgres.SchemaOf(s)+".events WHERE revision > 3"); err != nil {
		t.Fatal(err)
	}
	if scans(t, pool, postgres.SchemaOf(s)) == before {
		t.Error("a sequential scan was not counted, so this test shows nothing")
	}
}

func scans(t *testing.T, pool *pgxpool.Pool, schema string) (n int) {
	t.Helper()
	err := pool.QueryRow(t.Context(), `SELECT (pg_stat_get_numscans(c.oid) + pg_stat_get_xact_numscans(c.oid))
		FROM pg_class c WHERE c.oid = to_regclass($1)`, schema+".events").Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPagesAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	s := open(t)
	data := make([]byte, 1<<20)
	events := make([]store.Event, 0, 30)
	for range 30 {
		events = append(events, store.Event{Type: "x", Format: store.Msgpack, Data: data})
	}
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, events...)); err != nil {
		t.Fatal(err)
	}
	for _, q := range []store.Query{{}, {Backward: true}, {Stream: "a-1"}, {Stream: "a-1", Backward: true}, {Types: []string{"x"}}, {Types: []string{"x"}, Limit: 29}} {
		all, err := collect(s.Read(t.Context(), q))
		want := 30
		if q.Limit > 0 {
			want = q.Limit
		}
		if err != nil || len(all) != want {
			t.Errorf("%v: %d events, %v", q, len(all), err)
		}
	}
}

// TestTheDatabaseSendsNoMoreThanAPage holds that large events cost what is read of
// them: a page that is full sends nothing that it has not room for.
func TestTheDatabaseSendsNoMoreThanAPage(t *testing.T) {
	t.Parallel()
	var w wire
	s := openQuiet(t, w.configure)
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i * 7919 >> 3)
	}
	events := make([]store.Event, 0, 40)
	for range 40 {
		events = append(events, store.Event{Type: "x", Format: store.Msgpack, Data: data})
	}
	if _, err := s.Append(t.Context(), batch("a-1", store.NoStream, events...)); err != nil {
		t.Fatal(err)
	}
	for _, q := range []store.Query{
		{}, {Backward: true}, {Stream: "a-1"}, {Stream: "a-1", Backward: true}, {Categories: []string{"a"}, Types: []string{"x"}},
	} {
		before := w.received.Load()
		for _, err := range s.Read(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if got := w.received.Load() - before; got > 20<<20 {
			t.Errorf("%v: the database sent %d bytes for a page of 8 MiB, which is 16 MiB as text", q, got)
		}
	}
}

func TestAppendOfAHundredThousandEvents(t *testing.T) {
	t.Parallel()
	s := open(t)
	events := make([]store.Event, 0, 100_000)
	for range cap(events) {
		events = append(events, event("x", `{"n":1}`))
	}
	a, err := s.Append(t.Context(), batch("a-1", store.NoStream, events...))
	if err != nil || a[0].Version != 100_000 || a[0].First != 1 || a[0].Last != 100_000 {
		t.Fatalf("%+v, %v", a, err)
	}
	again, err := s.Append(t.Context(), batch("a-1", store.NoStream, events...))
	if err != nil || !again[0].Duplicate || again[0].Last != 100_000 {
		t.Fatalf("again: %+v, %v", again, err)
	}
	checkOrder(t, s)
}

func TestAppendToThousandsOfStreams(t *testing.T) {
	t.Parallel()
	s := open(t)
	batches := make([]store.Batch, 0, 3_000)
	for i := range 3_000 {
		batches = append(batches, batch(fmt.Sprintf("a-%d", i), store.Any, event("x", `{}`)))
	}
	for range 2 {
		if _, err := s.Append(t.Context(), batches...); err != nil {
			t.Fatal(err)
		}
		for i := range batches {
			batches[i].Events = []store.Event{event("x", `{}`)}
		}
	}
	if all := checkOrder(t, s); len(all) != 6_000 {
		t.Fatalf("%d events", len(all))
	}
}
