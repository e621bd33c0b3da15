package storetest

import (
	"fmt"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// holeCases: what hard deletes leave behind in $all.
func holeCases() []contractCase {
	return []contractCase{
		{name: "positions of removed events are not given again", needs: store.Deletes, run: givesNoPositionAgain},
		{name: "reads pass holes without stopping or repeating", needs: store.Deletes, run: readsPassHoles},
		{name: "reads page over long holes", needs: store.Deletes, run: readsPassLongHoles},
		{name: "readers that follow lose nothing to hard deletes", needs: store.Deletes, run: followsPastHoles},
	}
}

func givesNoPositionAgain(f *fixture) {
	last := f.append("bank-1", 0, events(3)...).Last
	for range 3 { // the end of $all is removed, then all that is left
		f.append("bank-2", store.NoStream, events(2)...)
		last = f.append("bank-2", 2, event(3)).Last
		f.remove("bank-2", 3, store.Hard)
		a := f.append("card-1", store.Any, event(1))
		f.higher(last, a)
		last = a.Last
	}
	f.truncate("card-1", 4, store.Hard)
	f.remove("bank-1", store.Any, store.Hard)
	f.equal("$all", 0, len(f.all()))
	f.equal("$all backward", 0, len(f.read(store.Query{Backward: true})))
	a := f.append("bank-1", store.NoStream, events(2)...)
	f.higher(last, a)
	f.equal("positions read", []store.Position{a.First, a.Last}, positions(f.all()))
	if !f.setup.Declares.Has(store.Durable) {
		return
	}
	f.remove("bank-1", 2, store.Hard)
	f.store = f.setup.Reopen(f.TB, f.store)
	f.higher(a.Last, f.append("bank-1", store.NoStream, event(1)))
}

func positions(events []store.Recorded) []store.Position {
	all := make([]store.Position, len(events))
	for i, r := range events {
		all[i] = r.Position
	}
	return all
}

// readsPassHoles begins reads at every position, of events and of holes.
func readsPassHoles(f *fixture) {
	streams := []string{"bank-1", "bank-2", "card-1", "bank-3", "card-2"}
	for i := range 40 {
		f.append(streams[(i*3+i/5)%len(streams)], store.Any, event(i))
	}
	last := f.append("bank-9", store.Any, events(3)...).Last
	for _, stream := range []string{"bank-1", "card-2", "bank-9"} {
		f.remove(stream, store.Any, store.Hard)
	}
	f.truncate("card-1", 3, store.Hard)
	f.higher(last, f.append("bank-2", store.Any, event(99)))
	all := f.all()
	for i := 1; i < len(all); i++ {
		if all[i].Position <= all[i-1].Position {
			f.Fatalf("$all is out of order: position %d stands behind %d", all[i].Position, all[i-1].Position)
		}
	}
	for _, q := range []store.Query{{}, {Categories: []string{"bank"}}, {Categories: []string{"card", "bank"}}, {Types: []string{"storetest.counted"}}} {
		for _, q.Backward = range []bool{false, true} {
			for q.FromPosition = range last + 3 {
				for _, q.Limit = range []int{0, 2} {
					f.equal(fmt.Sprintf("%s types %q limit %d", q, q.Types, q.Limit), selected(all, q), f.read(q))
				}
			}
			// Pages put together are the whole.
			q.FromPosition, q.Limit = 0, 0
			want := f.read(q)
			got := []store.Recorded{}
			q.Limit = 3
			for page := f.read(q); len(page) > 0; page = f.read(q) {
				got = append(got, page...)
				q.FromPosition = page[len(page)-1].Position + 1
				if q.Backward {
					if q.FromPosition -= 2; q.FromPosition == 0 {
						break // 0 is the end
					}
				}
			}
			f.equal("pages of "+q.String(), want, got)
		}
	}
}

func readsPassLongHoles(f *fixture) {
	want := make([]int, 0, 6)
	for i := range 3 {
		f.append("bank-1", store.Any, event(i))
		f.append("bank-2", store.Any, events(2000)...)
		f.append("card-1", store.Any, event(i))
		want = append(want, i, i)
	}
	f.append("bank-2", store.Any, events(1000)...)
	f.remove("bank-2", store.Any, store.Hard)
	for _, q := range []store.Query{{}, {Types: []string{"storetest.counted"}}, {Categories: []string{"bank", "card"}}, {Since: time.Unix(0, 0)}} {
		f.equal(q.String(), want, carried(f.read(q)))
		q.Backward = true
		f.equal(q.String(), reversed(want), carried(f.read(q)))
	}
}

// followsPastHoles: readers follow $all while streams come and go.
func followsPastHoles(f *fixture) {
	done := make(chan struct{})
	queries := []store.Query{{}, {Categories: []string{"stays"}}, {Categories: []string{"stays", "goes"}}}
	followed := make([][]place, len(queries))
	deleter := f.deleter()
	f.together(1+len(queries), func(i int) {
		if i > 0 {
			followed[i-1] = f.follow(f.store, queries[i-1], done)
			return
		}
		defer close(done)
		for n := range 60 {
			goes := fmt.Sprintf("goes-%d", n)
			for _, b := range []store.Batch{
				batch("stays-1", store.Any, event(n)), batch(goes, store.NoStream, events(1+n%7)...), batch(fmt.Sprintf("stays-%d", n), store.Any, event(n)),
			} {
				if _, err := f.store.Append(f.ctx, b); err != nil {
					f.Errorf("append to %s: %v", b.Stream, err)
				}
			}
			if err := deleter.Delete(f.ctx, goes, store.Any, store.Hard); err != nil {
				f.Errorf("delete %s: %v", goes, err)
			}
		}
	})
	all := f.all()
	f.equal("events that stay", 120, len(all))
	for i, q := range queries {
		var stayed []place
		for _, p := range followed[i] {
			if store.Category(p.stream) == "stays" {
				stayed = append(stayed, p)
			}
		}
		f.samePlaces("a reader that followed "+q.String(), places(all), stayed)
	}
}
