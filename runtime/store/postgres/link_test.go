package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/esgen/esgen/internal/pgtest"
	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/postgres"
)

// TestALinkAndAnAppendThatCreateOneStream races the two for a name. Links do not take
// the head, so one may commit between an append's snapshot and its try-lock.
func TestALinkAndAnAppendThatCreateOneStream(t *testing.T) {
	t.Parallel()
	for _, events := range []int{1, 2} {
		s := openOn(t, pgtest.Pool(t), postgres.Config{Schema: pgtest.Schema(t), NoGroupCommit: true})
		e := event("x", `{}`)
		mustAppend(t, s, batch("origin-1", 0, e))
		var failed sync.Map
		var workers sync.WaitGroup
		for w := range 2 {
			workers.Go(func() {
				for i := range 1500 {
					name := fmt.Sprintf("list-%d-%d", w, i)
					var both sync.WaitGroup
					both.Go(func() {
						if _, err := s.Link(t.Context(), name, store.Any, e.ID); err != nil {
							failed.Store("link: "+err.Error(), true)
						}
					})
					both.Go(func() {
						b := batch(name, store.Any, event("x", `{}`))
						for range events - 1 {
							b.Events = append(b.Events, event("x", `{}`))
						}
						if _, err := s.Append(t.Context(), b); err != nil && !errors.Is(err, store.ErrConflict) {
							failed.Store("append: "+err.Error(), true)
						}
					})
					both.Wait()
				}
			})
		}
		workers.Wait()
		n := 0
		failed.Range(func(k, _ any) bool {
			if n++; n <= 3 {
				t.Errorf("%d events: %s", events, k)
			}
			return true
		})
		if n > 0 {
			t.Errorf("%d failures", n)
		}
	}
}
