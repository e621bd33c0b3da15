package storetest

import (
	"fmt"

	"github.com/esgen/esgen/runtime/store"
)

func truncateCases() []contractCase {
	return []contractCase{
		{name: "a soft truncation hides what is before a version", needs: store.Deletes, run: truncatesSoftly},
		{name: "a hard truncation removes what is before a version", needs: store.Deletes, run: truncatesHard},
		{name: "a stream that was truncated to nothing goes on at its version", needs: store.Deletes, run: func(f *fixture) {
			for _, how := range []store.Removal{store.Soft, store.Hard} {
				stream := "bank-" + how.String()
				f.append(stream, 0, events(3)...)
				f.truncate(stream, 4, how)
				for _, q := range []store.Query{{}, {Backward: true}, {FromVersion: 1}, {FromVersion: 4}, {Types: []string{"storetest.counted"}}} {
					q.Stream = stream
					f.equal(q.String(), 0, len(f.read(q)))
				}
				for _, expected := range []store.Version{store.NoStream, 1, 2} {
					_ = f.conflict(stream, expected, 3)
				}
				f.append(stream, 3, event(4))
				f.append(stream, store.StreamExists, event(5))
				f.append(stream, store.Any, event(6))
				read := f.stream(stream)
				f.equal("versions", []store.Version{4, 5, 6}, versions(read))
				f.equal("events", []int{4, 5, 6}, carried(read))
			}
		}},
		{name: "a truncation beyond the end is refused", needs: store.Deletes, run: func(f *fixture) {
			f.append("bank-1", 0, events(3)...)
			for _, how := range []store.Removal{store.Soft, store.Hard} {
				for _, before := range []store.Version{5, 6, 1 << 40} {
					if _, ok := as[*store.InvalidError](f.deleter().Truncate(f.ctx, "bank-1", before, how)); !ok {
						f.Errorf("%s truncation before %d of a stream at 3: want an InvalidError", how, int64(before))
					}
				}
				f.notFound("Truncate of an unknown stream", f.deleter().Truncate(f.ctx, "unknown", 1, how), "unknown")
			}
			f.equal("events", upTo(3), carried(f.stream("bank-1")))
			f.remove("bank-1", 3, store.Soft)
			for _, how := range []store.Removal{store.Soft, store.Hard} {
				f.isDeleted("Truncate", f.deleter().Truncate(f.ctx, "bank-1", 2, how), "bank-1")
			}
			f.equal("$all", 3, len(f.all()))
		}},
		{name: "a truncation of links keeps the events", needs: store.Deletes | store.Links, run: truncatesLinks},
		{name: "reads page through a truncated stream", needs: store.Deletes, run: func(f *fixture) {
			const n = 3000
			for i, how := range []store.Removal{store.Soft, store.Hard} {
				stream := fmt.Sprintf("bank-%d", i)
				f.append(stream, 0, events(n)...)
				f.truncate(stream, 1201, how)
				want := upTo(n)[1200:]
				f.equal("forward", want, carried(f.read(store.Query{Stream: stream})))
				f.equal("backward", reversed(want), carried(f.read(store.Query{Stream: stream, Backward: true})))
				f.equal("limit", want[:1100], carried(f.read(store.Query{Stream: stream, FromVersion: 700, Limit: 1100})))
			}
		}},
	}
}

// truncate truncates a stream, or fails.
func (f *fixture) truncate(stream string, before store.Version, how store.Removal) {
	f.Helper()
	if err := f.deleter().Truncate(f.ctx, stream, before, how); err != nil {
		f.Fatalf("Truncate of %s before version %d, %s: %v", stream, int64(before), how, err)
	}
}

