package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

func softDeleteCases() []contractCase {
	return []contractCase{
		{name: "a softly deleted stream refuses every append", needs: store.Deletes, run: refusesAppendsWhenDeleted},
		{name: "a softly deleted stream is not read", needs: store.Deletes, run: func(f *fixture) {
			f.append("bank-1", 0, events(3)...)
			f.remove("bank-1", 3, store.Soft)
			for _, q := range []store.Query{
				{}, {Backward: true}, {FromVersion: 2}, {FromVersion: 9}, {Limit: 1}, {Types: []string{"nothing"}}, {Since: time.Now()},
			} {
				q.Stream = "bank-1"
				read, err := collect(f.ctx, f.store, q)
				f.isDeleted(fmt.Sprintf("Read(%s)", q), err, "bank-1")
				f.equal("events", 0, len(read))
			}
		}},
		{name: "$all and categories show softly deleted events", needs: store.Deletes, run: func(f *fixture) {
			f.append("bank-1", 0, events(2)...)
			f.append("card-1", 0, events(2)...)
			all := f.all()
			f.remove("bank-1", store.Any, store.Soft)
			f.equal("$all", all, f.all())
			f.equal("$all backward", reversed(all), f.read(store.Query{Backward: true}))
			f.equal("category", all[:2], f.read(store.Query{Categories: []string{"bank"}}))
			f.equal("another stream", all[2:], f.stream("card-1"))
		}},
		{name: "links show softly deleted events", needs: store.Deletes | store.Links, run: func(f *fixture) {
			ids := f.appended("bank-1", 3)
			source := f.stream("bank-1")
			f.link("list-1", 0, ids[0], ids[1])
			f.remove("bank-1", store.Any, store.Soft)
			f.link("list-1", 2, ids[2])
			f.equal("links", linked("list-1", 1, source...), f.stream("list-1"))
			// A stream of links is deleted as any other.
			f.remove("list-1", 3, store.Soft)
			f.isDeleted("Link", f.refuseLink("list-1", 3, ids[0]), "list-1")
		}},
		{name: "undelete makes a stream what it was", needs: store.Deletes, run: undeletes},
		{name: "delete meets expected versions", needs: store.Deletes, run: deletesExpect},
		{name: "deletes that no store takes are refused", needs: store.Deletes, run: refusesDeletes},
		{name: "an append to several streams of which one is deleted stores nothing", needs: store.Deletes | store.SeveralStreams, run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			f.append("bank-2", 0, event(1))
			f.remove("bank-2", 1, store.Soft)
			err := f.refuse(batch("bank-1", 1, event(2)), batch("bank-2", 1, event(2)), batch("bank-3", store.Any, event(1)))
			f.isDeleted("Append", err, "bank-2")
			f.absent("bank-3")
		}},
		{name: "a retry of what was stored before the delete is a duplicate", needs: store.Deletes, run: func(f *fixture) {
			given := identified(2)
			want := f.append("bank-1", 0, given...)
			f.remove("bank-1", 2, store.Soft)
			want.Duplicate = true
			f.retry(want, "bank-1", 0, given)
		}},
		{name: "no append lands in a deleted stream", needs: store.Deletes, run: appendsRaceDelete},
		{name: "a read of a stream that is deleted under way never ends early without an error", needs: store.Deletes, run: readsRaceDelete},
		{name: "softly deleted streams are listed when asked for", needs: store.Deletes | store.KeepsCatalog, run: func(f *fixture) {
			f.append("bank-1", 0, events(2)...)
			f.append("bank-2", 0, event(1))
			before := f.info("bank-1")
			f.remove("bank-1", 2, store.Soft)
			info := f.info("bank-1")
			if time.Since(info.Deleted).Abs() > time.Hour || info.Deleted.Location() != time.UTC {
				f.Errorf("deleted at %s, want about now in UTC", info.Deleted)
			}
			f.equal("a stream that is not deleted", time.Time{}, f.info("bank-2").Deleted)
			f.equal("listed", []store.StreamInfo{f.info("bank-2")}, f.list(store.StreamQuery{}))
			f.equal("all listed", []store.StreamInfo{info, f.info("bank-2")}, f.list(store.StreamQuery{Deleted: true}))
			before.Deleted = info.Deleted
			f.equal("info", before, info)
		}},
		{name: "deletes in a context that has ended delete nothing", needs: store.Deletes, run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			f.append("bank-2", 0, event(1))
			f.remove("bank-2", 1, store.Soft)
			d := f.deleter()
			for _, c := range ended(f) {
				for _, how := range []store.Removal{store.Soft, store.Hard} {
					c.saidBy(f, "Delete", d.Delete(c.ctx, "bank-1", 1, how))
					c.saidBy(f, "Truncate", d.Truncate(c.ctx, "bank-1", 2, how))
				}
				c.saidBy(f, "Undelete", d.Undelete(c.ctx, "bank-2"))
			}
			f.exactly(1, "bank-1")
			f.equal("$all", 2, len(f.all()))
			f.isDeleted("Append", f.refuse(batch("bank-2", 1, event(2))), "bank-2")
		}},
	}
}

