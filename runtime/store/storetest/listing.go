package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/runtime/store"
)

func listingCases() []contractCase {
	return []contractCase{
		{name: "a list of streams is what its query says", needs: store.KeepsCatalog, run: listsEveryVariant},
		{name: "a list of streams goes on while streams come", needs: store.KeepsCatalog, run: listsWhileStreamsCome},
		{name: "a list of streams goes on while streams go", needs: store.KeepsCatalog | store.Deletes, run: listsWhileStreamsGo},
		{name: "the name of a stream continues a list of streams", needs: store.KeepsCatalog, run: func(f *fixture) {
			for i := range 9 {
				f.append(fmt.Sprintf("bank-%d", i), store.Any, events(1+i%3)...)
			}
			for _, q := range everyOrder() {
				want := f.list(q)
				var got []store.StreamInfo
				q.Limit = 2
				for page := f.list(q); len(page) > 0; page = f.list(q) {
					got = append(got, page...)
					q.After = page[len(page)-1].Stream
				}
				f.equal(fmt.Sprintf("pages of order %d descending %t", q.Order, q.Descending), want, got)
				q.After = "bank-unknown"
				_, err := f.tryList(f.ctx, q)
				f.notFound("Streams after an unknown stream", err, q.After)
			}
		}},
		{name: "a list of streams that no store takes is refused", needs: store.KeepsCatalog, run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			for _, q := range []store.StreamQuery{
				{Order: 7}, {Order: -1}, {Limit: -1}, {After: store.All}, {After: "\xff"}, {Prefix: "a\x00"}, {Contains: "\xff"},
			} {
				if got, err := f.tryList(f.ctx, q); !errors.Is(err, store.ErrInvalid) || len(got) > 0 {
					f.Errorf("Streams(%+v): %d streams and %v, want an InvalidError", q, len(got), err)
				}
			}
		}},
		{name: "a list of streams can be broken off at any stream", needs: store.KeepsCatalog, run: func(f *fixture) {
			for i := range 5 {
				f.append(fmt.Sprintf("bank-%d", i), 0, event(1))
			}
			sequence := f.catalog().Streams(f.ctx, store.StreamQuery{})
			for stop := range 40 {
				n := 0
				for info, err := range sequence {
					if err != nil {
						f.Fatalf("Streams: %v", err)
					}
					f.equal("described inside", info, f.info(info.Stream))
					if n++; n > stop%5 {
						break
					}
				}
				f.equal("streams before the break", stop%5+1, n)
			}
		}},
		{name: "a list of streams says that a context has ended", needs: store.KeepsCatalog, run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			for _, c := range ended(f) {
				got, err := f.tryList(c.ctx, store.StreamQuery{})
				c.saidBy(f, "Streams", err)
				f.equal("streams", 0, len(got))
			}
		}},
	}
}

// everyOrder is all streams in each order and direction.
func everyOrder() []store.StreamQuery {
	all := make([]store.StreamQuery, 0, 6)
	for _, order := range []store.StreamOrder{store.ByName, store.ByCreation, store.ByVersion} {
		all = append(all, store.StreamQuery{Order: order}, store.StreamQuery{Order: order, Descending: true})
	}
	return all
}

// list returns the streams that q selects, or fails.
func (f *fixture) list(q store.StreamQuery) []store.StreamInfo {
	f.Helper()
	infos, err := f.tryList(f.ctx, q)
	if err != nil {
		f.Fatalf("Streams(%+v) after %d streams: %v", q, len(infos), err)
	}
	return infos
}

func (f *fixture) tryList(ctx context.Context, q store.StreamQuery) ([]store.StreamInfo, error) {
	infos := []store.StreamInfo{}
	var failed error
	for info, err := range f.catalog().Streams(ctx, q) {
		if failed != nil {
			return infos, fmt.Errorf("the list went on after the error %w", failed)
		}
		if failed = err; err == nil {
			infos = append(infos, info)
		}
	}
	return infos, failed
}

