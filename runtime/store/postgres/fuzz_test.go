package postgres_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// FuzzNamesMetadataAndFilters stores the same in PostgreSQL and in memory, and asks
// both the same: they refuse the same and answer the same, whatever the input.
func FuzzNamesMetadataAndFilters(f *testing.F) {
	for _, seed := range []struct{ stream, kind, metadata, key, value, prefix string }{
		{"bank-1", "bank.opened", `{"user":"ada"}`, "user", "ada", "ba"},
		{"a%_\\-'\"", "a'b", `{"a'b\\":"c''d"}`, `a'b\`, "c''d", `a%`},
		{"\u65e5\u672c-\U0010ffff", "é", "{\"k\":\"\u65e5\u672c\",\"n\":1,\"z\":null}", "n", "1", "\u65e5\u672c-\U0010ffff"},
		{"$all", "x", `{}`, "", "", ""},
		{"x\x00y", "x", `{"a":"b\u0000"}`, "a\x00", "b", "\xff"},
		{"; DROP SCHEMA esgen CASCADE; --", "$1", `{"$1":"?"}`, "$1", "?", "; "},
		{"-", "t", `{"k":"1","k":"2"}`, "k", "2", "-"},
	} {
		f.Add(seed.stream, seed.kind, []byte(seed.metadata), seed.key, seed.value, seed.prefix, int64(0))
	}
	inDatabase := openOn(f, pgtest.Pool(f), postgres.Config{Schema: pgtest.Schema(f)})
	f.Fuzz(func(t *testing.T, stream, kind string, metadata []byte, key, value, prefix string, at int64) {
		inMemory := memory.New(memory.Config{})
		e := store.Event{ID: uuid.Must(uuid.NewV7()), Type: kind, Format: store.JSON, Data: []byte(`{}`), Metadata: metadata, Time: time.UnixMicro(at).UTC()}
		b := store.Batch{Stream: stream, Expected: store.Any, Events: []store.Event{e}}
		got, err := inDatabase.Append(t.Context(), b)
		_, want := inMemory.Append(t.Context(), b)
		if (err == nil) != (want == nil) || errors.Is(err, store.ErrInvalid) != errors.Is(want, store.ErrInvalid) {
			t.Fatalf("append: %v, in memory %v", err, want)
		}
		if err != nil {
			return
		}
		for _, q := range []store.Query{
			{Stream: stream, FromVersion: got[0].Version},
			{FromPosition: got[0].First, Metadata: map[string]string{key: value}},
			{Stream: stream, FromVersion: got[0].Version, Types: []string{kind}, Metadata: map[string]string{key: value}},
			{FromPosition: got[0].First, Categories: []string{store.Category(stream)}, Since: time.UnixMicro(at), Until: time.UnixMicro(at + 1)},
		} {
			read, err := collect(inDatabase.Read(t.Context(), q))
			q.FromVersion, q.FromPosition = min(q.FromVersion, 1), min(q.FromPosition, 1)
			expected, want := collect(inMemory.Read(t.Context(), q))
			if (err == nil) != (want == nil) {
				t.Fatalf("%+v: %v, in memory %v", q, err, want)
			}
			if diff := cmp.Diff(contents(t, expected, e.ID), contents(t, read, e.ID)); diff != "" {
				t.Errorf("%+v (-memory +postgres):\n%s", q, diff)
			}
		}
		list := store.StreamQuery{Prefix: prefix, Contains: value}
		if err := list.Check(); err != nil {
			return
		}
		found := false
		for info, err := range inDatabase.Streams(t.Context(), list) {
			if err != nil {
				t.Fatal(err)
			}
			if !list.Matches(info) {
				t.Fatalf("%+v lists %q", list, info.Stream)
			}
			found = found || info.Stream == stream
		}
		if want := list.Matches(store.StreamInfo{Stream: stream}); found != want {
			t.Errorf("%+v lists %q: %t, want %t", list, stream, found, want)
		}
	})
}

// contents are the events with this id, without what depends on the store.
func contents(t *testing.T, events []store.Recorded, id uuid.UUID) []string {
	t.Helper()
	var all []string
	for _, e := range events {
		if e.ID != id {
			continue
		}
		m, err := e.Metadata.Map()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%q %q %s %v %s", e.Stream, e.Type, e.Data, m, e.Time))
	}
	return all
}
