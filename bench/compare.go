package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/esgen/esgen/bench/internal/result"
)

// compare is the command that tells what has changed between two results.
func compare(args []string, out io.Writer) error {
	set := newFlags("compare")
	worse := set.Bool("fail", false, "")
	if err := parse(set, args); err != nil {
		return err
	}
	if set.NArg() != 2 {
		return usageError{fmt.Sprintf("compare: %d files given; want two, the old and the new result", set.NArg())}
	}
	before, err := result.Read(set.Arg(0))
	if err != nil {
		return err
	}
	after, err := result.Read(set.Arg(1))
	if err != nil {
		return err
	}
	metrics := []result.Metric{result.PerSecond, result.Ratio, result.P50, result.P99, result.Allocs, result.Bytes, result.WALBytes}
	changes, onlyOld, onlyNew := result.Compare(before, after, metrics...)
	if len(changes) == 0 {
		return fmt.Errorf("%s and %s have no row in common", set.Arg(0), set.Arg(1))
	}
	if before[0].On != after[0].On {
		fmt.Fprintf(out, "note: measured on different machines or versions; the ratios can be compared, the rest hardly\n  old: %s\n  new: %s\n\n", before[0].On, after[0].On)
	}
	if err := result.WriteChanges(out, changes, metrics...); err != nil {
		return err
	}
	for _, only := range []struct {
		which string
		names []string
	}{{"old", onlyOld}, {"new", onlyNew}} {
		if len(only.names) > 0 {
			fmt.Fprintf(out, "note: only the %s result has %s\n", only.which, strings.Join(only.names, ", "))
		}
	}
	if !*worse {
		return nil
	}
	var names []string
	for _, c := range changes {
		if c.Metric == result.Ratio && c.Significant && !c.Better() {
			names = append(names, c.Name)
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("the ratio has become worse of %s", strings.Join(names, ", "))
	}
	return nil
}
