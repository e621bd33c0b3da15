// Package measure runs operations in a closed loop and tells how fast they were.
package measure

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Op does one operation and returns how many events it moved.
type Op = func(context.Context) (events int, err error)

// Result is what a run of operations has come to.
type Result struct {
	Events, Ops int64
	Elapsed     time.Duration
	// Latency of operations, in nanoseconds.
	Latency *hdrhistogram.Histogram
	// Mallocs and Bytes are what this process allocated meanwhile.
	Mallocs, Bytes uint64
}

// longest is the latency that is still told apart, to three digits.
const longest = int64(10 * time.Minute)

func histogram() *hdrhistogram.Histogram { return hdrhistogram.New(1_000, longest, 3) }

// During runs all ops, each in a goroutine of its own that begins the next
// operation when the last has ended. It counts the operations that end within
// length, at the least the first one. The first error ends it.
func During(ctx context.Context, ops []Op, length time.Duration) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	end := time.Now().Add(length)
	parts := make([]Result, len(ops))
	var ended atomic.Bool
	var late time.Duration
	var workers sync.WaitGroup
	for i, op := range ops {
		workers.Go(func() {
			parts[i].Latency = histogram()
			ctx, rest := resting(ctx)
			for at := time.Now(); ; {
				events, err := op(ctx)
				now := time.Now()
				at = at.Add(rest.taken())
				if err != nil {
					cancel(err)
					return
				}
				// On a busy machine even the first may end too late; one there must be.
				if first := ended.CompareAndSwap(false, true); first || now.Before(end) {
					parts[i].add(events, now.Sub(at))
					if now.After(end) {
						late = now.Sub(end)
					}
				}
				if at = now; at.After(end) {
					return
				}
			}
		})
	}
	wait(ctx, end)
	runtime.ReadMemStats(&after)
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return Result{}, err
	}
	return merge(parts, length+late, before, after), nil
}

// Rounds runs all ops at once, each n times, and counts until the last has ended.
func Rounds(ctx context.Context, ops []Op, n int) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	runtime.GC()
	parts := make([]Result, len(ops))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	var workers sync.WaitGroup
	for i, op := range ops {
		workers.Go(func() {
			parts[i].Latency = histogram()
			ctx, rest := resting(ctx)
			for range n {
				at := time.Now()
				events, err := op(ctx)
				if err != nil {
					cancel(err)
					return
				}
				parts[i].add(events, time.Since(at)-rest.taken())
			}
		})
	}
	workers.Wait()
	elapsed := time.Since(begin)
	runtime.ReadMemStats(&after)
	if err := context.Cause(ctx); err != nil {
		return Result{}, err
	}
	return merge(parts, elapsed, before, after), nil
}

func (r *Result) add(events int, took time.Duration) {
	r.Events += int64(events)
	r.Ops++
	// Longer than the longest counts as that.
	_ = r.Latency.RecordValue(min(int64(took), longest))
}

func merge(parts []Result, elapsed time.Duration, before, after runtime.MemStats) Result {
	sum := Result{
		Elapsed: elapsed, Latency: histogram(),
		Mallocs: after.Mallocs - before.Mallocs, Bytes: after.TotalAlloc - before.TotalAlloc,
	}
	for _, p := range parts {
		sum.Events += p.Events
		sum.Ops += p.Ops
		sum.Latency.Merge(p.Latency)
	}
	return sum
}

// Join is the result of processes that ran at the same time.
func Join(parts ...Result) Result {
	sum := Result{Latency: histogram()}
	for _, p := range parts {
		sum.Events += p.Events
		sum.Ops += p.Ops
		sum.Mallocs += p.Mallocs
		sum.Bytes += p.Bytes
		sum.Elapsed = max(sum.Elapsed, p.Elapsed)
		sum.Latency.Merge(p.Latency)
	}
	return sum
}

// PerSecond is the rate of events.
func (r Result) PerSecond() float64 { return float64(r.Events) / r.Elapsed.Seconds() }

// Quantile returns the latency that q percent of the operations stay within, in
// microseconds.
func (r Result) Quantile(q float64) float64 {
	return float64(r.Latency.ValueAtPercentile(q)) / float64(time.Microsecond)
}

// Check is an error about a result that says nothing.
func (r Result) Check() error {
	if r.Events == 0 {
		return fmt.Errorf("no operation ended within %s", r.Elapsed)
	}
	return nil
}

func wait(ctx context.Context, until time.Time) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
