package history_test

import (
	"context"
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/storetest/history"
)

// brokenDeleter is a memory store that forgets to delete softly, or to undo it.
type brokenDeleter struct {
	*memory.Store
	forgets string
}

func (b *brokenDeleter) Delete(ctx context.Context, stream string, expected store.Version, how store.Removal) error {
	if b.forgets == "delete" {
		return nil
	}
	return b.Store.Delete(ctx, stream, expected, how)
}

func (b *brokenDeleter) Undelete(ctx context.Context, stream string) error {
	if b.forgets == "undelete" {
		return nil
	}
	return b.Store.Undelete(ctx, stream)
}

func TestBrokenSoftDeletesAreFound(t *testing.T) {
	t.Parallel()
	for forgets, rule := range map[string]string{"delete": "answer", "undelete": "lost"} {
		t.Run(forgets, func(t *testing.T) {
			t.Parallel()
			b := &brokenDeleter{memory.New(memory.Config{}), forgets}
			r := prove(t, b, func(c *history.Config) { c.Pause, c.Ops = 3*time.Millisecond, 120 })
			if !r.Broken(rule) {
				t.Errorf("want a breach of %q, got %v", rule, r.Err())
			}
		})
	}
}
