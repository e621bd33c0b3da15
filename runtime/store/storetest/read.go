package storetest

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func readCases() []contractCase {
	return []contractCase{
		{name: "case 10 reading an unknown stream is an error", run: func(f *fixture) {
			f.append("bank-1", store.Any, event(1))
			f.absent("bank-2")
			f.absent("bank")
			for _, err := range f.store.Read(f.ctx, store.Query{Stream: "bank-2", Backward: true, Limit: 1}) {
				if !errors.Is(err, store.ErrStreamNotFound) {
					f.Errorf("backward: %v is no ErrStreamNotFound", err)
				}
			}
		}},
		{name: "case 11 what is read is what was appended", run: readsWhatWasAppended},
		{name: "case 12 two streams do not mix", run: func(f *fixture) {
			f.append("bank-1", store.Any, event(1))
			f.append("bank-10", store.Any, event(10))
			f.append("bank-1", store.Any, event(2))
			f.append("bank-10", store.Any, event(20))
			f.equal("bank-1", []int{1, 2}, carried(f.stream("bank-1")))
			f.equal("bank-10", []int{10, 20}, carried(f.stream("bank-10")))
		}},
		{name: "case 13 limited reads put together are the whole stream", run: func(f *fixture) {
			f.append("bank-1", store.Any, events(10)...)
			var got []store.Recorded
			for from := store.Version(1); ; {
				page := f.read(store.Query{Stream: "bank-1", FromVersion: from, Limit: 3})
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
				from = page[len(page)-1].Version + 1
			}
			f.equal("pages", f.stream("bank-1"), got)
			f.equal("events", upTo(10), carried(got))
		}},
		{name: "case 48 two stores are isolated", run: func(f *fixture) {
			other := open(f.TB, f.setup)
			f.append("bank-1", store.NoStream, event(1))
			other.absent("bank-1")
			f.equal("$all of the other store", 0, len(other.all()))
			other.append("bank-1", store.NoStream, event(2))
			f.equal("events", []int{1}, carried(f.stream("bank-1")))
		}},
		{name: "every reading variant selects what its query says", run: readsEveryVariant},
		{name: "reads page through 3000 events", run: readsPages},
		{name: "a read can be broken off at any event", run: breaksOff},
		{name: "a sequence can be ranged over again", run: func(f *fixture) {
			f.append("bank-1", store.Any, events(3)...)
			sequence := f.store.Read(f.ctx, store.Query{Stream: "bank-1"})
			for range 2 {
				n := 0
				for _, err := range sequence {
					if err != nil {
						f.Fatalf("Read: %v", err)
					}
					n++
				}
				f.equal("events", 3, n)
			}
		}},
		{name: "reading and appending inside a read is allowed", run: func(f *fixture) {
			f.append("bank-1", store.Any, events(3)...)
			n := 0
			for r, err := range f.store.Read(f.ctx, store.Query{Stream: "bank-1", Limit: 3}) {
				if err != nil {
					f.Fatalf("Read: %v", err)
				}
				n++
				f.append("other-1", store.Any, event(int(r.Version)))
				f.equal("nested read", int(r.Version), len(f.stream("other-1")))
			}
			f.equal("events", 3, n)
		}},
		{name: "a backward read ends with what was there when it began", run: func(f *fixture) {
			f.append("bank-1", store.Any, events(5)...)
			var got []int
			for r, err := range f.store.Read(f.ctx, store.Query{Backward: true}) {
				if err != nil {
					f.Fatalf("Read: %v", err)
				}
				got = append(got, carried([]store.Recorded{r})...)
				f.append("bank-1", store.Any, event(99))
			}
			f.equal("events", reversed(upTo(5)), got)
		}},
		{name: "an empty store reads as nothing", run: func(f *fixture) {
			for _, q := range []store.Query{{}, {Backward: true}, {FromPosition: 5}, {Categories: []string{"bank"}}, {Types: []string{"x"}}} {
				f.equal(q.String(), 0, len(f.read(q)))
			}
		}},
	}
}

func readsWhatWasAppended(f *fixture) {
	correlation, causation := uuid.New(), uuid.New()
	given := events(4)
	for i := range given {
		given[i].Correlation, given[i].Causation = correlation, causation
		given[i].Metadata = store.Metadata(fmt.Sprintf(`{"user":"ada","n":%d}`, i))
		given[i].Revision = i + 1
	}
	a := f.append("bank-1", 0, given...)
	read := f.stream("bank-1")
	f.equal("events", 4, len(read))
	ids := map[uuid.UUID]bool{}
	for i, r := range read {
		f.equal("version", store.Version(i+1), r.Version)
		f.equal("original version", store.Version(i+1), r.OriginalVersion)
		f.equal("stream", "bank-1", r.Stream)
		f.equal("original stream", "bank-1", r.OriginalStream)
		f.equal("position", a.First+store.Position(i), r.Position)
		f.equal("type", given[i].Type, r.Type)
		f.equal("revision", given[i].Revision, r.Revision)
		f.equal("format", given[i].Format, r.Format)
		f.equal("data", string(given[i].Data), string(r.Data))
		f.equal("correlation", correlation, r.Correlation)
		f.equal("causation", causation, r.Causation)
		f.equal("user", "ada", r.Metadata.Get("user"))
		if r.ID == uuid.Nil || ids[r.ID] {
			f.Errorf("event %d has the id %s", i+1, r.ID)
		}
		ids[r.ID] = true
		if r.Time.IsZero() {
			f.Errorf("event %d has no time", i+1)
		}
	}
	f.equal("from version 3", read[2:], f.read(store.Query{Stream: "bank-1", FromVersion: 3}))
}

