package storetest

import (
	"errors"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func hardDeleteCases() []contractCase {
	return []contractCase{
		{name: "hard deletes are refused unless they are enabled", needs: store.Deletes, run: refusesHardDeletes},
		{name: "a hard delete removes a stream and nothing else", needs: store.Deletes, run: deletesHard},
		{name: "the name of a hard-deleted stream is free", needs: store.Deletes, run: func(f *fixture) {
			given := identified(3)
			f.append("bank-1", 0, given...)
			f.append("card-1", 0, event(9))
			f.remove("bank-1", 3, store.Hard)
			for _, expected := range []store.Version{1, 3, store.StreamExists} {
				_ = f.conflict("bank-1", expected, 0)
			}
			// So are the ids of its events.
			a := f.append("bank-1", store.NoStream, given[2], given[0])
			f.equal("append", store.Appended{Stream: "bank-1", Version: 2, First: a.First, Last: a.Last}, a)
			read := f.stream("bank-1")
			f.equal("versions", []store.Version{1, 2}, versions(read))
			f.equal("events", []int{3, 1}, carried(read))
		}},
		{name: "a second hard delete finds nothing", needs: store.Deletes, run: func(f *fixture) {
			f.append("bank-1", 0, events(3)...)
			f.remove("bank-1", store.Any, store.Hard)
			for _, expected := range []store.Version{store.Any, store.StreamExists, 3} {
				for _, how := range []store.Removal{store.Soft, store.Hard} {
					f.notFound("a second delete", f.deleter().Delete(f.ctx, "bank-1", expected, how), "bank-1")
				}
			}
			f.notFound("Undelete", f.deleter().Undelete(f.ctx, "bank-1"), "bank-1")
			f.notFound("Truncate", f.deleter().Truncate(f.ctx, "bank-1", 1, store.Soft), "bank-1")
		}},
		{name: "a softly deleted stream can be deleted hard", needs: store.Deletes, run: func(f *fixture) {
			f.append("bank-1", 0, events(3)...)
			f.remove("bank-1", 3, store.Soft)
			f.isConflict(f.deleter().Delete(f.ctx, "bank-1", 2, store.Hard), "delete", "bank-1", 2, 3)
			f.remove("bank-1", 3, store.Hard)
			f.absent("bank-1")
			f.equal("$all", 0, len(f.all()))
			f.equal("version", store.Version(1), f.append("bank-1", store.NoStream, event(1)).Version)
			f.equal("events", []int{1}, carried(f.stream("bank-1")))
		}},
		{name: "a hard delete of a stream of links keeps the events", needs: store.Deletes | store.Links, run: func(f *fixture) {
			ids := f.appended("bank-1", 3)
			source, all := f.stream("bank-1"), f.all()
			f.link("list-1", 0, ids...)
			f.link("list-2", 0, ids[1])
			f.remove("list-1", 3, store.Hard)
			f.absent("list-1")
			f.equal("the source", source, f.stream("bank-1"))
			f.equal("$all", all, f.all())
			f.equal("another stream of links", linked("list-2", 1, source[1]), f.stream("list-2"))
			f.link("list-1", store.NoStream, ids[2])
			f.append("bank-1", 3, event(4))
		}},
		{name: "a hard delete of a stream of links and events removes only its own", needs: store.Deletes | store.Links, run: func(f *fixture) {
			ids := f.appended("bank-1", 2)
			all := f.all()
			f.append("list-1", 0, event(8))
			f.link("list-1", 1, ids...)
			f.append("list-1", 3, event(9))
			f.remove("list-1", 4, store.Hard)
			f.absent("list-1")
			f.equal("$all", all, f.all())
			f.exactly(2, "bank-1")
		}},
		{name: "links to removed events disappear", needs: store.Deletes | store.Links, run: linksDisappear},
		{name: "a hard delete removes the snapshot", needs: store.Deletes | store.KeepsSnapshots, run: func(f *fixture) {
			keeper := f.store.(store.Snapshots)
			for _, stream := range []string{"bank-1", "bank-2", "bank-3"} {
				f.append(stream, 0, events(3)...)
				f.save(keeper, snapshot(stream, 3))
			}
			f.remove("bank-1", store.Any, store.Hard)
			f.remove("bank-3", store.Any, store.Soft)
			f.undelete("bank-3")
			f.noSnapshot(keeper, "bank-1")
			f.load(keeper, "bank-2")
			f.load(keeper, "bank-3")
			f.append("bank-1", 0, event(1))
			f.noSnapshot(keeper, "bank-1")
			f.save(keeper, snapshot("bank-1", 1))
			f.equal("version", store.Version(1), f.load(keeper, "bank-1").Version)
		}},
		{name: "appends that race hard deletes are whole or gone", needs: store.Deletes, run: appendsRaceHardDeletes},
		{name: "what was deleted stays so after reopening", needs: store.Deletes | store.Durable, run: func(f *fixture) {
			f.append("bank-1", 0, events(3)...)
			f.append("bank-2", 0, events(3)...)
			f.append("bank-3", 0, events(3)...)
			last := f.append("bank-4", 0, events(3)...).Last
			f.remove("bank-1", 3, store.Soft)
			f.truncate("bank-2", 3, store.Soft)
			f.truncate("bank-3", 4, store.Hard)
			f.remove("bank-4", 3, store.Hard)
			f.store = f.setup.Reopen(f.TB, f.store)
			f.isDeleted("Append", f.refuse(batch("bank-1", 3, event(4))), "bank-1")
			f.equal("truncated softly", []int{3}, carried(f.stream("bank-2")))
			f.equal("truncated hard", 0, len(f.read(store.Query{Stream: "bank-3"})))
			f.absent("bank-4")
			f.higher(last, f.append("bank-3", 3, event(4)))
			f.undelete("bank-1")
			f.exactly(3, "bank-1")
		}},
		{name: "what one process deletes is gone for another", needs: store.Deletes | store.SeveralProcesses, run: func(f *fixture) {
			one, two := *f, f.another()
			one.append("bank-1", 0, events(3)...)
			last := two.append("bank-2", 0, events(3)...).Last
			one.remove("bank-1", 3, store.Soft)
			two.isDeleted("Append", two.refuse(batch("bank-1", 3, event(4))), "bank-1")
			two.undelete("bank-1")
			one.remove("bank-2", 3, store.Hard)
			two.absent("bank-2")
			two.higher(last, two.append("bank-2", store.NoStream, event(1)))
			f.equal("$all", one.all(), two.all())
		}},
	}
}

// higher fails if a was given a position that had been given before, or in a dense
// order any but the next.
func (f *fixture) higher(last store.Position, a store.Appended) {
	f.Helper()
	if a.First <= last {
		f.Fatalf("position %d was given again; the last before it was %d", a.First, last)
	}
	if f.setup.Declares.Has(store.DenseOrder) {
		f.equal("first position", last+1, a.First)
	}
}

func refusesHardDeletes(f *fixture) {
	if f.setup.OpenWithoutHardDeletes == nil {
		f.Skipf("Setup.OpenWithoutHardDeletes is nil: this store takes hard deletes always")
	}
	f.store = f.setup.OpenWithoutHardDeletes(f.TB)
	f.append("bank-1", 0, events(3)...)
	f.append("bank-2", 0, events(3)...)
	f.remove("bank-2", 3, store.Soft)
	all := f.all()
	for _, stream := range []string{"bank-1", "bank-2"} {
		for what, err := range map[string]error{
			"delete":   f.deleter().Delete(f.ctx, stream, 3, store.Hard),
			"truncate": f.deleter().Truncate(f.ctx, stream, 2, store.Hard),
		} {
			e, ok := as[*store.NotEnabledError](err)
			if !ok || !errors.Is(err, store.ErrNotEnabled) || store.Retryable(err) || e.Op == "" || e.Remedy == "" {
				f.Errorf("hard %s of %s: %v (%T), want a NotEnabledError that says what to do", what, stream, err, err)
			}
		}
	}
	f.equal("$all", all, f.all())
	f.equal("events", upTo(3), carried(f.stream("bank-1")))
	f.truncate("bank-1", 2, store.Soft)
	f.equal("events", []int{2, 3}, carried(f.stream("bank-1")))
}

func deletesHard(f *fixture) {
	streams := []string{"bank-1", "bank-2", "card-1"}
	for i := range 30 {
		e := event(i)
		e.Metadata = store.Metadata(`{"user":"ada"}`)
		f.append(streams[i*7%3], store.Any, e)
	}
	before := map[string][]store.Recorded{}
	for _, stream := range streams {
		before[stream] = f.stream(stream)
	}
	var want []store.Recorded
	for _, r := range f.all() {
		if r.Stream != "bank-1" {
			want = append(want, r)
		}
	}
	f.remove("bank-1", store.Version(len(before["bank-1"])), store.Hard)
	f.absent("bank-1")
	for _, q := range []store.Query{{}, {Categories: []string{"bank"}}, {Categories: []string{"bank", "card"}}, {Metadata: map[string]string{"user": "ada"}}} {
		f.equal(q.String(), selected(want, q), f.read(q))
		q.Backward = true
		f.equal(q.String(), selected(want, q), f.read(q))
	}
	for _, stream := range streams[1:] {
		f.equal(stream, before[stream], f.stream(stream))
	}
	if f.setup.Declares.Has(store.KeepsCatalog) {
		_, err := f.catalog().StreamInfo(f.ctx, "bank-1")
		f.notFound("StreamInfo", err, "bank-1")
		f.equal("listed", 2, len(f.list(store.StreamQuery{Deleted: true})))
	}
}

// appendsRaceHardDeletes: of each append all events are in the stream and in $all,
// or none in either.
func appendsRaceHardDeletes(f *fixture) {
	const writers, each, size = 4, 25, 3
	batches := make([][]store.Event, writers*each)
	for i := range batches {
		batches[i] = identified(size)
	}
	deleter := f.deleter()
	f.together(1+writers, func(w int) {
		for n := range each {
			if w > 0 {
				if _, err := f.store.Append(f.ctx, batch("bank-1", store.Any, batches[(w-1)*each+n]...)); err != nil {
					f.Errorf("append: %v", err)
				}
			} else if err := deleter.Delete(f.ctx, "bank-1", store.Any, store.Hard); err != nil && !errors.Is(err, store.ErrStreamNotFound) {
				f.Errorf("delete: %v", err)
			}
		}
	})
	f.append("bank-1", store.Any, event(0)) // there is a stream now in any case
	all := f.all()
	f.equal("the stream and $all", all, f.stream("bank-1"))
	stored := map[uuid.UUID]bool{}
	for i, r := range all {
		f.equal("version", store.Version(i+1), r.Version)
		stored[r.ID] = true
	}
	for i, given := range batches {
		n := 0
		for _, e := range given {
			if stored[e.ID] {
				n++
			}
		}
		if n != 0 && n != size {
			f.Fatalf("of append %d %d of %d events are stored", i, n, size)
		}
	}
	f.remove("bank-1", store.Any, store.Hard)
	f.equal("$all", 0, len(f.all()))
	for _, given := range batches { // nothing is left of any
		f.equal("duplicate", false, f.append("bank-1", store.Any, given...).Duplicate)
	}
}

func linksDisappear(f *fixture) {
	one, two := f.appended("bank-1", 2), f.appended("bank-2", 3)
	kept := f.stream("bank-2")
	f.link("list-1", 0, one[0], two[0], one[1], two[1])
	f.link("list-2", 0, two[0], one[1], one[0]) // the last ones go
	f.link("list-3", 0, one...)                 // all go
	f.remove("bank-1", 2, store.Hard)

	want := append(linked("list-1", 2, kept[0]), linked("list-1", 4, kept[1])...)
	f.equal("list-1", want, f.stream("list-1"))
	readsLinkedStream(f, "list-1")
	f.equal("list-2", linked("list-2", 1, kept[0]), f.stream("list-2"))
	f.equal("list-3", 0, len(f.read(store.Query{Stream: "list-3"})))
	if f.setup.Declares.Has(store.KeepsCatalog) {
		for stream, want := range map[string][2]store.Version{"list-1": {4, 2}, "list-2": {3, 1}, "list-3": {2, 3}} {
			info := f.info(stream)
			f.equal("version and first of "+stream, want, [2]store.Version{info.Version, info.First})
		}
	}
	// No version is given again, and the removed events are unknown.
	for stream, version := range map[string]store.Version{"list-1": 4, "list-2": 3, "list-3": 2} {
		_ = f.conflict(stream, version-1, version)
		if err := f.refuseLink(stream, version, two[2], one[0]); !errors.Is(err, store.ErrEventNotFound) {
			f.Errorf("Link of a removed event: %v, want an EventNotFoundError", err)
		}
		f.equal("version", version+1, f.link(stream, version, two[2]).Version)
		f.equal("the new link", linked(stream, version+1, kept[2]), f.read(store.Query{Stream: stream, FromVersion: version + 1}))
	}
	// An event of the same id is another one.
	again := event(1)
	again.ID = one[0]
	f.append("bank-1", store.NoStream, again)
	f.equal("list-1", 3, len(f.stream("list-1")))
}
