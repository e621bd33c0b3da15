package storetest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

func snapshotCases() []contractCase {
	with := func(name string, run func(*fixture, store.Snapshots)) contractCase {
		return contractCase{name: name, needs: store.KeepsSnapshots, run: func(f *fixture) {
			keeper, ok := f.store.(store.Snapshots)
			if !ok {
				f.Fatalf("%T does not implement Snapshots", f.store)
			}
			run(f, keeper)
		}}
	}
	return []contractCase{
		with("case 44 a snapshot is saved", func(f *fixture, s store.Snapshots) {
			given := snapshot("bank-1", 3)
			given.Time = time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.FixedZone("", 3600))
			given.Metadata = store.Metadata(`{"by":"ada"}`)
			given.Format, given.Data = store.Msgpack, []byte("\x00\xffstate")
			given.Revision = 4
			f.save(s, given)
			got := f.load(s, "bank-1")
			f.sameMeaning("metadata", given.Metadata, got.Metadata)
			got.Metadata = given.Metadata
			given.Time = given.Time.UTC().Truncate(time.Microsecond)
			f.equal("snapshot", given, got)
		}),
		with("case 45 of three snapshots the last is loaded", func(f *fixture, s store.Snapshots) {
			for version := range store.Version(3) {
				f.save(s, snapshot("bank-1", version+1))
			}
			f.equal("data", `{"state":3}`, string(f.load(s, "bank-1").Data))
		}),
		with("case 46 an unknown snapshot is not found", func(f *fixture, s store.Snapshots) {
			f.append("bank-1", 0, event(1))
			f.noSnapshot(s, "bank-1")
		}),
		with("case 47 a deleted snapshot is not found", func(f *fixture, s store.Snapshots) {
			f.save(s, snapshot("bank-1", 3))
			f.save(s, snapshot("bank-2", 3))
			for range 2 { // none is no error
				if err := s.DeleteSnapshot(f.ctx, "bank-1"); err != nil {
					f.Fatalf("DeleteSnapshot: %v", err)
				}
				f.noSnapshot(s, "bank-1")
			}
			f.load(s, "bank-2")
			f.save(s, snapshot("bank-1", 1))
			f.equal("version", store.Version(1), f.load(s, "bank-1").Version)
		}),
		with("a snapshot of a higher version stays", func(f *fixture, s store.Snapshots) {
			f.save(s, snapshot("bank-1", 9))
			f.save(s, snapshot("bank-1", 8))
			f.equal("version", store.Version(9), f.load(s, "bank-1").Version)
			f.equal("data", `{"state":9}`, string(f.load(s, "bank-1").Data))
		}),
		with("a snapshot of the same version is replaced", func(f *fixture, s store.Snapshots) {
			f.save(s, snapshot("bank-1", 9))
			replaced := snapshot("bank-1", 9)
			replaced.Type, replaced.Revision, replaced.Data = "bank.other", 2, []byte(`{"state":10}`)
			f.save(s, replaced)
			got := f.load(s, "bank-1")
			f.equal("type", "bank.other", got.Type)
			f.equal("revision", 2, got.Revision)
			f.equal("data", `{"state":10}`, string(got.Data))
		}),
		with("of concurrent snapshots the highest version stays", func(f *fixture, s store.Snapshots) {
			f.together(16, func(i int) {
				if err := s.SaveSnapshot(f.ctx, snapshot("bank-1", store.Version(i+1))); err != nil {
					f.Errorf("SaveSnapshot at version %d: %v", i+1, err)
				}
			})
			f.equal("version", store.Version(16), f.load(s, "bank-1").Version)
		}),
		with("a snapshot without a time gets one from the store's clock", func(f *fixture, s store.Snapshots) {
			f.save(s, snapshot("bank-1", 1))
			if got := f.load(s, "bank-1").Time; time.Since(got).Abs() > time.Hour {
				f.Errorf("time is %s", got)
			}
		}),
		with("a snapshot without a revision gets the first", func(f *fixture, s store.Snapshots) {
			given := snapshot("bank-1", 1)
			given.Revision = 0
			f.save(s, given)
			f.equal("revision", 1, f.load(s, "bank-1").Revision)
		}),
		with("invalid snapshots are refused", refusesSnapshots),
		with("snapshots of names that no stream can have are refused", func(f *fixture, s store.Snapshots) {
			for _, name := range impossibleStreams() {
				if _, err := s.LoadSnapshot(f.ctx, name); !errors.Is(err, store.ErrInvalid) {
					f.Errorf("LoadSnapshot of %.20q: %v, want an InvalidError", name, err)
				}
				if err := s.DeleteSnapshot(f.ctx, name); !errors.Is(err, store.ErrInvalid) {
					f.Errorf("DeleteSnapshot of %.20q: %v, want an InvalidError", name, err)
				}
			}
		}),
		with("a loaded snapshot belongs to the caller", func(f *fixture, s store.Snapshots) {
			given := snapshot("bank-1", 1)
			f.save(s, given)
			given.Data[0] = 'X'
			for range 2 {
				got := f.load(s, "bank-1")
				f.equal("data", `{"state":1}`, string(got.Data))
				got.Data[0] = 'X'
			}
		}),
	}
}

