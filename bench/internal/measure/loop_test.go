package measure_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/esgen/esgen/bench/internal/measure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDuringCountsWhatEndsInTime(t *testing.T) {
	t.Parallel()
	const length = 50 * time.Millisecond
	release := make(chan struct{})
	var calls atomic.Int64
	// One worker moves three events per call, the other's only call ends too late.
	quick := func(context.Context) (int, error) { calls.Add(1); return 3, nil }
	late := func(context.Context) (int, error) { <-release; return 1000, nil }
	timer := time.AfterFunc(4*length, func() { close(release) })
	defer timer.Stop()
	r, err := measure.During(t.Context(), []measure.Op{quick, late}, length)
	if err != nil {
		t.Fatal(err)
	}
	if r.Ops == 0 || r.Events != 3*r.Ops || r.Ops > calls.Load() || r.Ops < calls.Load()-1 || r.Elapsed != length {
		t.Errorf("%d events in %d operations of %d calls in %s", r.Events, r.Ops, calls.Load(), r.Elapsed)
	}
	if r.Latency.TotalCount() != r.Ops {
		t.Errorf("%d latencies of %d operations", r.Latency.TotalCount(), r.Ops)
	}
}

// A turn that no operation fits in is as long as the first one.
func TestDuringWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	slow := func(context.Context) (int, error) {
		timer := time.NewTimer(20 * time.Millisecond)
		<-timer.C
		return 7, nil
	}
	r, err := measure.During(t.Context(), []measure.Op{slow, slow, slow}, time.Millisecond)
	if err != nil || r.Ops != 1 || r.Events != 7 || r.Elapsed < 20*time.Millisecond {
		t.Errorf("%d events in %d operations in %s, %v", r.Events, r.Ops, r.Elapsed, err)
	}
}

func TestFirstErrorEndsAll(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	waits := func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
	fails := func(context.Context) (int, error) { return 0, broken }
	if _, err := measure.During(t.Context(), []measure.Op{waits, fails}, time.Hour); !errors.Is(err, broken) {
		t.Errorf("During: %v", err)
	}
	if _, err := measure.Rounds(t.Context(), []measure.Op{waits, fails}, 5); !errors.Is(err, broken) {
		t.Errorf("Rounds: %v", err)
	}
}

func TestResultWithoutOperationsIsAnError(t *testing.T) {
	t.Parallel()
	r, err := measure.Rounds(t.Context(), nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.Check() == nil {
		t.Error("no error")
	}
}

func TestQuantilesAreInMicroseconds(t *testing.T) {
	t.Parallel()
	var r measure.Result
	r = measure.Join(r.With(time.Millisecond), r.With(3*time.Millisecond))
	for q, want := range map[float64]float64{50: 1000, 99: 3000} {
		if got := r.Quantile(q); got < 0.999*want || got > 1.001*want {
			t.Errorf("p%v is %v, want %v", q, got, want)
		}
	}
}

// The rule of growth, step by step.
func TestGrowRunsUntilOneRunIsLong(t *testing.T) {
	t.Parallel()
	var runs []int
	took := time.Millisecond
	r, err := measure.GrowBy(func(n int) (measure.Result, error) {
		runs = append(runs, n)
		return measure.Result{Elapsed: time.Duration(n) * took}, nil
	}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	// 1.5 times a thousand is beyond ten times as often until 100 has run.
	want := []int{1, 10, 100, 1000}
	if len(runs) != len(want) || runs[1] != 10 || runs[2] != 100 || runs[3] != 1000 || r.Elapsed != time.Second {
		t.Errorf("ran %v, want %v; %s", runs, want, r.Elapsed)
	}
	runs, took = nil, 40*time.Millisecond
	if _, err := measure.GrowBy(func(n int) (measure.Result, error) {
		runs = append(runs, n)
		return measure.Result{Elapsed: time.Duration(n) * took}, nil
	}, time.Second); err != nil {
		t.Fatal(err)
	}
	// 25 fit; 1.5 times that, 37, is rounded up to 50.
	if len(runs) != 3 || runs[1] != 10 || runs[2] != 50 {
		t.Errorf("ran %v, want 1 10 50", runs)
	}
}
