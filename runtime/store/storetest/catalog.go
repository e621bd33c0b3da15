package storetest

import (
	"errors"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

func catalogCases() []contractCase {
	return []contractCase{
		{name: "the catalog describes a stream", needs: store.KeepsCatalog, run: func(f *fixture) {
			catalog := f.catalog()
			_, err := catalog.StreamInfo(f.ctx, "bank-1")
			f.notFound("StreamInfo of an unknown stream", err, "bank-1")
			for _, name := range impossibleStreams() {
				if _, err := catalog.StreamInfo(f.ctx, name); !errors.Is(err, store.ErrInvalid) {
					f.Errorf("StreamInfo of %.20q: %v, want an InvalidError", name, err)
				}
			}
			first, second := event(1), event(2)
			first.Time = time.Date(2020, 2, 3, 4, 5, 6, 7_000, time.UTC)
			second.Time = first.Time.Add(-time.Hour)
			f.append("bank-1", 0, first, second)
			f.append("bank-2", 0, event(1))
			f.append("bank-1", 2, event(3))
			got := f.info("bank-1")
			if !got.Created.Equal(first.Time) {
				f.Errorf("created at %s, want the first event's time %s", got.Created, first.Time)
			}
			got.Created = first.Time
			f.equal("info", store.StreamInfo{Stream: "bank-1", Version: 3, First: 1, Created: first.Time}, got)
		}},
		{name: "the catalog knows the last position", needs: store.KeepsCatalog, run: func(f *fixture) {
			f.equal("of nothing", store.Position(0), f.lastPosition())
			f.append("bank-1", 0, events(3)...)
			f.equal("of events", f.append("bank-2", 0, event(4)).Last, f.lastPosition())
			_ = f.conflict("bank-2", 7, 1)
			f.equal("after a conflict", f.all()[3].Position, f.lastPosition())
		}},
		{name: "the catalog knows the last position also when its event is gone", needs: store.KeepsCatalog | store.Deletes, run: func(f *fixture) {
			f.append("bank-1", 0, events(3)...)
			last := f.append("bank-2", 0, events(2)...).Last
			f.remove("bank-2", 2, store.Hard)
			f.equal("after the end was removed", last, f.lastPosition())
			f.remove("bank-1", 3, store.Hard)
			f.equal("after all was removed", last, f.lastPosition())
			f.equal("after an append", f.append("bank-3", 0, event(1)).Last, f.lastPosition())
		}},
	}
}

func (f *fixture) lastPosition() store.Position {
	f.Helper()
	last, err := f.catalog().LastPosition(f.ctx)
	if err != nil {
		f.Fatalf("LastPosition: %v", err)
	}
	return last
}

func (f *fixture) catalog() store.Catalog {
	f.Helper()
	catalog, ok := f.store.(store.Catalog)
	if !ok {
		f.Fatalf("%T does not implement Catalog", f.store)
	}
	return catalog
}

// info describes a stream that there is, or fails.
func (f *fixture) info(stream string) store.StreamInfo {
	f.Helper()
	info, err := f.catalog().StreamInfo(f.ctx, stream)
	if err != nil {
		f.Fatalf("StreamInfo(%s): %v", stream, err)
	}
	return info
}

// notFound fails unless err says that stream is not there.
func (f *fixture) notFound(what string, err error, stream string) {
	f.Helper()
	e, ok := as[*store.StreamNotFoundError](err)
	if !ok || e.Stream != stream || !errors.Is(err, store.ErrStreamNotFound) || store.Retryable(err) {
		f.Fatalf("%s: %v (%T), want a StreamNotFoundError of %s", what, err, err, stream)
	}
}
