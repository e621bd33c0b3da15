package storetest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/esgen/esgen/runtime/store"
)

func severalCases() []contractCase {
	return []contractCase{
		{name: "one append to two streams is stored whole or refused whole", run: func(f *fixture) {
			batches := []store.Batch{batch("bank-1", store.NoStream, event(1)), batch("card-1", store.Any, event(2))}
			if f.setup.Declares.Has(store.SeveralStreams) {
				f.appendAll(batches...)
				return
			}
			err := f.refuse(batches...)
			if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), store.SeveralStreams.String()) {
				f.Errorf("%v (%T), want an InvalidError that names the capability %q", err, err, store.SeveralStreams)
			}
		}},
		{name: "several streams are appended to at once", needs: store.SeveralStreams, run: func(f *fixture) {
			f.append("bank-1", 0, events(2)...)
			appended := f.appendAll(
				batch("card-1", store.NoStream, events(3)...),
				batch("bank-1", 2, event(3)),
				batch("bank-2", store.Any, events(2)...),
			)
			var last store.Position
			for i, want := range []store.Version{3, 3, 2} {
				a := appended[i]
				f.equal("version of "+a.Stream, want, a.Version)
				read := f.stream(a.Stream)
				f.equal("events of "+a.Stream, upTo(int(want)), carried(read))
				f.equal("last position", read[len(read)-1].Position, a.Last)
				if a.First <= last {
					f.Errorf("batch %d has positions %d to %d, the one before it ends at %d", i, a.First, a.Last, last)
				}
				last = a.Last
			}
			f.equal("$all", 8, len(f.all()))
		}},
		{name: "a conflict in one of several streams stores nothing anywhere", needs: store.SeveralStreams, run: func(f *fixture) {
			f.append("bank-1", 0, events(2)...)
			good := []store.Batch{
				batch("bank-1", 2, event(3)), batch("bank-2", store.NoStream, event(1)), batch("bank-3", store.Any, event(1)),
			}
			for at := range len(good) + 1 {
				for _, expected := range []store.Version{5, store.StreamExists} {
					batches := append(append(append([]store.Batch{}, good[:at]...), batch("card-1", expected, event(1))), good[at:]...)
					f.isConflict(f.refuse(batches...), "append to", "card-1", expected, 0)
				}
			}
			for _, stream := range []string{"bank-2", "bank-3", "card-1"} {
				f.absent(stream)
			}
			f.appendAll(good...)
		}},
		{name: "an append over 200 streams is one append", needs: store.SeveralStreams, run: func(f *fixture) {
			batches := make([]store.Batch, 0, 200)
			for i := range 200 {
				batches = append(batches, batch(fmt.Sprintf("bank-%d", i), store.NoStream, events(2)...))
			}
			appended := f.appendAll(batches...)
			f.equal("$all", 400, len(f.all()))
			f.equal("last", f.exactly(2, "bank-199")[1].Position, appended[199].Last)
			batches[199].Stream = "bank-new"
			if err := f.refuse(batches...); !errors.Is(err, store.ErrStreamExists) {
				f.Errorf("%v is no ErrStreamExists", err)
			}
		}},
	}
}
