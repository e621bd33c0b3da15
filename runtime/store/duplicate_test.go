package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// TestDuplicates: bank-1 holds a, b, c as versions 1 to 3, card-1 holds d.
// Position 2 of $all, between a and b, is d's.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	const a, b, c, d, x, y = 1, 2, 3, 4, 5, 6 // x and y are new
	stored := map[uuid.UUID]*store.Recorded{
		id(a): {Stream: "bank-1", Version: 1, Position: 1},
		id(b): {Stream: "bank-1", Version: 2, Position: 3},
		id(c): {Stream: "bank-1", Version: 3, Position: 4},
		id(d): {Stream: "card-1", Version: 1, Position: 2},
	}
	bank := func(version store.Version, first, last store.Position) store.Appended {
		return store.Appended{Stream: "bank-1", Version: version, First: first, Last: last, Duplicate: true}
	}
	card := store.Appended{Stream: "card-1", Version: 1, First: 2, Last: 2, Duplicate: true}
	elsewhere := func(n byte, stream string) error {
		r := stored[id(n)]
		return &store.DuplicateEventError{Op: "append to", ID: id(n), Stream: stream, StoredStream: r.Stream, StoredVersion: r.Version}
	}
	for name, test := range map[string]struct {
		batches []store.Batch
		want    []store.Appended
		err     error
	}{
		"all new":                    {batches: []store.Batch{given("bank-1", store.Any, x, y)}},
		"all new, in two streams":    {batches: []store.Batch{given("bank-1", 3, x), given("card-1", 9, y)}},
		"a retry":                    {batches: []store.Batch{given("bank-1", store.NoStream, a, b, c)}, want: []store.Appended{bank(3, 1, 4)}},
		"a retry further on":         {batches: []store.Batch{given("bank-1", 1, b, c)}, want: []store.Appended{bank(3, 3, 4)}},
		"a retry of any version":     {batches: []store.Batch{given("bank-1", store.Any, b)}, want: []store.Appended{bank(2, 3, 3)}},
		"a retry of stream exists":   {batches: []store.Batch{given("bank-1", store.StreamExists, c)}, want: []store.Appended{bank(3, 4, 4)}},
		"a retry in two streams":     {batches: []store.Batch{given("card-1", 0, d), given("bank-1", 0, a)}, want: []store.Appended{card, bank(1, 1, 1)}},
		"the first of a new stream":  {batches: []store.Batch{given("bank-1", store.StreamExists, a)}, err: elsewhere(a, "bank-1")},
		"behind another version":     {batches: []store.Batch{given("bank-1", 2, b)}, err: elsewhere(b, "bank-1")},
		"in another order":           {batches: []store.Batch{given("bank-1", store.Any, c, b)}, err: elsewhere(c, "bank-1")},
		"with one left out":          {batches: []store.Batch{given("bank-1", store.Any, a, c)}, err: elsewhere(a, "bank-1")},
		"with a new one behind":      {batches: []store.Batch{given("bank-1", 2, c, x)}, err: elsewhere(c, "bank-1")},
		"with a new one before":      {batches: []store.Batch{given("bank-1", 1, x, c)}, err: elsewhere(c, "bank-1")},
		"in another stream":          {batches: []store.Batch{given("bank-2", store.Any, a)}, err: elsewhere(a, "bank-2")},
		"in another stream, later":   {batches: []store.Batch{given("bank-1", 0, a, d)}, err: elsewhere(a, "bank-1")},
		"only one stream of two":     {batches: []store.Batch{given("bank-1", 0, a), given("card-1", 1, x)}, err: elsewhere(a, "bank-1")},
		"only the second of two":     {batches: []store.Batch{given("bank-1", 3, x), given("card-1", 0, d)}, err: elsewhere(d, "card-1")},
		"two streams, one misplaced": {batches: []store.Batch{given("bank-1", 0, a), given("card-2", 0, d)}, err: elsewhere(a, "bank-1")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := store.Duplicates(test.batches, func(id uuid.UUID) *store.Recorded { return stored[id] })
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.err, err); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func id(n byte) uuid.UUID { return uuid.UUID{15: n} }

func given(stream string, expected store.Version, ids ...byte) store.Batch {
	b := store.Batch{Stream: stream, Expected: expected}
	for _, n := range ids {
		b.Events = append(b.Events, store.Event{ID: id(n)})
	}
	return b
}
