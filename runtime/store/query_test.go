package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
)

func TestQueryCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query store.Query
		taken bool
	}{
		{store.Query{}, true},
		{store.Query{Backward: true, Limit: 1, FromPosition: 9, Types: []string{"a"}}, true},
		{store.Query{Stream: "bank-1", FromVersion: 3}, true},
		{store.Query{Categories: []string{"bank", "card"}, FromPosition: 3}, true},
		{store.Query{Stream: "bank-1", Categories: []string{"bank"}}, false},
		{store.Query{Stream: "bank-1", FromPosition: 1}, false},
		{store.Query{FromVersion: 1}, false},
		{store.Query{Stream: "bank-1", FromVersion: store.Any}, false},
		{store.Query{Limit: -1}, false},
		{store.Query{Stream: store.All}, false},
		{store.Query{Categories: []string{"bank-1"}}, false},
		{store.Query{Categories: []string{""}}, false},
		{store.Query{Types: []string{"a", ""}}, false},
		{store.Query{Types: []string{"a\x00"}}, false},
		{store.Query{Stream: "bank-1", Types: []string{"a\xff"}}, false},
		{store.Query{Categories: []string{"bank"}, Types: []string{strings.Repeat("t", store.MaxNameBytes+1)}}, false},
	} {
		err := c.query.Check()
		if (err == nil) != c.taken || err != nil && !errors.Is(err, store.ErrInvalid) {
			t.Errorf("Check of %+v: %v, want it taken: %t", c.query, err, c.taken)
		}
	}
}

func TestQueryMatches(t *testing.T) {
	t.Parallel()
	r := store.Recorded{Stream: "bank-a-1", Type: "opened", Version: 2, Position: 5}
	for _, c := range []struct {
		query   store.Query
		matches bool
	}{
		{store.Query{}, true},
		{store.Query{FromPosition: 4}, true},
		{store.Query{FromPosition: 5}, true},
		{store.Query{FromPosition: 6}, false},
		{store.Query{FromPosition: 4, Backward: true}, false},
		{store.Query{FromPosition: 5, Backward: true}, true},
		{store.Query{FromPosition: 6, Backward: true}, true},
		{store.Query{Backward: true}, true},
		{store.Query{Stream: "bank-a-1"}, true},
		{store.Query{Stream: "bank-a"}, false},
		{store.Query{Stream: "bank-a-1", FromVersion: 1}, true},
		{store.Query{Stream: "bank-a-1", FromVersion: 2}, true},
		{store.Query{Stream: "bank-a-1", FromVersion: 3}, false},
		{store.Query{Stream: "bank-a-1", FromVersion: 1, Backward: true}, false},
		{store.Query{Stream: "bank-a-1", FromVersion: 2, Backward: true}, true},
		{store.Query{Stream: "bank-a-1", FromVersion: 3, Backward: true}, true},
		{store.Query{Categories: []string{"card", "bank"}}, true},
		{store.Query{Categories: []string{"ban"}}, false},
		{store.Query{Types: []string{"closed", "opened"}}, true},
		{store.Query{Types: []string{"open"}}, false},
		{store.Query{Categories: []string{"bank"}, Types: []string{"closed"}}, false},
	} {
		if got := c.query.Matches(r); got != c.matches {
			t.Errorf("%+v matches: %t, want %t", c.query, got, c.matches)
		}
	}
}

func TestQueryString(t *testing.T) {
	t.Parallel()
	for want, q := range map[string]store.Query{
		"$all":                          {},
		"$all backward from position 7": {Backward: true, FromPosition: 7},
		"bank-a-17 from version 3":      {Stream: "bank-a-17", FromVersion: 3},
		"category bank, card":           {Categories: []string{"bank", "card"}},
	} {
		if diff := cmp.Diff(want, q.String()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestVersionMet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expected, actual store.Version
		met              bool
	}{
		{0, 0, true},
		{0, 1, false},
		{2, 2, true},
		{2, 1, false},
		{2, 3, false},
		{store.Any, 0, true},
		{store.Any, 9, true},
		{store.StreamExists, 0, false},
		{store.StreamExists, 1, true},
	} {
		if got := c.expected.Met(c.actual); got != c.met {
			t.Errorf("%s is met by %d: %t, want %t", c.expected, int64(c.actual), got, c.met)
		}
	}
}

func TestCapabilitiesString(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]store.Capabilities{
		"none":                 0,
		"dense order, durable": store.DenseOrder | store.Durable,
		"several streams, several processes, snapshots, catalog": store.SeveralStreams | store.SeveralProcesses | store.KeepsSnapshots | store.KeepsCatalog,
	} {
		if got := c.String(); got != want {
			t.Errorf("%b is %q, want %q", uint32(c), got, want)
		}
	}
}