func (f *fixture) deleter() store.Deleter {
	f.Helper()
	deleter, ok := f.store.(store.Deleter)
	if !ok {
		f.Fatalf("%T does not implement Deleter", f.store)
	}
	return deleter
}

// remove deletes a stream, or fails.
func (f *fixture) remove(stream string, expected store.Version, how store.Removal) {
	f.Helper()
	if err := f.deleter().Delete(f.ctx, stream, expected, how); err != nil {
		f.Fatalf("Delete of %s expecting %s, %s: %v", stream, expected, how, err)
	}
}

func (f *fixture) undelete(stream string) {
	f.Helper()
	if err := f.deleter().Undelete(f.ctx, stream); err != nil {
		f.Fatalf("Undelete of %s: %v", stream, err)
	}
}

// isDeleted fails unless err says that stream is softly deleted.
func (f *fixture) isDeleted(what string, err error, stream string) {
	f.Helper()
	e, ok := as[*store.StreamDeletedError](err)
	if !ok || e.Stream != stream || !errors.Is(err, store.ErrStreamDeleted) || errors.Is(err, store.ErrStreamNotFound) {
		f.Fatalf("%s: %v (%T), want a StreamDeletedError of %s", what, err, err, stream)
	}
	if store.Retryable(err) || e.Op == "" {
		f.Errorf("%s: %v is retryable, or does not say what was attempted", what, err)
	}
}

// refusesAppendsWhenDeleted: that a stream is deleted is said before its version is
// compared.
func refusesAppendsWhenDeleted(f *fixture) {
	f.append("bank-1", 0, events(3)...)
	f.remove("bank-1", 3, store.Soft)
	for _, expected := range []store.Version{store.Any, store.StreamExists, store.NoStream, 3, 2, 4, 1 << 40} {
		err := f.refuse(batch("bank-1", expected, event(4), event(5)))
		f.isDeleted(fmt.Sprintf("Append expecting %s", expected), err, "bank-1")
	}
	if linker, ok := f.store.(store.Linker); ok {
		ids := f.appended("card-1", 1)
		for _, expected := range []store.Version{store.Any, store.StreamExists, store.NoStream, 3, 2} {
			_, err := linker.Link(f.ctx, "bank-1", expected, ids...)
			f.isDeleted(fmt.Sprintf("Link expecting %s", expected), err, "bank-1")
		}
	}
	f.append("bank-2", store.NoStream, event(1))
	f.undelete("bank-1")
	f.equal("events", upTo(3), carried(f.stream("bank-1")))
}

func undeletes(f *fixture) {
	f.append("bank-1", 0, events(3)...)
	if linker, ok := f.store.(store.Linker); ok {
		if _, err := linker.Link(f.ctx, "bank-1", 3, f.appended("card-1", 1)...); err != nil {
			f.Fatalf("Link: %v", err)
		}
	} else {
		f.append("bank-1", 3, event(1))
	}
	f.truncate("bank-1", 2, store.Soft)
	before, all := f.stream("bank-1"), f.all()
	var info store.StreamInfo
	if f.setup.Declares.Has(store.KeepsCatalog) {
		info = f.info("bank-1")
	}
	for range 2 {
		f.remove("bank-1", 4, store.Soft)
		f.isDeleted("a second soft delete", f.deleter().Delete(f.ctx, "bank-1", store.Any, store.Soft), "bank-1")
		f.undelete("bank-1")
		f.equal("stream", before, f.stream("bank-1"))
		f.undelete("bank-1") // one that is not deleted stays as it is
	}
	if f.setup.Declares.Has(store.KeepsCatalog) {
		f.equal("info", info, f.info("bank-1"))
	}
	f.equal("$all", all, f.all())
	_ = f.conflict("bank-1", store.NoStream, 4)
	f.equal("version", store.Version(5), f.append("bank-1", 4, event(5)).Version)
	f.notFound("Undelete of an unknown stream", f.deleter().Undelete(f.ctx, "bank-2"), "bank-2")
}

