package main

import (
	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/runtime/store"
)

// catalog is all that is measured.
var catalog = []bout{
	{names: []string{"append/batch100/w10"}, quick: true, atLeast: 0.7, run: batches(10)},
	{names: []string{"append/one/w10"}, quick: true, atLeast: 0.9, run: singles(10, result.PerSecond)},
	{names: []string{"append/one/w50"}, quick: true, atLeast: 1.6, run: singles(50, result.PerSecond)},
	{names: []string{"append/one/w200"}, quick: true, atLeast: 2.5, run: singles(200, result.PerSecond)},
	{names: []string{"append/one/w1"}, quick: true, atLeast: 0.67, run: singles(1, result.P50)},
	{names: []string{"append/two/w25"}, quick: true, atLeast: 0.75, run: two},
	{names: []string{"read/stream100/r1", "read/stream100/r10"}, quick: true, atLeast: 0.8, run: streamReads("read/stream100", store.JSON, 1, 10)},
	{names: []string{"read/all/100k"}, quick: true, atLeast: 0.9, run: readAll("read/all/100k", 100_000)},
	{names: []string{"read/all/1m"}, atLeast: 0.9, run: readAll("read/all/1m", 1_000_000)},
}
