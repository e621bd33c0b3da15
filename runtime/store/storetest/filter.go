package storetest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

func filterCases() []contractCase {
	return []contractCase{
		{name: "every filter selects what its query says", run: filtersEveryVariant},
		{name: "times filter to the microsecond", run: func(f *fixture) {
			at := time.Date(2026, 3, 4, 5, 6, 7, 8_000, time.UTC)
			given := events(3)
			for i := range given {
				given[i].Time = at.Add(time.Duration(i) * time.Microsecond)
			}
			f.append("bank-1", 0, given...)
			for _, c := range []struct {
				since, until time.Duration
				want         []int
			}{
				{0, 3 * time.Microsecond, []int{1, 2, 3}},
				{1, 3 * time.Microsecond, []int{2, 3}},
				{time.Microsecond, 2 * time.Microsecond, []int{2}},
				{0, time.Microsecond + 1, []int{1, 2}},
				{0, 1, []int{1}},
				{2*time.Microsecond + 1, 3 * time.Microsecond, []int{}},
			} {
				// Another zone is the same moment.
				q := store.Query{Since: at.Add(c.since).In(time.FixedZone("", -7*3600)), Until: at.Add(c.until)}
				f.equal(fmt.Sprintf("from %s until %s", c.since, c.until), c.want, carried(f.read(q)))
			}
		}},
		{name: "metadata filters by the text that stands under a key", run: filtersMetadata},
		{name: "filters find little among 3000 events", run: func(f *fixture) {
			const n = 3000
			given := events(n)
			want := []int{}
			for i := range given {
				given[i].Time = time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)
				if i%701 == 5 {
					given[i].Metadata = store.Metadata(`{"rare":"yes"}`)
					want = append(want, i+1)
				}
			}
			f.append("bank-1", 0, given...)
			rare := map[string]string{"rare": "yes"}
			for _, q := range []store.Query{{}, {Stream: "bank-1"}, {Categories: []string{"bank"}}, {Categories: []string{"bank", "card"}}} {
				q.Metadata = rare
				f.equal(q.String(), want, carried(f.read(q)))
				q.Backward, q.Limit = true, 2
				f.equal(q.String(), reversed(want)[:2], carried(f.read(q)))
				q = store.Query{Stream: q.Stream, Categories: q.Categories, Since: given[n-2].Time}
				f.equal(q.String(), []int{n - 1, n}, carried(f.read(q)))
			}
		}},
		{name: "filters of a stream that is not there are an error", run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			for _, q := range []store.Query{
				{Types: []string{"x"}}, {Since: time.Now()}, {Until: time.Now()}, {Metadata: map[string]string{"a": "b"}},
			} {
				q.Stream = "bank-2"
				read, err := collect(f.ctx, f.store, q)
				f.notFound("a filtered read", err, "bank-2")
				f.equal("events", 0, len(read))
				q.Stream = "bank-1"
				f.equal("events", 0, len(selected(f.read(q), store.Query{Types: []string{"x"}})))
			}
		}},
		{name: "filters that no store takes are refused", run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			now := time.Now()
			for _, q := range []store.Query{
				{Since: now, Until: now},
				{Since: now, Until: now.Add(-time.Second)},
				{Since: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
				{Metadata: map[string]string{"a": "\x00"}},
				{Metadata: map[string]string{"\xff": "a"}},
			} {
				if _, err := collect(f.ctx, f.store, q); store.Retryable(err) {
					f.Errorf("%v is retryable", err)
				} else if _, ok := as[*store.InvalidError](err); !ok {
					f.Errorf("Read with %+v: %v, want an InvalidError", q, err)
				}
			}
		}},
	}
}

