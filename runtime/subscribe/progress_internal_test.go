package subscribe

import (
	"math"
	"testing"
	"time"
)

func TestPaceIsMeasured(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		at, head func(second uint64) uint64
		seconds  uint64
		rate     float64
		left     time.Duration
	}{
		"one look":             {at: constant(0), head: constant(100), rate: 0, left: -1},
		"catches up":           {at: times(10), head: constant(1000), seconds: 10, rate: 10, left: 90 * time.Second},
		"while others append":  {at: times(10), head: func(s uint64) uint64 { return 1000 + 5*s }, seconds: 10, rate: 10, left: 190 * time.Second},
		"others are faster":    {at: times(10), head: func(s uint64) uint64 { return 1000 + 50*s }, seconds: 10, rate: 10, left: -1},
		"stands":               {at: constant(5), head: constant(1000), seconds: 10, rate: 0, left: -1},
		"is there":             {at: constant(100), head: constant(100), seconds: 10, rate: 0, left: 0},
		"was faster long ago":  {at: func(s uint64) uint64 { return 1000*min(s, 20) + s }, head: constant(100_000), seconds: 60, rate: 1, left: 79940 * time.Second},
		"was reset under way":  {at: func(s uint64) uint64 { return (s * 10) % 100 }, head: constant(1000), seconds: 15, rate: 10, left: 95 * time.Second},
		"takes for ever":       {at: func(s uint64) uint64 { return s / 30 }, head: constant(math.MaxInt64), seconds: 30, rate: 1. / 30, left: math.MaxInt64 / 2},
		"head falls (deleted)": {at: constant(5), head: func(s uint64) uint64 { return 1000 - s*10 }, seconds: 10, rate: 0, left: 89500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p pace
			var i Info
			for s := range test.seconds + 1 {
				i = Info{At: test.at(s), Head: test.head(s)}
				i.Behind = i.Head - i.At
				p.add(&i, now.Add(time.Duration(s)*time.Second))
			}
			if math.Abs(i.Rate-test.rate) > 1e-9 || (i.Left-test.left).Abs() > time.Millisecond {
				t.Errorf("%v/s, %v left, want %v/s, %v", i.Rate, i.Left, test.rate, test.left)
			}
			if len(p.samples) > 31 {
				t.Errorf("it remembers %d looks", len(p.samples))
			}
		})
	}
}

func constant(n uint64) func(uint64) uint64 { return func(uint64) uint64 { return n } }
func times(n uint64) func(uint64) uint64    { return func(s uint64) uint64 { return n * s } }
