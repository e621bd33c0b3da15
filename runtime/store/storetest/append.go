package storetest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/esgen/esgen/runtime/store"
)

func appendCases() []contractCase {
	return []contractCase{
		{name: "case 01 the store is what it declares", run: declares},
		{name: "case 02 exact versions succeed one after the other", run: func(f *fixture) {
			f.append("bank-1", 0, event(1))
			f.append("bank-1", 1, event(2), event(3))
			a := f.append("bank-1", 3, event(4), event(5), event(6))
			f.equal("version", store.Version(6), a.Version)
			f.equal("events", upTo(6), carried(f.stream("bank-1")))
		}},
		{name: "case 03 any version succeeds without a check", run: func(f *fixture) {
			f.append("bank-1", store.Any, event(1))
			f.append("bank-1", store.Any, event(2), event(3))
			a := f.append("bank-1", store.Any, event(4))
			f.equal("version", store.Version(4), a.Version)
			f.equal("events", upTo(4), carried(f.stream("bank-1")))
		}},
		{name: "case 04 no stream on a new stream succeeds", run: func(f *fixture) {
			f.equal("version", store.Version(2), f.append("bank-1", store.NoStream, events(2)...).Version)
		}},
		{name: "case 05 no stream on an existing stream is a conflict", run: func(f *fixture) {
			f.append("bank-1", store.Any, events(2)...)
			err := f.conflict("bank-1", store.NoStream, 2)
			if !errors.Is(err, store.ErrStreamExists) {
				f.Errorf("%v is no ErrStreamExists", err)
			}
		}},
		{name: "case 06 stream exists on an existing stream succeeds", run: func(f *fixture) {
			f.append("bank-1", store.NoStream, event(1))
			f.equal("version", store.Version(2), f.append("bank-1", store.StreamExists, event(2)).Version)
		}},
		{name: "case 07 stream exists on a missing stream is a conflict", run: func(f *fixture) {
			err := f.conflict("bank-1", store.StreamExists, 0)
			if !errors.Is(err, store.ErrStreamNotFound) {
				f.Errorf("%v is no ErrStreamNotFound", err)
			}
			f.absent("bank-1")
		}},
		{name: "case 08 a version of a missing stream is a conflict", run: func(f *fixture) {
			_ = f.conflict("bank-1", 1, 0)
			f.absent("bank-1")
		}},
		{name: "case 09 every version but the actual one is a conflict", run: func(f *fixture) {
			f.append("bank-1", 0, events(3)...)
			for _, expected := range []store.Version{0, 1, 2, 4, 1 << 40} {
				_ = f.conflict("bank-1", expected, 3)
			}
			f.append("bank-1", 3, event(4))
			f.equal("events", upTo(4), carried(f.stream("bank-1")))
		}},
		{name: "append answers the versions and positions that are read", run: answersWhatIsRead},
		{name: "append takes 5000 events at once", run: func(f *fixture) {
			f.append("bank-0", store.Any, event(1))
			a := f.append("bank-1", 0, events(5000)...)
			f.equal("version", store.Version(5000), a.Version)
			read := f.stream("bank-1")
			f.equal("events", upTo(5000), carried(read))
			f.equal("positions", [2]store.Position{read[0].Position, read[4999].Position}, [2]store.Position{a.First, a.Last})
			f.equal("$all", 5001, len(f.all()))
		}},
		{name: "a refused append leaves the stream usable", run: func(f *fixture) {
			_ = f.conflict("bank-1", 7, 0)
			f.equal("version", store.Version(1), f.append("bank-1", 0, event(1)).Version)
		}},
		{name: "names are told apart by every byte", run: func(f *fixture) {
			names := []string{"bank-1", "Bank-1", "bank-1 ", "bank-01", "bänk-1", "ba\u0308nk-1", "bank", "bank-", "-1", `b%_\'"-1`, "bank-1-2"}
			for i, name := range names {
				f.append(name, store.NoStream, event(i+1))
			}
			for i, name := range names {
				read := f.stream(name)
				f.equal(fmt.Sprintf("events of %q", name), []int{i + 1}, carried(read))
				f.equal("name", name, read[0].Stream)
			}
		}},
	}
}

