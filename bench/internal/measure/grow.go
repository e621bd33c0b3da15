package measure

import (
	"context"
	"time"
)

// Grow runs op once, then more and more often, until one run of it lasts as long as
// asked; that run is the result. It is the rule of the benchmarks that the Elixir
// EventStore ships with: 1.5 times what the last run promises, at most 10 times as
// often as before, rounded up to 1, 2 or 5 times a power of ten.
func Grow(ctx context.Context, op Op, length time.Duration) (Result, error) {
	return growBy(func(n int) (Result, error) { return Rounds(ctx, []Op{op}, n) }, length)
}

func growBy(run func(n int) (Result, error), length time.Duration) (Result, error) {
	for n := 1; ; {
		r, err := run(n)
		if err != nil || r.Elapsed >= length {
			return r, err
		}
		n = more(n, r.Elapsed, length)
	}
}

// more is how often to run what took elapsed for n times.
func more(n int, elapsed, length time.Duration) int {
	wanted := 1.5 * float64(n) * float64(length) / float64(max(elapsed, 1))
	return roundUp(max(n+1, int(min(wanted, 10*float64(n)))))
}

// roundUp returns the next 1, 2 or 5 times a power of ten.
func roundUp(n int) int {
	for base := 1; ; base *= 10 {
		for _, times := range []int{1, 2, 5} {
			if times*base >= n {
				return times * base
			}
		}
	}
}
