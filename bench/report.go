package main

import (
	"fmt"
	"os"

	"github.com/esgen/esgen/bench/internal/report"
	"github.com/esgen/esgen/bench/internal/result"
)

// render is the command that writes a result as a page.
func render(args []string) error {
	set := newFlags("report")
	out := set.String("o", "bench/out/latest.html", "")
	if err := parse(set, args); err != nil {
		return err
	}
	from := "bench/out/latest.json"
	switch set.NArg() {
	case 0:
	case 1:
		from = set.Arg(0)
	default:
		return usageError{fmt.Sprintf("report: %d files given; want one result", set.NArg())}
	}
	rows, err := result.Read(from)
	if err != nil {
		return err
	}
	return writePage(*out, rows)
}

func writePage(path string, rows []result.Row) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := report.Write(f, rows); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
