package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestAMetadataKeyIsNeverSQL filters by a key that is the mark at which filters are
// put in: the next filter must not land inside its literal.
func TestAMetadataKeyIsNeverSQL(t *testing.T) {
	t.Parallel()
	s := open(t)
	const key = "/* filter */"
	e := event("x", `{}`)
	e.Metadata = []byte(`{"/* filter */": "v"}`)
	mustAppend(t, s, batch("a-1", 0, e, event("x", `{}`)))
	for _, q := range []store.Query{{Metadata: map[string]string{key: "v"}}, {Stream: "a-1", Metadata: map[string]string{key: "v"}}} {
		if all, err := collect(s.Read(t.Context(), q)); err != nil || len(all) != 1 {
			t.Errorf("%v: %d events, %v", q, len(all), err)
		}
	}
	// What follows the mark in a key runs as SQL: here it makes every event match.
	inject := map[string]string{"/* filter */' || '": "v", "z": "v"}
	if all, err := collect(s.Read(t.Context(), store.Query{Metadata: inject})); err != nil || len(all) != 0 {
		t.Errorf("%d events, %v", len(all), err)
	}
}

// TestIndexesChangeNoAnswer asks the same with and without indexes, alone and beside
// other filters, forward and backward.
func TestIndexesChangeNoAnswer(t *testing.T) {
	t.Parallel()
	s := open(t)
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 40 {
		events := make([]store.Event, 50)
		for j := range events {
			e := event([]string{"x", "y", "z"}[(i+j)%3], `{}`)
			e.Metadata = fmt.Appendf(nil, `{"tenant":"t%d","e.type, e.position":"k%d"}`, (i*j)%7, j%2)
			e.Time = began.Add(time.Duration(i*50+j) * time.Second)
			events[j] = e
		}
		mustAppend(t, s, batch(fmt.Sprintf("c%d-%d", i%4, i), 0, events...))
	}
	queries := make([]store.Query, 0, 16)
	for _, q := range []store.Query{
		{Types: []string{"x"}},
		{Types: []string{"z", "x", "x", "none"}},
		{Metadata: map[string]string{"tenant": "t3"}},
		{Metadata: map[string]string{"tenant": "t3", "e.type, e.position": "k1"}},
		{Types: []string{"y"}, Metadata: map[string]string{"tenant": "t0"}},
		{Types: []string{"y"}, Categories: []string{"c1", "c2"}},
		{Types: []string{"x", "y"}, Since: began.Add(300 * time.Second), Until: began.Add(900 * time.Second)},
		{Metadata: map[string]string{"tenant": "t1"}, FromPosition: 777, Limit: 20},
	} {
		backward := q
		backward.Backward = true
		queries = append(queries, q, backward)
	}
	answers := func() (all [][]store.Position) {
		for _, q := range queries {
			events, err := collect(s.Read(t.Context(), q))
			if err != nil || len(events) == 0 {
				t.Fatalf("%+v: %d events, %v", q, len(events), err)
			}
			positions := make([]store.Position, 0, len(events))
			for _, e := range events {
				positions = append(positions, e.Position)
			}
			all = append(all, positions)
		}
		return all
	}
	want := answers()
	for _, i := range []postgres.Index{postgres.ByType, postgres.ByMetadata("tenant"), postgres.ByMetadata("e.type, e.position")} {
		if _, err := s.AddIndex(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, answers()); diff != "" {
			t.Errorf("with the index %s:\n%s", i, diff)
		}
	}
}
