package main

import (
	"context"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/esgen/esgen/bench/internal/measure"
	"github.com/esgen/esgen/bench/internal/result"
)

// two is append/two/w25: two processes of 25 writers, and in turns with them one
// process of 50.
func two(ctx context.Context, b *bench) ([]result.Row, error) {
	st, err := b.stage(ctx, settings{})
	if err != nil {
		return nil, err
	}
	defer st.close(ctx)
	var workers []*worker
	for range 2 {
		w, err := st.worker(ctx)
		if err != nil {
			return nil, err
		}
		defer w.close()
		workers = append(workers, w)
	}
	// The share of the process that got less, of the half that it should get.
	var shares []float64
	both := side{name: "append/two/w25", run: func(_ context.Context, length time.Duration) (measure.Result, error) {
		results := make([]measure.Result, len(workers))
		var g errgroup.Group
		for i, w := range workers {
			g.Go(func() (err error) {
				results[i], err = w.run(order{Writers: 25, Length: length})
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return measure.Result{}, err
		}
		a, b := results[0].PerSecond(), results[1].PerSecond()
		if length == st.plan.length {
			shares = append(shares, min(a, b)/((a+b)/2))
		}
		return measure.Join(results...), nil
	}}
	one := side{name: "one process with 50 writers", run: func(_ context.Context, length time.Duration) (measure.Result, error) {
		return workers[0].run(order{Writers: 50, Length: length})
	}}
	rows, err := st.duel(ctx, result.PerSecond, []side{both}, one)
	if err != nil {
		return nil, err
	}
	rows[0].More = map[string]float64{"smaller_share": round(result.Median(shares))}
	return rows, nil
}

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }
