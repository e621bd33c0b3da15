package store_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/esgen/esgen/runtime/store"
)

// The rules that all stores keep are in storetest, which runs over these by way
// of the memory store. Here is what only these do: saving.
func TestKeptCheckpointsAreSavedBeforeTheyChange(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	full := errors.New("disk full")
	var saved map[string]store.Checkpoint
	var fails error
	saves := 0
	begun := map[string]store.Checkpoint{"old": {Name: "old", Settings: "all", At: 7}}
	kept := store.KeepCheckpoints(maps.Clone(begun), func() time.Time { return noon }, func(all map[string]store.Checkpoint) error {
		saves++
		if fails == nil {
			saved = maps.Clone(all)
		}
		return fails
	})
	time := noon.UTC().Truncate(time.Microsecond)

	fails = full
	if c, err := kept.Open(ctx, store.Checkpoint{Name: "new", At: 3}); !errors.Is(err, full) {
		t.Errorf("Open that could not be saved: %+v, %v", c, err)
	}
	if err := kept.Advance(ctx, "old", 7, 9); !errors.Is(err, full) {
		t.Errorf("Advance that could not be saved: %v", err)
	}
	fails = nil
	if c, err := kept.Open(ctx, store.Checkpoint{Name: "old"}); err != nil || c != begun["old"] {
		t.Errorf("after a save that failed: %+v, %v, want %+v", c, err, begun["old"])
	}

	if c, err := kept.Open(ctx, store.Checkpoint{Name: "new", At: 4}); err != nil || c.At != 4 || c.Time != time {
		t.Errorf("Open: %+v, %v, want 4 at %s: what could not be saved was not kept", c, err, time)
	}
	if err := kept.Advance(ctx, "old", 7, 9); err != nil {
		t.Error(err)
	}
	want := map[string]store.Checkpoint{
		"old": {Name: "old", Settings: "all", At: 9, Time: time},
		"new": {Name: "new", At: 4, Time: time},
	}
	if diff := cmp.Diff(want, saved); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}

	before := saves
	if err := kept.Advance(ctx, "old", 7, 9); err != nil {
		t.Errorf("Advance again: %v", err)
	}
	for _, move := range [][2]uint64{{7, 8}, {9, 3}, {8, 10}} {
		if err := kept.Advance(ctx, "old", move[0], move[1]); err == nil {
			t.Errorf("Advance from %d to %d at 9 succeeded", move[0], move[1])
		}
	}
	if saves != before {
		t.Errorf("%d saves of what did not change", saves-before)
	}
}

func TestKeptCheckpointsBeginWithNone(t *testing.T) {
	t.Parallel()
	kept := store.KeepCheckpoints(nil, time.Now, nil)
	if c, err := kept.Open(t.Context(), store.Checkpoint{Name: "s", At: 3}); err != nil || c.At != 3 {
		t.Errorf("Open: %+v, %v, want it at 3", c, err)
	}
}