func deletesExpect(f *fixture) {
	for _, how := range []store.Removal{store.Soft, store.Hard} {
		for _, expected := range []store.Version{store.Any, store.StreamExists, 1} {
			f.notFound(how.String()+" delete of an unknown stream", f.deleter().Delete(f.ctx, "unknown", expected, how), "unknown")
		}
		for i, expected := range []store.Version{store.Any, store.StreamExists, 3} {
			stream := fmt.Sprintf("bank-%s-%d", how, i)
			f.append(stream, store.NoStream, events(3)...)
			before := f.all()
			for _, wrong := range []store.Version{1, 2, 4, 1 << 40} {
				f.isConflict(f.deleter().Delete(f.ctx, stream, wrong, how), "delete", stream, wrong, 3)
			}
			f.equal("$all", before, f.all())
			f.exactly(3, stream)
			f.remove(stream, expected, how)
			if read, err := collect(f.ctx, f.store, store.Query{Stream: stream}); err == nil || len(read) > 0 {
				f.Errorf("%s is read after its %s delete: %d events, %v", stream, how, len(read), err)
			}
		}
	}
}

func refusesDeletes(f *fixture) {
	f.append("bank-1", 0, events(2)...)
	d := f.deleter()
	invalid := func(what string, err error) {
		if _, ok := as[*store.InvalidError](err); !ok || store.Retryable(err) {
			f.Errorf("%s: %v, want an InvalidError", what, err)
		}
	}
	for _, how := range []store.Removal{store.Soft, store.Hard} {
		for _, name := range impossibleStreams() {
			invalid(fmt.Sprintf("Delete of %.20q", name), d.Delete(f.ctx, name, store.Any, how))
			invalid(fmt.Sprintf("Truncate of %.20q", name), d.Truncate(f.ctx, name, 1, how))
		}
		invalid("Delete expecting no stream", d.Delete(f.ctx, "bank-1", store.NoStream, how))
		invalid("Delete expecting -3", d.Delete(f.ctx, "bank-1", -3, how))
		invalid("Truncate before version 0", d.Truncate(f.ctx, "bank-1", 0, how))
		invalid("Truncate beyond the end", d.Truncate(f.ctx, "bank-1", 4, how))
	}
	for _, name := range impossibleStreams() {
		invalid(fmt.Sprintf("Undelete of %.20q", name), d.Undelete(f.ctx, name))
	}
	invalid("Delete, neither soft nor hard", d.Delete(f.ctx, "bank-1", 2, store.Removal(7)))
	invalid("Truncate, neither soft nor hard", d.Truncate(f.ctx, "bank-1", 2, store.Removal(7)))
	f.equal("events", upTo(2), carried(f.stream("bank-1")))
}

func appendsRaceDelete(f *fixture) {
	for round := range 8 {
		stream := fmt.Sprintf("bank-%d", round)
		f.append(stream, store.NoStream, event(0))
		var mu sync.Mutex
		acknowledged := 1
		count := func() (n int) {
			all, err := collect(f.ctx, f.store, store.Query{})
			if err != nil {
				f.Errorf("Read: %v", err)
			}
			for _, r := range all {
				if r.Stream == stream {
					n++
				}
			}
			return n
		}
		atDelete := -1
		deleted := make(chan struct{})
		deleter := f.deleter()
		f.together(5, func(i int) {
			if i == 0 {
				if err := deleter.Delete(f.ctx, stream, store.Any, store.Soft); err != nil {
					f.Errorf("Delete: %v", err)
				}
				close(deleted)
				atDelete = count()
				return
			}
			for n := 0; ; n++ {
				late := closed(deleted)
				_, err := f.store.Append(f.ctx, batch(stream, []store.Version{store.Any, store.StreamExists}[n%2], event(n)))
				switch {
				case errors.Is(err, store.ErrStreamDeleted):
					return
				case err != nil || late:
					f.Errorf("append %d, begun after the delete: %t, error %v", n, late, err)
					return
				}
				mu.Lock()
				acknowledged++
				mu.Unlock()
			}
		})
		f.equal("events when the delete had returned", acknowledged, atDelete)
		f.equal("events", acknowledged, count())
	}
}

func readsRaceDelete(f *fixture) {
	const n = 3000
	for _, how := range []store.Removal{store.Soft, store.Hard} {
		for _, q := range []store.Query{{}, {Backward: true}, {Types: []string{"storetest.counted"}}, {Limit: n}} {
			q.Stream = fmt.Sprintf("bank-%s-%d-%d-%t", how, q.Limit, len(q.Types), q.Backward)
			f.append(q.Stream, 0, events(n)...)
			read := 0
			var failed error
			for _, err := range f.store.Read(f.ctx, q) {
				if failed = err; err != nil {
					break
				}
				if read++; read == 10 {
					f.remove(q.Stream, n, how)
				}
			}
			wanted := store.ErrStreamDeleted
			if how == store.Hard {
				wanted = store.ErrStreamNotFound
			}
			if !errors.Is(failed, wanted) && (failed != nil || read < n) {
				f.Errorf("Read(%s) ended after %d of %d events with error %v", q, read, n, failed)
			}
		}
	}
}
