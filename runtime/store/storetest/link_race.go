package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

func linkRaceCases() []contractCase {
	return []contractCase{
		{name: "of links that expect the same version one succeeds", needs: store.Links, run: func(f *fixture) {
			oneLinker(f, f.store)
		}},
		{name: "of links in two processes that expect the same version one succeeds", needs: store.Links | store.SeveralProcesses, run: func(f *fixture) {
			oneLinker(f, f.store, f.another().store)
		}},
		{name: "of concurrent links of one event one succeeds", needs: store.Links, run: func(f *fixture) {
			ids := f.appended("bank-1", 1)
			for round := range 10 {
				stream := fmt.Sprintf("list-%d", round)
				errs := make([]error, 8)
				f.together(len(errs), func(i int) {
					_, errs[i] = f.linker().Link(f.ctx, stream, store.Any, ids...)
				})
				won := 0
				for i, err := range errs {
					if err == nil {
						won++
					} else if !errors.Is(err, store.ErrDuplicateEvent) {
						f.Fatalf("link %d: %v, want a DuplicateEventError", i, err)
					}
				}
				f.equal("links that succeeded", 1, won)
				f.exactly(1, stream)
			}
		}},
		{name: "links and appends that create the same stream all succeed", needs: store.Links, run: linksCreate},
	}
}

// oneLinker lets many links expect the same version, round after round.
func oneLinker(f *fixture, handles ...store.Store) {
	const rounds, rivals = 8, 12
	ids := f.appended("bank-1", rounds*rivals*2)
	var version store.Version
	for range rounds {
		batches := make([][]uuid.UUID, rivals)
		for i := range batches {
			batches[i], ids = ids[:1+i%2], ids[1+i%2:]
		}
		var mu sync.Mutex
		winner, winners := store.Appended{}, 0
		errs := make([]error, rivals)
		f.together(rivals, func(i int) {
			linker, ok := handles[i%len(handles)].(store.Linker)
			if !ok {
				f.Errorf("%T does not implement Linker", handles[i%len(handles)])
				return
			}
			linked, err := linker.Link(f.ctx, "list-1", version, batches[i]...)
			if errs[i] = err; err == nil {
				mu.Lock()
				defer mu.Unlock()
				winners++
				winner = linked
			}
		})
		if winners != 1 {
			f.Fatalf("%d of %d links that expect version %d succeeded, want 1; errors: %v", winners, rivals, int64(version), errors.Join(errs...))
		}
		for _, err := range errs {
			if err != nil {
				f.isConflict(err, "link to", "list-1", version, winner.Version)
			}
		}
		version = winner.Version
		f.exactly(int(version), "list-1")
	}
}

func linksCreate(f *fixture) {
	ids := f.appended("bank-1", 8)
	for round := range 10 {
		stream := fmt.Sprintf("list-%d", round)
		given := make([]store.Version, 2*len(ids))
		f.together(len(given), func(i int) {
			var a store.Appended
			var err error
			if (i+round)%2 == 0 { // each kind comes first now and then
				a, err = f.linker().Link(f.ctx, stream, store.Any, ids[i/2])
			} else {
				a, err = appendOne(f.ctx, f.store, batch(stream, store.Any, event(i)))
			}
			if given[i] = a.Version; err != nil {
				f.Errorf("link or append %d to the new stream %s: %v", i, stream, err)
			}
		})
		slices.Sort(given)
		f.equal("versions given", given, versions(f.exactly(len(given), stream)))
		f.equal("the first", store.Version(1), given[0])
	}
}
