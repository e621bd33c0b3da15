package history_test

import (
	"context"
	"fmt"
	"os"

	"github.com/esgen/esgen/runtime/store/memory"
	"github.com/esgen/esgen/runtime/store/storetest/history"
)

// A store in one process: eight writers do fifty things each, and what is stored
// in the end is held against what they were told. A store that outlives processes
// is proved by several that call Run with one Dir, some of which are killed.
func Example() {
	dir, err := os.MkdirTemp("", "history")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx := context.Background()
	s := memory.New(memory.Config{})

	if err := history.Run(ctx, history.Config{Store: s, Dir: dir, Name: "p1", Seed: 42, Writers: 8, Ops: 50}); err != nil {
		fmt.Println(err)
		return
	}
	if err := history.Finish(ctx, dir, s); err != nil {
		fmt.Println(err)
		return
	}
	report, err := history.Check(dir, history.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Err(), report.Stored > 100, report.Why["conflict"] > 0)
	// Output: <nil> true true
}