func declares(f *fixture) {
	if got := f.store.Capabilities(); got != f.setup.Declares {
		f.Errorf("the store declares %s, want %s", got, f.setup.Declares)
	}
	_, snapshots := f.store.(store.Snapshots)
	_, catalog := f.store.(store.Catalog)
	_, links := f.store.(store.Linker)
	_, deletes := f.store.(store.Deleter)
	for _, c := range []struct {
		name       string
		capability store.Capabilities
		implements bool
	}{
		{"Snapshots", store.KeepsSnapshots, snapshots},
		{"Catalog", store.KeepsCatalog, catalog},
		{"Linker", store.Links, links},
		{"Deleter", store.Deletes, deletes},
	} {
		if declared := f.setup.Declares.Has(c.capability); c.implements != declared {
			f.Errorf("the store implements %s: %t, declares it: %t", c.name, c.implements, declared)
		}
	}
	if f.setup.Declares.Has(store.Durable) && f.setup.Reopen == nil {
		f.Errorf("the store declares durable, but Setup.Reopen is nil: set it, so that the promise is tested")
	}
	if f.setup.Declares.Has(store.SeveralProcesses) && f.setup.Another == nil {
		f.Errorf("the store declares several processes, but Setup.Another is nil: set it, so that the promise is tested")
	}
	if f.store.Format() == "" {
		f.Errorf("the store has no format for new payloads")
	}
	f.equal("events of a new store", 0, len(f.all()))
}

// conflict appends two events with an expectation that does not hold, and
// checks that the error says so with the right numbers.
func (f *fixture) conflict(stream string, expected, actual store.Version) error {
	f.Helper()
	err := f.refuse(batch(stream, expected, event(98), event(99)))
	f.isConflict(err, "append to", stream, expected, actual)
	return err
}

func (f *fixture) isConflict(err error, op, stream string, expected, actual store.Version) {
	f.Helper()
	conflict, ok := as[*store.ConflictError](err)
	if !ok {
		f.Fatalf("%s %s at version %d, expecting %s: %v (%T), want a ConflictError", op, stream, int64(actual), expected, err, err)
	}
	f.equal("conflict", store.ConflictError{Op: conflict.Op, Stream: stream, Expected: expected, Actual: actual}, *conflict)
	f.attempted(err, op)
	if !errors.Is(err, store.ErrConflict) {
		f.Errorf("%v is no ErrConflict", err)
	}
	if store.Retryable(err) {
		f.Errorf("%v is retryable; a conflict is to be decided again", err)
	}
}

// attempted checks that err says what was attempted.
func (f *fixture) attempted(err error, op string) {
	f.Helper()
	if !strings.HasPrefix(err.Error(), op+" ") {
		f.Errorf("%q does not begin with what was attempted: %s", err, op)
	}
}

func answersWhatIsRead(f *fixture) {
	var last store.Position
	versions := map[string]store.Version{}
	for i, size := range []int{1, 3, 1, 50, 2} {
		stream := fmt.Sprintf("bank-%d", i%2)
		a := f.append(stream, versions[stream], events(size)...)
		if a.Duplicate {
			f.Errorf("append %d is called a duplicate: %+v", i, a)
		}
		f.equal("version", versions[stream]+store.Version(size), a.Version)
		if a.First <= last || a.Last < a.First {
			f.Errorf("append %d has positions %d to %d; the last before it is %d", i, a.First, a.Last, last)
		}
		if f.setup.Declares.Has(store.DenseOrder) {
			f.equal("first position", last+1, a.First)
			f.equal("last position", last+store.Position(size), a.Last)
		}
		last = a.Last
		read := f.read(store.Query{Stream: stream, FromVersion: versions[stream] + 1})
		f.equal("events read", size, len(read))
		f.equal("first position read", a.First, read[0].Position)
		f.equal("last position read", a.Last, read[size-1].Position)
		f.equal("last version read", a.Version, read[size-1].Version)
		f.equal("$all from there", read, f.read(store.Query{FromPosition: a.First}))
		versions[stream] = a.Version
	}
}

func as[E error](err error) (E, bool) { return errors.AsType[E](err) }
