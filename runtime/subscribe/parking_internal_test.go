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
