package storetest

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/esgen/esgen/runtime/store"
)

func checkpointCases() []contractCase {
	return []contractCase{
		{name: "case 50 a checkpoint advances by one event", run: func(f *fixture) {
			f.append("bank-1", 0, events(3)...)
			f.checkpoint("balances", "all", 0)
			first := f.exactly(3, "bank-1")[0]
			f.advance("balances", 0, uint64(first.Position))
			f.equal("at", uint64(first.Position), f.checkpoint("balances", "all", 0).At)
		}},
		{name: "opening a checkpoint stores it once", run: func(f *fixture) {
			before := time.Now().Add(-time.Hour)
			first := f.checkpoint("balances", `{"category":"bänk"}`, 7)
			f.equal("name", "balances", first.Name)
			f.equal("settings", `{"category":"bänk"}`, first.Settings)
			f.equal("at", uint64(7), first.At)
			if first.Time.Before(before) {
				f.Errorf("time of the change is %s", first.Time)
			}
			again := f.checkpoint("balances", "others", 99)
			if !again.Time.Equal(first.Time) {
				f.Errorf("opening again moved the time from %s to %s", first.Time, again.Time)
			}
			again.Time = first.Time
			f.equal("opened again", first, again)
			f.equal("another one", uint64(3), f.checkpoint("Balances", "", 3).At)
		}},
		{name: "of concurrent opens of a checkpoint one stores", run: opensOnce},
		{name: "advancing a checkpoint moves it", run: func(f *fixture) {
			f.checkpoint("s", "all", 0)
			f.checkpoint("other", "all", 0)
			for _, move := range [][2]uint64{{0, 1}, {1, 5}, {5, 1 << 40}, {1 << 40, 1<<63 - 1}} {
				f.advance("s", move[0], move[1])
				f.equal("at", move[1], f.checkpoint("s", "all", 0).At)
			}
			f.equal("settings", "all", f.checkpoint("s", "", 0).Settings)
			f.equal("other", uint64(0), f.checkpoint("other", "all", 0).At)
		}},
		{name: "advancing again after a lost reply succeeds", run: func(f *fixture) {
			f.checkpoint("s", "all", 2)
			f.advance("s", 2, 6)
			f.advance("s", 2, 6)
			f.equal("at", uint64(6), f.checkpoint("s", "all", 0).At)
		}},
		{name: "advancing a checkpoint from where it is not is refused", run: func(f *fixture) {
			f.checkpoint("s", "all", 0)
			f.advance("s", 0, 10)
			for _, move := range [][2]uint64{{0, 5}, {0, 11}, {9, 12}, {11, 12}, {4, 6}} {
				err := f.store.Checkpoints().Advance(f.ctx, "s", move[0], move[1])
				moved, ok := as[*store.CheckpointError](err)
				if !ok {
					f.Fatalf("Advance from %d to %d at 10: %v (%T), want a CheckpointError", move[0], move[1], err, err)
				}
				f.equal("error", store.CheckpointError{Name: "s", From: move[0], To: move[1], Actual: 10}, *moved)
				if !errors.Is(err, store.ErrCheckpointMoved) || store.Retryable(err) {
					f.Errorf("%v is no ErrCheckpointMoved, or is retryable", err)
				}
			}
			f.equal("at", uint64(10), f.checkpoint("s", "all", 0).At)
		}},
		{name: "a checkpoint never goes back", run: func(f *fixture) {
			f.checkpoint("s", "all", 10)
			if err := f.store.Checkpoints().Advance(f.ctx, "s", 10, 4); err == nil {
				f.Errorf("Advance from 10 to 4 succeeded")
			}
			f.equal("at", uint64(10), f.checkpoint("s", "all", 0).At)
		}},
		{name: "advancing an unknown checkpoint is an error", run: func(f *fixture) {
			for _, move := range [][2]uint64{{0, 5}, {0, 0}} {
				err := f.store.Checkpoints().Advance(f.ctx, "nobody", move[0], move[1])
				missing, ok := as[*store.CheckpointError](err)
				if !ok {
					f.Fatalf("Advance of an unknown checkpoint to %d: %v (%T), want a CheckpointError", move[1], err, err)
				}
				f.equal("error", store.CheckpointError{Name: "nobody", From: move[0], To: move[1], Missing: true}, *missing)
			}
			f.equal("at", uint64(3), f.checkpoint("nobody", "all", 3).At)
		}},
		{name: "of concurrent advances to different places one succeeds", run: advancesOnce},
		{name: "checkpoint names are checked", run: func(f *fixture) {
			longest := strings.Repeat("n", store.MaxNameBytes)
			for _, name := range []string{"", "a\x00", "a\xff", longest + "n"} {
				if _, err := f.store.Checkpoints().Open(f.ctx, store.Checkpoint{Name: name}); !errors.Is(err, store.ErrInvalid) {
					f.Errorf("Open of %.20q: %v, want an InvalidError", name, err)
				}
			}
			f.equal("name", longest, f.checkpoint(longest, "", 0).Name)
			for _, name := range []string{"", "a\x00", "a\xff", longest + "n"} {
				if err := f.store.Checkpoints().Advance(f.ctx, name, 0, 1); !errors.Is(err, store.ErrInvalid) {
					f.Errorf("Advance of %.20q: %v, want an InvalidError", name, err)
				}
			}
		}},
		{name: "checkpoints that no store can keep are refused", run: func(f *fixture) {
			for _, c := range []store.Checkpoint{
				{Name: "s", Settings: "a\x00"}, {Name: "s", Settings: "a\xff"}, {Name: "s", At: 1 << 63}, {Name: "s", At: 1<<64 - 1},
			} {
				if got, err := f.store.Checkpoints().Open(f.ctx, c); !errors.Is(err, store.ErrInvalid) {
					f.Errorf("Open of %+v: %+v, %v, want an InvalidError", c, got, err)
				}
			}
			f.equal("at", uint64(5), f.checkpoint("s", "all", 5).At)
			for _, move := range [][2]uint64{{5, 1 << 63}, {5, 1<<64 - 1}, {1 << 63, 1 << 63}, {1 << 63, 5}, {5, 4}} {
				if err := f.store.Checkpoints().Advance(f.ctx, "s", move[0], move[1]); !errors.Is(err, store.ErrInvalid) {
					f.Errorf("Advance from %d to %d: %v, want an InvalidError", move[0], move[1], err)
				}
			}
			f.equal("at", uint64(5), f.checkpoint("s", "all", 0).At)
		}},
	}
}

