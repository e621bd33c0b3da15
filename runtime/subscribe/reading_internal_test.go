package subscribe

import (
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// The end of the log was found when there was no room for a page, so the driver was
// told of no poll. When there is room again it is woken, once: else it would sleep until
// a checkpoint or a renewal is due.
func TestTheNextPollIsPlannedWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{PageSize: 8, CheckpointAfter: time.Hour, PollInterval: time.Second}, manner{}, store.Lane{})
	b.begins(loads)
	b.m.hasLoaded(b.now, nil, nil)
	b.begins(reads)
	b.m.hasRead(b.now, []item{benchItem(1, "a"), benchItem(2, "a"), benchItem(3, "a"), benchItem(4, "a")}, false, nil)
	b.begins(reads)
	b.m.hasRead(b.now, []item{benchItem(5, "a"), benchItem(6, "a")}, true, nil)
	handle := func() bool {
		b.now = b.now.Add(time.Millisecond)
		for _, d := range b.pull(1) {
			b.m.acked(b.now, d.number, d.giving)
		}
		return b.m.pressing()
	}
	handle() // wakes it for the checkpoint
	if a := b.m.next(b.now); a.do != waits {
		t.Fatalf("it is to do %d", a.do)
	}
	if !handle() {
		t.Error("the driver is not woken when there is room")
	}
	if a := b.m.next(b.now); a.do == waits && a.wake.Sub(b.now) > time.Second {
		t.Errorf("the next poll is after %s", a.wake.Sub(b.now))
	}
	if handle() {
		t.Error("the driver is woken again for nothing")
	}
}
