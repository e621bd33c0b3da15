package measure

import "time"

// GrowBy is Grow with another way to run.
var GrowBy = growBy

// With returns a result of one operation that took so long.
func (Result) With(took time.Duration) Result {
	r := Result{Latency: histogram()}
	r.add(1, took)
	return r
}