func (f *fixture) checkpoint(name, settings string, at uint64) store.Checkpoint {
	f.Helper()
	c, err := f.store.Checkpoints().Open(f.ctx, store.Checkpoint{Name: name, Settings: settings, At: at})
	if err != nil {
		f.Fatalf("open checkpoint %s: %v", name, err)
	}
	return c
}

func (f *fixture) advance(name string, from, to uint64) {
	f.Helper()
	if err := f.store.Checkpoints().Advance(f.ctx, name, from, to); err != nil {
		f.Fatalf("advance checkpoint %s from %d to %d: %v", name, from, to, err)
	}
}

func opensOnce(f *fixture) {
	const openers = 16
	opened := make([]store.Checkpoint, openers)
	f.together(openers, func(i int) {
		var err error
		opened[i], err = f.store.Checkpoints().Open(f.ctx, store.Checkpoint{Name: "s", Settings: "all", At: uint64(i)})
		if err != nil {
			f.Errorf("opener %d: %v", i, err)
		}
	})
	stored := f.checkpoint("s", "none", 99)
	for i, c := range opened {
		if c.At != stored.At || c.Settings != "all" {
			f.Errorf("opener %d got %+v, stored is %+v", i, c, stored)
		}
	}
}

func advancesOnce(f *fixture) {
	const movers = 16
	f.checkpoint("s", "all", 0)
	var mu sync.Mutex
	var winners []uint64
	f.together(movers, func(i int) {
		to := uint64(i + 1)
		err := f.store.Checkpoints().Advance(f.ctx, "s", 0, to)
		if err == nil {
			mu.Lock()
			winners = append(winners, to)
			mu.Unlock()
		} else if !errors.Is(err, store.ErrCheckpointMoved) {
			f.Errorf("mover %d: %v", i, err)
		}
	})
	f.equal("winners", []uint64{f.checkpoint("s", "all", 0).At}, winners)
}

// together runs do(0) to do(n-1) at once and waits. do must not end the case.
func (f *fixture) together(n int, do func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	all.Wait()
}
