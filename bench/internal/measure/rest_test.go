package measure_test

import (
	"context"
	"testing"
	"time"

	"github.com/esgen/esgen/bench/internal/measure"
)

// TestRestIsNoLatency: an operation that waits between two calls is as fast as one that
// does not, and as seldom as its pause says.
func TestRestIsNoLatency(t *testing.T) {
	t.Parallel()
	const pause = 50 * time.Millisecond
	op := func(ctx context.Context) (int, error) {
		measure.Rest(ctx, time.Now().Add(pause))
		return 1, nil
	}
	for name, run := range map[string]func() (measure.Result, error){
		"during": func() (measure.Result, error) { return measure.During(t.Context(), []measure.Op{op}, 4*pause) },
		"rounds": func() (measure.Result, error) { return measure.Rounds(t.Context(), []measure.Op{op}, 4) },
	} {
		r, err := run()
		if err != nil {
			t.Fatal(err)
		}
		if p50 := time.Duration(r.Quantile(50) * float64(time.Microsecond)); p50 >= pause/2 {
			t.Errorf("%s: p50 is %s with a pause of %s", name, p50, pause)
		}
		if rate := r.PerSecond(); rate > 1/pause.Seconds() {
			t.Errorf("%s: %.0f per second with a pause of %s", name, rate, pause)
		}
	}
}
