package subscribe

import "time"

// setback counts the failures of one kind of work since it last succeeded.
type setback struct {
	failures int
	err      error
	// until is when to try again; zero when the work goes well.
	until time.Time
}

// backoff is a pause that doubles from first to longest.
type backoff struct{ first, longest time.Duration }

// after returns the pause after n failures, between a half and the whole of it.
// random is in [0, 1).
func (b backoff) after(n int, random float64) time.Duration {
	pause := b.longest
	if doublings := n - 1; doublings < 32 && b.first < b.longest>>doublings {
		pause = b.first << doublings
	}
	return pause - time.Duration(random*float64(pause)/2)
}

func (s *setback) fail(now time.Time, err error, b backoff, random float64) {
	s.failures++
	s.err = err
	s.until = now.Add(b.after(s.failures, random))
}

func (s *setback) clear() { *s = setback{} }

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
