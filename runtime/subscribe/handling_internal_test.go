package subscribe

import (
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// The lease passes while a handler works, so that its context ends, and is renewed
// before the handler returns: that it fails then counts as little as before.
func TestWhatFailsBecauseTheLeasePassedIsNoFailure(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]manner{"handler": {}, "batch": {batched: true}, "pull": {loose: true}} {
		for _, again := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, Config{Retry: Retry{Attempts: 1}, OnFailure: ThenSkip}, how, store.Lane{})
				b.begins(loads)
				row := store.Parked{Key: "a", At: 1, State: store.ParkedRetry, Attempts: 1}
				if again {
					b.m.last = 1
					b.m.hasLoaded(b.now, []store.Parked{row}, nil)
					b.begins(looks)
					b.m.hasLooked(b.now, []store.Parked{row}, &replay{row: row, r: benchEvent(1)}, nil)
				} else {
					b.m.hasLoaded(b.now, nil, nil)
					b.begins(reads)
					b.m.hasRead(b.now, []item{benchItem(1, "a"), benchItem(2, "a")}, true, nil)
				}
				ds := b.pull(2)
				b.now = b.now.Add(2 * time.Hour)
				b.begins(expires)
				b.m.hold(b.now.Add(time.Hour))
				if how.batched {
					b.m.batchNacked(b.now, ds, errAway)
				} else {
					b.m.nacked(b.now, ds[0].number, ds[0].giving, errAway)
				}
				if len(b.m.rows) > 0 || b.m.replay != nil || b.m.handlings.failures > 0 {
					t.Errorf("%d rows are to be stored, replay %v, %d failures", len(b.m.rows), b.m.replay, b.m.handlings.failures)
				}
				if again {
					return
				}
				if ds := b.pull(2); len(ds) == 0 || ds[0].r.Position != 1 || ds[0].attempt != 1 {
					t.Errorf("it does not come again as it was: %v", ds)
				}
			})
		}
	}
}
