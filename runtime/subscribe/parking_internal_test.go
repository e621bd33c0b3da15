package subscribe

import (
	"testing"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

// bench is a machine with a clock, and events of key "a" to feed it with.
type bench struct {
	t   *testing.T
	m   *machine
	now time.Time
}

func newBench(t *testing.T, c Config, how manner, lane store.Lane) *bench {
	t.Helper()
	c, err := c.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t, newMachine("bench", lane, c, how, func() float64 { return 0.5 }), time.Unix(1_000_000_000, 0)}
	b.m.hold(b.now.Add(time.Hour))
	return b
}

// begins asks the machine until it begins an action of the kind, and returns it.
func (b *bench) begins(do doing) action {
	b.t.Helper()
	for range 100 {
		switch a := b.m.next(b.now); a.do {
		case do:
			return a
		case waits:
			if a.wake.IsZero() {
				b.t.Fatalf("action %d is never begun", do)
			}
			b.now = latest(b.now, a.wake)
		default:
		}
	}
	b.t.Fatalf("action %d is not begun", do)
	return action{}
}

func (b *bench) pull(most int) []delivery {
	ds, _ := b.m.pull(b.now, most, nil)
	return ds
}

func benchEvent(at uint64) *store.Recorded {
	return &store.Recorded{Position: store.Position(at), Stream: "bench-1", Version: store.Version(at), Type: "happened"}
}

func benchItem(at uint64, key string) item {
	return item{r: benchEvent(at), place: at, key: key, mine: true}
}

// A process died after an event was parked and before its checkpoint passed it.
// Somebody asks for it to be tried again: it is not handled as a parked one and then,
// when the lane comes to it, as one that is not parked.
func TestAParkedEventBeyondTheCheckpointIsHandledOnce(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]manner{"transaction": {batched: true, moves: true}, "handler": {}, "pull": {loose: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, Config{Batch: Batch{Size: 1}}, how, store.Lane{})
			row := store.Parked{Key: "b", At: 2, Position: 2, State: store.ParkedRetry, Attempts: 1}
			there := []store.Parked{row}
			handled := map[store.Position]int{}
			handle := func() {
				for range 10 {
					for _, d := range b.pull(1) {
						handled[d.r.Position]++
						if how.moves {
							_, to := b.m.move()
							b.m.committed(b.now, []delivery{d}, to)
						} else {
							b.m.acked(b.now, d.number, d.giving)
						}
						if d.number == replayed {
							b.begins(settles)
							there = nil
							b.m.hasSettled(b.now, nil)
						}
					}
				}
			}
			look := func() {
				b.begins(looks)
				if there == nil {
					b.m.hasLooked(b.now, nil, nil, nil)
					return
				}
				b.m.hasLooked(b.now, there, &replay{row: row, r: benchEvent(2)}, nil)
			}
			b.begins(loads)
			b.m.hasLoaded(b.now, there, nil)
			look()
			handle()
			if there == nil {
				look()
			}
			b.begins(reads)
			b.m.hasRead(b.now, []item{benchItem(1, "a"), benchItem(2, "b"), benchItem(3, "a")}, true, nil)
			handle()
			for at := store.Position(1); at <= 3; at++ {
				if handled[at] != 1 {
					t.Errorf("event %d was handled %d times", at, handled[at])
				}
			}
		})
	}
}

// Looking for parked events to try again fails: somebody learns of it.
func TestALookThatFailsIsTold(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{}, manner{}, store.Lane{})
	b.begins(loads)
	b.m.hasLoaded(b.now, []store.Parked{{Key: "a", At: 1}}, nil)
	b.begins(looks)
	b.m.hasLooked(b.now, nil, nil, errAway)
	if got := b.m.troubled(); got != errAway.Error() {
		t.Errorf("the trouble is %q", got)
	}
	since := b.now
	b.begins(looks)
	if b.now.Sub(since) < lookPause/2 {
		t.Errorf("it looks again after %s", b.now.Sub(since))
	}
	b.m.hasLooked(b.now, nil, nil, nil)
	if got := b.m.troubled(); got != "" {
		t.Errorf("the trouble is still %q", got)
	}
}

// A transaction is fenced, and while the lane asks where its checkpoint is, nothing
// else moves that.
func TestNothingIsSavedWhileTheCheckpointIsLookedUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Batch: Batch{Size: 1}}, manner{batched: true, moves: true}, store.Lane{})
	b.begins(loads)
	b.m.hasLoaded(b.now, nil, nil)
	b.begins(reads)
	other := benchItem(1, "b")
	other.mine = false
	b.m.hasRead(b.now, []item{other, benchItem(2, "a"), benchItem(3, "a")}, true, nil)
	ds := b.pull(1)
	b.m.uncommitted(b.now, ds, store.ErrFenced)
	b.now = b.now.Add(time.Minute)
	for range 10 {
		if a := b.m.next(b.now); a.do == saves {
			t.Fatal("it stores a checkpoint")
		}
	}
	b.m.placed(b.now, 2)
	if ds := b.pull(1); len(ds) != 1 || ds[0].r.Position != 3 || b.m.stored != 2 {
		t.Errorf("it goes on with %v, the checkpoint is %d", ds, b.m.stored)
	}
}

// A parked event that goes on failing waits to be tried again: those of other keys are
// tried meanwhile, and it is when it is due.
func TestAReplayThatWaitsGivesWay(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Retry: Retry{Attempts: -1}}, manner{}, store.Lane{At: 9})
	rows := []store.Parked{}
	for at, key := range []string{"a", "b"} {
		rows = append(rows, store.Parked{Key: key, At: uint64(at) + 1, Position: store.Position(at) + 1, State: store.ParkedRetry, Attempts: 1})
	}
	look := func() {
		a := b.begins(looks)
		for _, row := range rows {
			if !a.but[row.Key] {
				b.m.hasLooked(b.now, rows, &replay{row: row, r: benchEvent(row.At)}, nil)
				return
			}
		}
		b.m.hasLooked(b.now, rows, nil, nil)
	}
	given := func(key string, attempt int) delivery {
		t.Helper()
		ds := b.pull(1)
		if len(ds) != 1 || ds[0].key != key || ds[0].attempt != attempt {
			t.Fatalf("given is %+v, want key %s for the %d. time", ds, key, attempt)
		}
		return ds[0]
	}
	b.begins(loads)
	b.m.hasLoaded(b.now, rows, nil)
	look()
	first := given("a", 2)
	b.m.nacked(b.now, first.number, first.giving, RetryAfter(time.Minute, errAway))
	began := b.now
	look()
	d := given("b", 2)
	if b.now.Sub(began) > 2*lookPause {
		t.Errorf("the other key waits %s", b.now.Sub(began))
	}
	if b.m.acked(b.now, first.number, first.giving) {
		t.Error("an answer for one key counts for another")
	}
	b.m.acked(b.now, d.number, d.giving)
	b.begins(settles)
	b.m.hasSettled(b.now, nil)
	rows = rows[:1]
	look()
	if ds := b.pull(1); len(ds) > 0 {
		t.Errorf("it is tried again after %s", b.now.Sub(began))
	}
	b.now = began.Add(time.Minute)
	given("a", 3)
}