// listsEveryVariant compares every combination of a query's fields with the same
// selection made by hand.
func listsEveryVariant(f *fixture) {
	names := []string{
		"bank-2", "bank-10", "bank-1", "Bank-1", "bank%-1", "bank_-1", "bankX-1", `bank\-1`, "bänk-1", "b\u00e4nk",
		"lonely", "-", "bank", "\U0010ffff-1", "\U0010ffff\U0010ffff", "'; --", "bank-\u00df", "ж-1",
	}
	for i, name := range names {
		if name == "b\u00e4nk" {
			continue // made last, so that creation and names differ
		}
		f.append(name, store.Any, events(1+i*7%4)...)
	}
	f.append("b\u00e4nk", store.Any, events(2)...)
	created := append(slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "b\u00e4nk" }), "b\u00e4nk")
	if deleter, ok := f.store.(store.Deleter); ok {
		for _, name := range []string{"bank-10", "lonely", "ж-1"} {
			if err := deleter.Delete(f.ctx, name, store.Any, store.Soft); err != nil {
				f.Fatalf("Delete(%s): %v", name, err)
			}
		}
	}
	infos := make([]store.StreamInfo, len(created))
	for i, name := range created {
		infos[i] = f.info(name)
	}
	for _, q := range everyOrder() {
		for _, q.Deleted = range []bool{false, true} {
			for _, q.Prefix = range []string{"", "bank", "bank%", `bank\`, "\U0010ffff", "nobody"} {
				for _, q.Contains = range []string{"", "-1", "_", `\`} {
					for _, after := range []string{"", "bank-1", "lonely"} {
						q.After = after
						for _, q.Limit = range []int{0, 2} {
							f.equal(fmt.Sprintf("Streams(%+v)", q), listed(infos, q), f.list(q))
						}
					}
				}
			}
		}
	}
}

// listed is what q selects from all streams in the order of their creation,
// written down without any cleverness.
func listed(created []store.StreamInfo, q store.StreamQuery) []store.StreamInfo {
	sorted := slices.Clone(created)
	slices.SortStableFunc(sorted, func(a, b store.StreamInfo) int {
		switch q.Order {
		case store.ByName:
			return strings.Compare(a.Stream, b.Stream)
		case store.ByVersion:
			return cmp.Or(cmp.Compare(a.Version, b.Version), strings.Compare(a.Stream, b.Stream))
		default:
			return 0
		}
	})
	if q.Descending {
		slices.Reverse(sorted)
	}
	found := []store.StreamInfo{}
	begun := q.After == ""
	for _, info := range sorted {
		named := strings.HasPrefix(info.Stream, q.Prefix) && strings.Contains(info.Stream, q.Contains)
		if begun && named && (q.Deleted || info.Deleted.IsZero()) && (q.Limit == 0 || len(found) < q.Limit) {
			found = append(found, info)
		}
		begun = begun || info.Stream == q.After
	}
	return found
}

// manyStreams makes more streams than any sensible page holds.
func (f *fixture) manyStreams(prefix string, n int) []string {
	f.Helper()
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%04d", prefix, i)
	}
	for _, name := range names {
		f.append(name, store.NoStream, event(1))
	}
	return names
}

func listsWhileStreamsCome(f *fixture) {
	names := f.manyStreams("bank", 1200)
	for at, q := range everyOrder() {
		q.Prefix = "bank-"
		var got []string
		n := 0
		for info, err := range f.catalog().Streams(f.ctx, q) {
			if err != nil {
				f.Fatalf("Streams after %d: %v", n, err)
			}
			if !strings.Contains(info.Stream, "new") {
				got = append(got, info.Stream)
			}
			if n++; n%400 == 1 {
				// One before and one behind all others, whatever the order.
				f.append(fmt.Sprintf("bank-!new-%d-%d", at, n), store.Any, event(1))
				f.append(fmt.Sprintf("bank-new-%d-%d", at, n), store.Any, events(9)...)
			}
		}
		want := names
		if q.Descending {
			want = reversed(names)
		}
		f.equal(fmt.Sprintf("order %d descending %t", q.Order, q.Descending), want, got)
	}
}

// listsWhileStreamsGo removes each 100th stream when it has just been listed, so
// that a page may end with one that is not there any more.
func listsWhileStreamsGo(f *fixture) {
	names := f.manyStreams("bank", 1200)
	for _, q := range everyOrder() {
		var got []string
		for info, err := range f.catalog().Streams(f.ctx, q) {
			if err != nil {
				f.Fatalf("Streams after %d: %v", len(got), err)
			}
			got = append(got, info.Stream)
			if len(got)%100 == 0 {
				f.remove(info.Stream, store.Any, store.Hard)
			}
		}
		want := names
		if q.Descending {
			want = reversed(names)
		}
		f.equal(fmt.Sprintf("order %d descending %t", q.Order, q.Descending), want, got)
		gone := map[string]bool{}
		for i := 99; i < len(got); i += 100 {
			gone[got[i]] = true
		}
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return gone[name] })
	}
}
