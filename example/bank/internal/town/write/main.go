// Write writes the ledger of a made-up town to a file.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"

	"github.com/esgen/esgen/example/bank/internal/town"
)

func main() {
	var c town.Config
	file := flag.String("o", "ledger.csv", "the `file` to write")
	flag.IntVar(&c.Lines, "lines", 10_000, "lines below the header")
	flag.IntVar(&c.People, "people", 300, "people who live in the town in the beginning")
	flag.Uint64Var(&c.Seed, "seed", 1, "seed of all that happens by chance")
	flag.Parse()

	var b bytes.Buffer
	err := town.Write(&b, c)
	if err == nil {
		err = os.WriteFile(*file, b.Bytes(), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "write:", err)
		os.Exit(1)
	}
}