// showsFrom checks that a stream which was of the events 1 to 5 shows those from
// one on.
func (f *fixture) showsFrom(stream string, first int) {
	f.Helper()
	for _, from := range []store.Version{0, 1, store.Version(first)} {
		f.equal("forward", upTo(5)[first-1:], carried(f.read(store.Query{Stream: stream, FromVersion: from})))
	}
	f.equal("backward", reversed(upTo(5)[first-1:]), carried(f.read(store.Query{Stream: stream, Backward: true})))
	if first > 1 {
		f.equal("backward from before the first", 0, len(f.read(store.Query{Stream: stream, Backward: true, FromVersion: store.Version(first - 1)})))
	}
	f.equal("limit", upTo(5)[first-1:first], carried(f.read(store.Query{Stream: stream, Limit: 1})))
	if f.setup.Declares.Has(store.KeepsCatalog) {
		info := f.info(stream)
		f.equal("version and first", [2]store.Version{5, store.Version(first)}, [2]store.Version{info.Version, info.First})
	}
}

func truncatesSoftly(f *fixture) {
	f.append("bank-1", 0, events(5)...)
	f.append("bank-2", 0, events(2)...)
	all := f.all()
	for _, first := range []int{3, 5, 2, 1} {
		f.truncate("bank-1", store.Version(first), store.Soft)
		f.showsFrom("bank-1", first)
		f.equal("$all", all, f.all())
		f.equal("category", all, f.read(store.Query{Categories: []string{"bank"}}))
	}
	f.truncate("bank-1", 4, store.Soft)
	if linker, ok := f.store.(store.Linker); ok {
		if _, err := linker.Link(f.ctx, "list-1", 0, all[0].ID); err != nil {
			f.Fatalf("Link of an event that is hidden: %v", err)
		}
		f.equal("link", linked("list-1", 1, all[0]), f.stream("list-1"))
	}
	_ = f.conflict("bank-1", store.NoStream, 5)
	f.append("bank-1", 5, event(6))
	f.equal("events", []int{4, 5, 6}, carried(f.stream("bank-1")))
	f.truncate("bank-1", 1, store.Soft)
	f.equal("events", upTo(6), carried(f.stream("bank-1")))
}

func truncatesHard(f *fixture) {
	f.append("bank-1", 0, events(2)...)
	given := identified(5)
	f.append("bank-2", 0, given...)
	f.append("bank-1", 2, events(2)...)
	others := f.stream("bank-1")
	f.truncate("bank-2", 1, store.Hard)
	f.showsFrom("bank-2", 1)
	f.truncate("bank-2", 3, store.Hard)
	f.showsFrom("bank-2", 3)
	f.truncate("bank-2", 2, store.Hard) // removes nothing more
	f.truncate("bank-2", 1, store.Soft) // and nothing comes back
	f.showsFrom("bank-2", 3)
	f.equal("another stream", others, f.stream("bank-1"))
	f.equal("$all", []int{1, 2, 3, 4, 5, 1, 2}, carried(f.all()))
	f.truncate("bank-2", 4, store.Soft)
	f.showsFrom("bank-2", 4)
	f.equal("$all", 7, len(f.all()))
	_ = f.conflict("bank-2", store.NoStream, 5)
	// The ids of removed events are free.
	f.append("bank-3", 0, given[0])
	f.duplicate(batch("bank-3", 1, given[2]))
}

func truncatesLinks(f *fixture) {
	ids := f.appended("bank-1", 3)
	source, all := f.stream("bank-1"), f.all()
	f.link("list-1", 0, ids...)
	f.truncate("list-1", 2, store.Soft)
	f.equal("hidden", linked("list-1", 2, source[1], source[2]), f.stream("list-1"))
	f.truncate("list-1", 1, store.Soft)
	f.exactly(3, "list-1")
	f.truncate("list-1", 3, store.Hard)
	f.equal("truncated", linked("list-1", 3, source[2]), f.stream("list-1"))
	f.equal("$all", all, f.all())
	f.equal("the source", source, f.stream("bank-1"))
	f.truncate("list-1", 4, store.Hard)
	f.equal("truncated to nothing", 0, len(f.read(store.Query{Stream: "list-1"})))
	f.equal("version", store.Version(4), f.link("list-1", 3, ids[0]).Version)
	// The source's removal takes the link along, and leaves the version.
	f.truncate("bank-1", 3, store.Hard)
	f.equal("links to removed events", 0, len(f.read(store.Query{Stream: "list-1"})))
	f.equal("version", store.Version(5), f.link("list-1", 4, ids[2]).Version)
	f.equal("$all", all[2:], f.all())
}
