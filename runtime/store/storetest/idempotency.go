package storetest

import (
	"errors"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func idempotencyCases() []contractCase {
	var made []contractCase
	for name, c := range map[string]struct {
		before   int // events in the stream beforehand
		expected store.Version
	}{
		"an exact version": {before: 3, expected: 3},
		"version 0":        {before: 0, expected: 0},
		"any version":      {before: 3, expected: store.Any},
		"a new stream":     {before: 0, expected: store.Any},
		"an existing one":  {before: 3, expected: store.StreamExists},
	} {
		made = append(made, contractCase{name: "a retry expecting " + name + " is a duplicate with the first numbers", run: func(f *fixture) {
			f.append("other-1", store.Any, events(2)...)
			if c.before > 0 {
				f.append("bank-1", 0, events(c.before)...)
			}
			given := identified(4)
			first := f.append("bank-1", c.expected, given...)
			if first.Duplicate {
				f.Errorf("the first append is called a duplicate: %+v", first)
			}
			want := first
			want.Duplicate = true
			f.retry(want, "bank-1", c.expected, given)
			f.append("bank-1", store.Any, events(2)...)
			f.append("other-1", store.Any, events(2)...)
			f.retry(want, "bank-1", c.expected, given)
			f.equal("events", c.before+4+2, len(f.stream("bank-1")))
		}})
	}
	return append(made,
		contractCase{name: "a retry of one event is a duplicate", run: func(f *fixture) {
			given := identified(1)
			want := f.append("bank-1", store.NoStream, given...)
			want.Duplicate = true
			f.retry(want, "bank-1", store.NoStream, given)
		}},
		contractCase{name: "a retry with other data keeps what was stored", run: func(f *fixture) {
			given := identified(1)
			want := f.append("bank-1", 0, given...)
			want.Duplicate = true
			changed := event(7)
			changed.ID = given[0].ID
			f.retry(want, "bank-1", 0, []store.Event{changed})
			f.equal("events", []int{1}, carried(f.stream("bank-1")))
		}},
		contractCase{name: "partly stored ids are an error", run: func(f *fixture) {
			given := identified(5)
			f.append("bank-1", 0, given[:3]...)
			for _, expected := range []store.Version{0, store.Any, store.StreamExists, 3, 1} {
				f.duplicate(batch("bank-1", expected, given...))
				f.duplicate(batch("bank-1", expected, given[2:]...))
			}
		}},
		contractCase{name: "ids stored at another place of the stream are an error", run: func(f *fixture) {
			given := identified(4)
			f.append("bank-1", 0, given...)
			f.duplicate(batch("bank-1", 4, given[0]))
			f.duplicate(batch("bank-1", 0, given[1]))
			f.duplicate(batch("bank-1", store.NoStream, given[1:]...))
			f.duplicate(batch("bank-1", store.Any, given[1], given[0]))
			f.duplicate(batch("bank-1", store.Any, given[0], given[2]))
			f.duplicate(batch("bank-1", 0, given[3], given[2], given[1], given[0]))
		}},
		contractCase{name: "ids stored in another stream are an error", run: func(f *fixture) {
			given := identified(2)
			f.append("bank-1", 0, given...)
			f.append("bank-2", 0, event(1))
			for _, stream := range []string{"bank-2", "bank-3"} {
				f.duplicate(batch(stream, store.Any, given...))
				f.duplicate(batch(stream, store.Any, event(9), given[1]))
			}
			f.duplicate(batch("bank-3", store.NoStream, given...))
			f.duplicate(batch("bank-2", 1, given...))
			f.duplicate(batch("bank-2", store.StreamExists, given...))
			f.absent("bank-3")
		}},
		contractCase{name: "a retry over several streams is a duplicate", needs: store.SeveralStreams, run: func(f *fixture) {
			given := identified(6)
			batches := []store.Batch{
				batch("bank-1", 0, given[:1]...), batch("card-1", store.Any, given[1:4]...), batch("bank-2", store.NoStream, given[4:]...),
			}
			want := f.appendAll(batches...)
			for i := range want {
				want[i].Duplicate = true
			}
			f.equal("retry", want, f.appendAll(batches...))
			f.append("card-1", store.Any, event(9))
			f.equal("late retry", want, f.appendAll(batches...))
			f.equal("$all", 7, len(f.all()))
		}},
		contractCase{name: "a retry over several streams that is partly stored is an error", needs: store.SeveralStreams, run: func(f *fixture) {
			given := identified(3)
			f.append("bank-1", 0, given[0])
			f.duplicate(batch("bank-1", 0, given[0]), batch("bank-2", 0, given[1:]...))
			f.duplicate(batch("bank-2", 0, given[1:]...), batch("bank-1", 0, given[0]))
			f.absent("bank-2")
		}},
		contractCase{name: "an id is free again after a refused append", run: func(f *fixture) {
			given := identified(2)
			f.isConflict(f.refuse(batch("bank-1", 5, given...)), "append to", "bank-1", 5, 0)
			a := f.append("bank-1", 0, given...)
			f.equal("duplicate", false, a.Duplicate)
		}},
	)
}

// identified are events that carry 1 to n and ids of their own.
func identified(n int) []store.Event {
	made := events(n)
	for i := range made {
		made[i].ID = uuid.Must(uuid.NewV7())
	}
	return made
}

func (f *fixture) retry(want store.Appended, stream string, expected store.Version, given []store.Event) {
	f.Helper()
	before := f.all()
	f.equal("retry", want, f.append(stream, expected, given...))
	f.equal("$all after the retry", before, f.all())
}

// duplicate appends what must be refused because an id is stored elsewhere, and
// checks that the error tells the truth about where.
func (f *fixture) duplicate(batches ...store.Batch) {
	f.Helper()
	err := f.refuse(batches...)
	d, ok := as[*store.DuplicateEventError](err)
	if !ok {
		f.Fatalf("Append(%s): %v (%T), want a DuplicateEventError", describe(batches), err, err)
	}
	if !errors.Is(err, store.ErrDuplicateEvent) || store.Retryable(err) {
		f.Errorf("%v is no ErrDuplicateEvent, or is retryable", err)
	}
	for _, b := range batches {
		for _, e := range b.Events {
			if e.ID == d.ID && b.Stream != d.Stream {
				f.Errorf("%v names the stream %s, want %s", err, d.Stream, b.Stream)
			}
		}
	}
	for _, r := range f.all() {
		if r.ID == d.ID {
			f.equal("stored place", [2]any{r.Stream, r.Version}, [2]any{d.StoredStream, d.StoredVersion})
			return
		}
	}
	f.Errorf("%v names an id that is not stored", err)
}