// impossibleStreams are names that no stream can have.
func impossibleStreams() []string {
	return []string{"", store.All, "$x", "bank-\x00", "bank-\xff", strings.Repeat("n", store.MaxStreamBytes+1)}
}

func refusesSnapshots(f *fixture, s store.Snapshots) {
	f.save(s, snapshot("bank-1", 1))
	long := strings.Repeat("n", store.MaxNameBytes+1)
	refuse := func(what string, change func(*store.Snapshot)) {
		given := snapshot("bank-1", 2)
		change(&given)
		err := s.SaveSnapshot(f.ctx, given)
		if _, ok := as[*store.InvalidError](err); !ok || store.Retryable(err) {
			f.Errorf("SaveSnapshot with %s: %v, want an InvalidError", what, err)
		}
	}
	for _, name := range impossibleStreams() {
		refuse(fmt.Sprintf("stream %.20q", name), func(s *store.Snapshot) { s.Stream = name })
	}
	refuse("version 0", func(s *store.Snapshot) { s.Version = 0 })
	refuse("an expectation for a version", func(s *store.Snapshot) { s.Version = store.Any })
	for _, name := range []string{"", long, "a\x00", "a\xff"} {
		refuse(fmt.Sprintf("type %.20q", name), func(s *store.Snapshot) { s.Type = name })
		refuse(fmt.Sprintf("format %.20q", name), func(s *store.Snapshot) { s.Format = store.Format(name) })
	}
	refuse("a negative revision", func(s *store.Snapshot) { s.Revision = -1 })
	refuse("too high a revision", func(s *store.Snapshot) { s.Revision = 1 << 31 })
	refuse("year 10000", func(s *store.Snapshot) { s.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) })
	refuse("too much data", func(s *store.Snapshot) { s.Format, s.Data = store.Msgpack, make([]byte, store.MaxEventBytes+1) })
	for _, data := range []string{"", `{"a":`, "\"\xff\"", `{"a":"\u0000"}`} {
		refuse(fmt.Sprintf("JSON %q", data), func(s *store.Snapshot) { s.Data = []byte(data) })
		refuse(fmt.Sprintf("JSONB %q", data), func(s *store.Snapshot) { s.Format, s.Data = store.JSONB, []byte(data) })
	}
	for _, metadata := range []string{"{", "[1]", `{"a":"\u0000"}`} {
		refuse(fmt.Sprintf("metadata %q", metadata), func(s *store.Snapshot) { s.Metadata = store.Metadata(metadata) })
	}
	f.equal("version", store.Version(1), f.load(s, "bank-1").Version)
}

func snapshot(stream string, version store.Version) store.Snapshot {
	return store.Snapshot{
		Stream: stream, Version: version,
		Type: "bank.account", Revision: 1,
		Format: store.JSON, Data: fmt.Appendf(nil, `{"state":%d}`, int64(version)),
	}
}

func (f *fixture) save(s store.Snapshots, given store.Snapshot) {
	f.Helper()
	if err := s.SaveSnapshot(f.ctx, given); err != nil {
		f.Fatalf("SaveSnapshot of %s at version %s: %v", given.Stream, given.Version, err)
	}
}

func (f *fixture) load(s store.Snapshots, stream string) store.Snapshot {
	f.Helper()
	got, err := s.LoadSnapshot(f.ctx, stream)
	if err != nil {
		f.Fatalf("LoadSnapshot of %s: %v", stream, err)
	}
	f.equal("stream", stream, got.Stream)
	return got
}

func (f *fixture) noSnapshot(s store.Snapshots, stream string) {
	f.Helper()
	_, err := s.LoadSnapshot(f.ctx, stream)
	if e, ok := as[*store.SnapshotNotFoundError](err); !ok || e.Stream != stream || !errors.Is(err, store.ErrSnapshotNotFound) {
		f.Fatalf("LoadSnapshot of %s: %v, want a SnapshotNotFoundError", stream, err)
	}
}
