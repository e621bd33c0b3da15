package main

import (
	"github.com/esgen/esgen/bench/internal/result"
)

// catalog is all that is measured.
var catalog = []bout{
	{names: []string{"append/batch100/w10"}, quick: true, atLeast: 0.7, run: batches(10)},
	{names: []string{"append/one/w10"}, quick: true, atLeast: 0.9, run: singles(10, result.PerSecond)},
	{names: []string{"append/one/w50"}, quick: true, atLeast: 1.6, run: singles(50, result.PerSecond)},
	{names: []string{"append/one/w200"}, quick: true, atLeast: 2.5, run: singles(200, result.PerSecond)},
	{names: []string{"append/one/w1"}, quick: true, atLeast: 0.67, run: singles(1, result.P50)},
}
