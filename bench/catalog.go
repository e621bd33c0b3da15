package main

import (
	"fmt"
	"slices"

	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/runtime/store"
)

// catalog is all that is measured, in this order. The quick rows come first.
func catalog() []bout { return slices.Concat(aimed, subscriptions(), shapes(), elixir()) }

// aimed are the rows that have something to reach.
var aimed = []bout{
	{names: []string{"append/batch100/w10"}, beside: []string{"append/batch100/w10/bytes"}, quick: true, atLeast: 0.7, run: batches(10)},
	{names: []string{"append/one/w10"}, beside: []string{"append/one/w10/ungrouped"}, quick: true, atLeast: 0.9, run: singles(10, result.PerSecond, true)},
	{names: []string{"append/one/w50"}, beside: []string{"append/one/w50/ungrouped"}, quick: true, atLeast: 1.6, run: singles(50, result.PerSecond, true)},
	{names: []string{"append/one/w200"}, beside: []string{"append/one/w200/ungrouped"}, quick: true, atLeast: 2.5, run: singles(200, result.PerSecond, true)},
	// A p50 of at most 1.5 of the limit's.
	{names: []string{"append/one/w1"}, quick: true, atLeast: 0.667, run: singles(1, result.P50, false)},
	{names: []string{"append/two/w25"}, quick: true, atLeast: 0.75, run: two},
	{names: []string{"read/stream100/r1", "read/stream100/r10"}, quick: true, atLeast: 0.8, run: streamReads("read/stream100", store.JSON, 1, 10)},
	{names: []string{"read/all/100k"}, quick: true, atLeast: 0.9, run: readAll("read/all/100k", 100_000)},
	{names: []string{"read/all/1m"}, atLeast: 0.9, run: readAll("read/all/1m", 1_000_000)},
	// A cost of at most 1.2 of that at 100 thousand events.
	{names: []string{"append/one/10m"}, beside: []string{"append/one/10m/v4"}, atLeast: 0.833, run: grown("append/one/10m", 10_000_000, 12)},
	{names: []string{"append/one/open-tx"}, atLeast: 0.8, run: openTx},
	{names: []string{"append/one/snapshot"}, atLeast: 0.9, run: snapshot},
}

// shapes are other ways to append and to read.
func shapes() []bout {
	all := make([]bout, 0, 32)
	all = append(all,
		bout{names: []string{"append/one/1m", "append/one/1m/v4"}, run: grown("append/one/1m", 1_000_000, 3)},
		bout{names: []string{"append/one/100k", "append/one/100k/v4"}, run: grown("append/one/100k", small, 3)},
	)
	for _, n := range []int{1, 10, 50} {
		all = append(all, bout{names: []string{fmt.Sprintf("append/tx/w%d", n)}, run: inTx(n)})
	}
	for _, n := range []int{1, 10, 50, 200} {
		all = append(all,
			bout{names: []string{fmt.Sprintf("append/existing/w%d", n)}, run: existing(n)},
			bout{names: []string{fmt.Sprintf("append/hot/w%d", n)}, run: hot(n)})
	}
	for _, f := range []store.Format{store.JSON, store.JSONB, store.Msgpack} {
		read := fmt.Sprintf("read/%s", f)
		all = append(all,
			bout{names: []string{fmt.Sprintf("append/%s/w10", f)}, run: formatted(f)},
			bout{names: []string{read + "/r1", read + "/r10"}, run: streamReads(read, f, 1, 10)})
	}
	return all
}

// elixir are the benchmarks of the Elixir EventStore, one to one.
func elixir() []bout {
	var all []bout
	counts := []int{1, 10, 20, 50}
	for _, c := range counts {
		all = append(all, bout{names: []string{fmt.Sprintf("elixir/append/c%d", c)}, run: elixirAppend(c)})
	}
	for _, c := range counts {
		all = append(all, bout{names: []string{fmt.Sprintf("elixir/read/c%d", c)}, run: elixirRead(c)})
	}
	for _, c := range counts {
		name := fmt.Sprintf("elixir/subscribe/c%d", c)
		all = append(all, bout{names: []string{name}, run: elixirSubscribe(name, c, 1)})
		if c == 1 {
			name += "/every100"
			all = append(all, bout{names: []string{name}, run: elixirSubscribe(name, c, 100)})
		}
	}
	return all
}
