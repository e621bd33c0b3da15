package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func linkCases() []contractCase {
	return []contractCase{
		{name: "a link keeps the original stream and version", needs: store.Links, run: linksKeepTheOriginal},
		{name: "links meet expected versions as appends do", needs: store.Links, run: linksExpect},
		{name: "links of unknown events link none", needs: store.Links, run: linksAllOrNone},
		{name: "an event is linked to a stream once", needs: store.Links, run: linksOnce},
		{name: "links that no store takes are refused", needs: store.Links, run: refusesLinks},
		{name: "a stream holds links and events of its own", needs: store.Links, run: mixesLinks},
		{name: "links of a stream of links lead to the events", needs: store.Links, run: linksOfLinks},
		{name: "reads page through 3000 links", needs: store.Links, run: pagesThroughLinks},
		{name: "the doorbell rings after a link", needs: store.Links, run: func(f *fixture) {
			ids := f.appended("bank-1", 2)
			for i, id := range ids {
				bell := f.store.Local().Wait()
				if bell == nil {
					return // it never rings; readers poll
				}
				f.link("list-1", store.Version(i), id)
				select {
				case <-bell:
				case <-time.After(5 * time.Second):
					f.Fatalf("the doorbell did not ring within 5 s of link %d", i+1)
				}
			}
		}},
		{name: "a link in a context that has ended links nothing", needs: store.Links, run: func(f *fixture) {
			ids := f.appended("bank-1", 1)
			for _, c := range ended(f) {
				_, err := f.linker().Link(c.ctx, "list-1", store.Any, ids...)
				c.saidBy(f, "Link", err)
				if errors.Is(err, store.ErrUnknownOutcome) {
					f.Errorf("link in a context that ended: %v, want no doubt", err)
				}
			}
			f.absent("list-1")
		}},
		{name: "links are there after reopening", needs: store.Links | store.Durable, run: func(f *fixture) {
			ids := f.appended("bank-1", 3)
			f.link("list-1", store.NoStream, ids[2], ids[0])
			f.append("list-1", 2, event(9))
			want := f.stream("list-1")
			f.store = f.setup.Reopen(f.TB, f.store)
			f.equal("links", want, f.stream("list-1"))
			f.equal("version", store.Version(4), f.link("list-1", 3, ids[1]).Version)
		}},
		{name: "the catalog describes a stream of links", needs: store.Links | store.KeepsCatalog, run: func(f *fixture) {
			ids := f.appended("bank-1", 3)
			f.link("list-1", store.NoStream, ids...)
			info := f.info("list-1")
			if time.Since(info.Created).Abs() > time.Hour {
				f.Errorf("created at %s, want about now", info.Created)
			}
			f.equal("info", store.StreamInfo{Stream: "list-1", Version: 3, First: 1, Created: info.Created}, info)
			f.equal("listed", []store.StreamInfo{info}, f.list(store.StreamQuery{Prefix: "list"}))
		}},
	}
}

func (f *fixture) linker() store.Linker {
	f.Helper()
	linker, ok := f.store.(store.Linker)
	if !ok {
		f.Fatalf("%T does not implement Linker", f.store)
	}
	return linker
}

// appended stores n new events in stream and returns their ids.
func (f *fixture) appended(stream string, n int) []uuid.UUID {
	f.Helper()
	given := identified(n)
	f.append(stream, store.Any, given...)
	ids := make([]uuid.UUID, n)
	for i, e := range given {
		ids[i] = e.ID
	}
	return ids
}

// link links, or fails, and checks the answer's form.
func (f *fixture) link(stream string, expected store.Version, ids ...uuid.UUID) store.Appended {
	f.Helper()
	a, err := f.linker().Link(f.ctx, stream, expected, ids...)
	if err != nil {
		f.Fatalf("Link of %d events to %s expecting %s: %v", len(ids), stream, expected, err)
	}
	f.equal("answer", store.Appended{Stream: stream, Version: a.Version}, a)
	return a
}

// refuseLink links what must be refused, checks that nothing has changed by it,
// and returns the error.
func (f *fixture) refuseLink(stream string, expected store.Version, ids ...uuid.UUID) error {
	f.Helper()
	read := func() [2]any {
		events, err := collect(f.ctx, f.store, store.Query{Stream: stream})
		return [2]any{events, err != nil}
	}
	before, all := read(), f.all()
	a, err := f.linker().Link(f.ctx, stream, expected, ids...)
	if err == nil {
		f.Fatalf("Link of %d events to %.40q expecting %s succeeded with %+v, want an error", len(ids), stream, expected, a)
	}
	if store.Retryable(err) {
		f.Errorf("%v is retryable", err)
	}
	f.equal(fmt.Sprintf("%.40q before and after a link that failed with %q", stream, err), before, read())
	f.equal("$all", all, f.all())
	return err
}

// linked are events as a stream shows them that links to them.
func linked(stream string, from store.Version, originals ...store.Recorded) []store.Recorded {
	originals = slices.Clone(originals)
	for i := range originals {
		originals[i].Stream, originals[i].Version = stream, from+store.Version(i)
	}
	return originals
}

func linksKeepTheOriginal(f *fixture) {
	f.appended("bank-1", 3)
	f.appended("bank-2", 2)
	all := f.all()
	two, one := f.stream("bank-2"), f.stream("bank-1")
	f.equal("version", store.Version(2), f.link("list-1", store.NoStream, two[1].ID, one[0].ID).Version)
	f.equal("version", store.Version(3), f.link("list-1", 2, one[2].ID).Version)
	want := linked("list-1", 1, two[1], one[0], one[2])
	f.equal("links", want, f.stream("list-1"))
	for _, r := range want {
		if r.OriginalStream == "list-1" {
			f.Errorf("version %d of list-1 was appended to bank, not to %s", r.Version, r.OriginalStream)
		}
	}
	f.equal("$all", all, f.all())
	f.equal("the category of the links", 0, len(f.read(store.Query{Categories: []string{"list"}})))
	f.equal("the category of the events", all, f.read(store.Query{Categories: []string{"bank"}}))
	f.equal("an original stream", one, f.stream("bank-1"))
	f.append("bank-1", 3, event(4))
}

func linksExpect(f *fixture) {
	ids := f.appended("bank-1", 9)
	for _, expected := range []store.Version{1, 7, store.StreamExists} {
		err := f.refuseLink("list-1", expected, ids[0])
		f.isConflict(err, "link to", "list-1", expected, 0)
		f.equal("not found", expected == store.StreamExists, errors.Is(err, store.ErrStreamNotFound))
	}
	f.absent("list-1")
	f.link("list-0", 0, ids[0])
	f.link("list-1", store.Any, ids[0])
	for _, expected := range []store.Version{store.NoStream, 2, 1 << 40} {
		err := f.refuseLink("list-1", expected, ids[1])
		f.isConflict(err, "link to", "list-1", expected, 1)
		f.equal("exists", expected == store.NoStream, errors.Is(err, store.ErrStreamExists))
	}
	f.link("list-1", 1, ids[1], ids[2])
	f.link("list-1", store.StreamExists, ids[3])
	f.equal("version", store.Version(5), f.link("list-1", store.Any, ids[4]).Version)
	f.equal("events", upTo(5), carried(f.stream("list-1")))
}

func linksAllOrNone(f *fixture) {
	ids := f.appended("bank-1", 3)
	unknown := []uuid.UUID{uuid.New(), uuid.New()}
	f.link("list-1", store.NoStream, ids[0])
	for _, stream := range []string{"list-1", "list-2"} {
		err := f.refuseLink(stream, store.Any, ids[1], unknown[0], ids[2], unknown[1])
		missing, ok := as[*store.EventNotFoundError](err)
		if !ok || !errors.Is(err, store.ErrEventNotFound) {
			f.Fatalf("Link of unknown events: %v (%T), want an EventNotFoundError", err, err)
		}
		f.equal("unknown", unknown, missing.IDs)
		f.equal("of", 4, missing.Of)
	}
	f.absent("list-2")
	f.equal("version", store.Version(3), f.link("list-1", 1, ids[1], ids[2]).Version)
	f.equal("versions", []store.Version{1, 2, 3}, versions(f.stream("list-1")))
}

func versions(events []store.Recorded) []store.Version {
	all := make([]store.Version, len(events))
	for i, r := range events {
		all[i] = r.Version
	}
	return all
}

func linksOnce(f *fixture) {
	ids := f.appended("bank-1", 4)
	f.link("list-1", store.NoStream, ids[3], ids[0])
	f.link("list-2", store.NoStream, ids[0])
	for _, c := range []struct {
		stream  string
		ids     []uuid.UUID
		id      uuid.UUID
		version store.Version
	}{
		{"list-1", []uuid.UUID{ids[0]}, ids[0], 2},
		{"list-1", []uuid.UUID{ids[1], ids[3], ids[2]}, ids[3], 1},
		{"bank-1", []uuid.UUID{ids[2]}, ids[2], 3}, // its own stream holds it
	} {
		err := f.refuseLink(c.stream, store.Any, c.ids...)
		d, ok := as[*store.DuplicateEventError](err)
		if !ok || !errors.Is(err, store.ErrDuplicateEvent) {
			f.Fatalf("Link of an event that %s holds: %v (%T), want a DuplicateEventError", c.stream, err, err)
		}
		f.equal("where", store.DuplicateEventError{Op: d.Op, ID: c.id, Stream: c.stream, StoredStream: c.stream, StoredVersion: c.version}, *d)
		f.attempted(err, "link to")
	}
	f.equal("version", store.Version(4), f.link("list-1", 2, ids[1], ids[2]).Version)
}

