package storetest

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/esgen/esgen/runtime/store"
)

// early hides events for a while after their positions are given: what becomes
// of a store that gives positions before the commit.
func early(b *broken) {
	var mu sync.Mutex
	uncommitted := map[uuid.UUID]bool{}
	b.append = func(ctx context.Context, batches []store.Batch) ([]store.Appended, error) {
		batches, err := store.Prepare(ctx, time.Now(), batches)
		if err != nil {
			return nil, err
		}
		mark := func(open bool) {
			mu.Lock()
			defer mu.Unlock()
			for _, batch := range batches {
				for _, e := range batch.Events {
					if open {
						uncommitted[e.ID] = true
					} else {
						delete(uncommitted, e.ID)
					}
				}
			}
		}
		if batches[0].Events[0].ID[15]%4 == 0 { // one of four is slow to commit
			mark(true)
			defer mark(false)
		}
		appended, err := b.Store.Append(ctx, batches...)
		for range 200 {
			runtime.Gosched()
		}
		return appended, err
	}
	b.changed(func(_ store.Query, r *store.Recorded) bool {
		mu.Lock()
		defer mu.Unlock()
		return !uncommitted[r.ID]
	})
}