// readsEveryVariant compares every combination of a query's fields with the
// same selection made from the whole of $all.
func readsEveryVariant(f *fixture) {
	types := []string{"a", "b", "c"}
	streams := []string{"bank-1", "bank-2", "bankrupt-1", "card-1", "card-1-2", "lonely", "-empty"}
	for i := range 60 {
		e := event(i)
		e.Type = types[i%len(types)]
		f.append(streams[(i*5+i/7)%len(streams)], store.Any, e)
	}
	all := f.all()
	f.equal("$all", 60, len(all))
	selections := make([]store.Query, 1, 10)
	for _, stream := range []string{"bank-1", "card-1", "lonely"} {
		selections = append(selections, store.Query{Stream: stream})
	}
	for _, categories := range [][]string{{"bank"}, {"card"}, {"card", "bank"}, {"bank", "bank"}, {"nobody"}, {"nobody", "card"}} {
		selections = append(selections, store.Query{Categories: categories})
	}
	for _, q := range selections {
		for _, q.Types = range [][]string{nil, {"b"}, {"a", "c", "a"}, {"nothing"}} {
			for _, q.Backward = range []bool{false, true} {
				for _, q.Limit = range []int{0, 3} {
					for _, from := range []uint64{0, 1, 7, 60, 61, math.MaxInt64} {
						if q.FromPosition = store.Position(from); q.Stream != "" {
							q.FromPosition, q.FromVersion = 0, store.Version(from)
						}
						f.equal(fmt.Sprintf("%s types %q limit %d", q, q.Types, q.Limit), selected(all, q), f.read(q))
					}
				}
			}
		}
	}
}

// selected is what q selects from all, written down without any cleverness.
func selected(all []store.Recorded, q store.Query) []store.Recorded {
	found := []store.Recorded{}
	if q.Backward {
		all = reversed(all)
	}
	for _, r := range all {
		at, from := uint64(r.Position), uint64(q.FromPosition)
		if q.Stream != "" {
			at, from = uint64(r.Version), uint64(q.FromVersion)
		}
		inRange := from == 0 || !q.Backward && at >= from || q.Backward && at <= from
		ofType := len(q.Types) == 0 || slices.Contains(q.Types, r.Type)
		inTime := (q.Since.IsZero() || !r.Time.Before(q.Since)) && (q.Until.IsZero() || r.Time.Before(q.Until))
		ofStream := q.Stream == "" || q.Stream == r.Stream
		ofCategory := len(q.Categories) == 0 || slices.Contains(q.Categories, store.Category(r.Stream))
		if inRange && ofType && inTime && says(r.Metadata, q.Metadata) && ofStream && ofCategory && (q.Limit == 0 || len(found) < q.Limit) {
			found = append(found, r)
		}
	}
	return found
}

// readsPages makes streams that are longer than any sensible page.
func readsPages(f *fixture) {
	const n = 3000
	for at := 0; at < n; at += 500 {
		of := func(stream string) store.Batch {
			events := events(500)
			for i := range events {
				events[i] = event(at + i + 1)
			}
			return batch(stream, store.Version(at), events...)
		}
		f.appendAll(of("bank-1"))
		f.appendAll(of("card-1"))
	}
	for _, backward := range []bool{false, true} {
		want := upTo(n)
		if backward {
			want = reversed(want)
		}
		f.equal("stream", want, carried(f.read(store.Query{Stream: "bank-1", Backward: backward})))
		f.equal("category", want, carried(f.read(store.Query{Categories: []string{"card"}, Backward: backward})))
		f.equal("$all", 2*n, len(f.read(store.Query{Backward: backward})))
		f.equal("limit", want[:2500], carried(f.read(store.Query{Stream: "card-1", Backward: backward, Limit: 2500})))
	}
}

func breaksOff(f *fixture) {
	f.append("bank-1", store.Any, events(20)...)
	for _, q := range []store.Query{{}, {Stream: "bank-1"}, {Categories: []string{"bank"}}, {Backward: true}} {
		// Far more often than a store has connections, so that one which is not
		// given back is missed.
		for stop := range 40 {
			n := 0
			for _, err := range f.store.Read(f.ctx, q) {
				if err != nil {
					f.Fatalf("Read(%s): %v", q, err)
				}
				if n++; n > stop%20 {
					break
				}
			}
			f.equal("events before the break", stop%20+1, n)
		}
	}
	f.append("bank-1", 20, event(21))
}