// filtersEveryVariant compares combinations of filters with the same selection
// made from the whole of $all. The times of events do not follow their order.
func filtersEveryVariant(f *fixture) {
	base := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	streams := []string{"bank-1", "bank-2", "card-1"}
	metadata := []string{``, `{"user":"ada"}`, `{"user":"bob","tenant":"a"}`, `{"tenant":"a","user":"ada"}`, `{"user":5}`}
	for i := range 60 {
		e := event(i)
		e.Type = []string{"a", "b", "c"}[i%3]
		e.Time = base.Add(time.Duration(i*37%60) * time.Minute)
		e.Metadata = store.Metadata(metadata[i%len(metadata)])
		f.append(streams[i*5%7%len(streams)], store.Any, e)
	}
	all := f.all()
	selections := []store.Query{
		{},
		{Stream: "bank-1"},
		{Categories: []string{"bank"}},
		{Categories: []string{"card", "bank"}},
		{FromPosition: 31},
		{Stream: "bank-1", FromVersion: 9},
	}
	moments := []time.Time{{}, base.Add(20 * time.Minute), base.Add(59 * time.Minute)}
	for _, q := range selections {
		for _, q.Types = range [][]string{nil, {"b", "c"}} {
			for _, q.Since = range moments {
				for _, q.Until = range moments {
					if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
						continue
					}
					for _, q.Metadata = range []map[string]string{nil, {"user": "ada"}, {"user": "ada", "tenant": "a"}, {"user": "5"}} {
						for _, q.Backward = range []bool{false, true} {
							for _, q.Limit = range []int{0, 3} {
								f.equal(fmt.Sprintf("%s types %q since %s until %s metadata %v limit %d", q, q.Types, q.Since, q.Until, q.Metadata, q.Limit),
									selected(all, q), f.read(q))
							}
						}
					}
				}
			}
		}
	}
}

func filtersMetadata(f *fixture) {
	stored := []string{
		`{"user":"ada"}`, `{"user":"Ada"}`, `{"User":"ada"}`, `{"user":""}`, `{"user":null}`, `{"user":7}`, `{"user":"7"}`, `{"user":true}`,
		`{"user":["ada"]}`, `{"user":{"user":"ada"}}`, `{}`, ``, `{"us\u0065r":"\u0061da"}`, `{"user":"bob","user":"ada"}`, `{"user":"ada","user":"bob"}`,
		`{"user":"ada","user":1}`, `{"a.b":"ada"}`, `{"a":{"b":"ada"}}`, `{"say \"hi\"":"\\ \n"}`, `{"":"ada"}`, `{"$":"ada","$.user":"ada"}`,
		`{"ключ":"\ud83d\ude00"}`, `{"user":" ada"}`, `{"a[0]":"<&>"}`, `{"user":"a%"}`, `{"'":"''"}`,
	}
	given := events(len(stored))
	for i := range given {
		given[i].Metadata = store.Metadata(stored[i])
	}
	f.append("bank-1", 0, given...)
	for _, want := range []map[string]string{
		{"user": "ada"},
		{"user": ""},
		{"user": "7"},
		{"user": "true"},
		{"user": "null"},
		{"user": "bob"},
		{"User": "ada"},
		{"a.b": "ada"},
		{"a": "ada"},
		{`say "hi"`: "\\ \n"},
		{"": "ada"},
		{"$": "ada"},
		{"$": "ada", "$.user": "ada"},
		{"ключ": "😀"},
		{"a[0]": "<&>"},
		{"user": "a%"},
		{"'": "''"},
		{"nobody": ""},
		{"user": "ada", "nobody": ""},
	} {
		numbers := []int{}
		for i, text := range stored {
			if says(store.Metadata(text), want) {
				numbers = append(numbers, i+1)
			}
		}
		for _, q := range []store.Query{{}, {Stream: "bank-1"}, {Categories: []string{"bank"}}} {
			q.Metadata = want
			f.equal(fmt.Sprintf("%s with metadata %q", q, want), numbers, carried(f.read(q)))
		}
	}
}

// says reports whether metadata has these texts, by an ordinary decoder.
func says(metadata store.Metadata, want map[string]string) bool {
	values := map[string]any{}
	if len(metadata) > 0 && json.Unmarshal(metadata, &values) != nil {
		return false
	}
	for key, text := range want {
		if value, ok := values[key].(string); !ok || value != text {
			return false
		}
	}
	return true
}