func refusesLinks(f *fixture) {
	ids := f.appended("bank-1", 2)
	refuse := func(what, stream string, expected store.Version, ids ...uuid.UUID) {
		if _, ok := as[*store.InvalidError](f.refuseLink(stream, expected, ids...)); !ok {
			f.Errorf("Link with %s: want an InvalidError", what)
		}
	}
	refuse("no ids", "list-1", store.Any)
	refuse("an id that stands twice", "list-1", store.Any, ids[0], ids[1], ids[0])
	refuse("an expectation without a meaning", "list-1", -3, ids[0])
	for _, name := range impossibleStreams() {
		refuse(fmt.Sprintf("stream %.20q", name), name, store.Any, ids[0])
	}
	f.absent("list-1")
}

func mixesLinks(f *fixture) {
	ids := f.appended("bank-1", 2)
	given := identified(2)
	f.append("list-1", store.NoStream, given[0])
	f.link("list-1", 1, ids[0])
	want := f.append("list-1", 2, given[1])
	f.equal("version", store.Version(3), want.Version)
	f.equal("version", store.Version(4), f.link("list-1", 3, ids[1]).Version)
	_ = f.conflict("list-1", store.NoStream, 4)
	_ = f.conflict("list-1", 3, 4)
	read := f.stream("list-1")
	f.equal("versions", []store.Version{1, 2, 3, 4}, versions(read))
	f.equal("events", []int{1, 1, 2, 2}, carried(read))
	f.equal("originals", []string{"list-1", "bank-1", "list-1", "bank-1"},
		[]string{read[0].OriginalStream, read[1].OriginalStream, read[2].OriginalStream, read[3].OriginalStream})
	f.equal("its own in $all", []store.Recorded{read[0], read[2]}, f.read(store.Query{Categories: []string{"list"}}))
	want.Duplicate = true
	f.retry(want, "list-1", 2, given[1:])
	readsLinkedStream(f, "list-1")
}

// readsLinkedStream compares every reading variant with the whole stream.
func readsLinkedStream(f *fixture, stream string) {
	f.Helper()
	all := f.stream(stream)
	for from := range store.Version(len(all) + 2) {
		for _, types := range [][]string{nil, {"a"}, {"a", "storetest.counted"}, {"nothing"}} {
			for _, backward := range []bool{false, true} {
				for _, limit := range []int{0, 1, 3} {
					q := store.Query{Stream: stream, FromVersion: from, Types: types, Backward: backward, Limit: limit}
					f.equal(fmt.Sprintf("%s types %q limit %d", q, types, limit), selected(all, q), f.read(q))
				}
			}
		}
	}
}

func linksOfLinks(f *fixture) {
	given := identified(6)
	for i := range given {
		given[i].Type = []string{"a", "b"}[i%2]
	}
	f.append("bank-1", 0, given...)
	source := f.stream("bank-1")
	f.link("list-1", 0, given[5].ID, given[1].ID, given[2].ID, given[4].ID)
	list := f.stream("list-1")
	f.link("list-2", 0, list[3].ID, list[0].ID, list[1].ID)
	f.equal("links of links", linked("list-2", 1, source[4], source[5], source[1]), f.stream("list-2"))
	readsLinkedStream(f, "list-1")
	readsLinkedStream(f, "list-2")
}

func pagesThroughLinks(f *fixture) {
	const n = 3000
	ids := f.appended("bank-1", n)
	want := make([]int, 0, n+3)
	for at := 0; at < n; at += 1000 {
		f.link("list-1", store.Any, reversed(ids[at:at+1000])...)
		want = append(want, reversed(upTo(at + 1000)[at:])...)
		f.append("list-1", store.Any, event(0))
		want = append(want, 0)
	}
	f.equal("forward", want, carried(f.read(store.Query{Stream: "list-1"})))
	f.equal("backward", reversed(want), carried(f.read(store.Query{Stream: "list-1", Backward: true})))
	f.equal("limit", want[999:2003], carried(f.read(store.Query{Stream: "list-1", FromVersion: 1000, Limit: 1004})))
}
