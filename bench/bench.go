package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/esgen/esgen/bench/internal/result"
)

// bench is one run.
type bench struct {
	flags  runFlags
	dsn    string
	plan   plan
	on     string // the machine and the versions
	stages int
	out    io.Writer
	began  time.Time
}

// plan is how long each row is measured.
type plan struct {
	quick        bool
	rounds       int
	warm, length time.Duration
}

var (
	quick = plan{quick: true, rounds: 5, warm: 100 * time.Millisecond, length: 600 * time.Millisecond}
	full  = plan{rounds: 7, warm: 500 * time.Millisecond, length: 3 * time.Second}
)

// bout is what is measured together: rows that share a stage.
type bout struct {
	names []string
	quick bool
	// atLeast is the ratio that these rows should reach, 0 if none is set.
	atLeast float64
	// beside are rows that are published with them.
	beside []string
	run    func(context.Context, *bench) ([]result.Row, error)
}

func (b *bench) sayf(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, format+"\n", args...)
}

// chosen are the bouts of which a name matches; of a quick run, the quick ones.
func chosen(all []bout, run *regexp.Regexp, quick bool) []bout {
	var some []bout
	for _, one := range all {
		if quick && !one.quick {
			continue
		}
		if slices.ContainsFunc(slices.Concat(one.names, one.beside), run.MatchString) {
			some = append(some, one)
		}
	}
	return some
}

// all runs bouts one after the other and keeps each row as soon as it is there.
func (b *bench) all(ctx context.Context, bouts []bout) ([]result.Row, error) {
	var rows []result.Row
	for i, one := range bouts {
		b.sayf("%d of %d: %s", i+1, len(bouts), one.names)
		some, err := one.run(ctx, b)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", one.names[0], err)
		}
		for k := range some {
			some[k].On = b.on
			if slices.Contains(one.names, some[k].Name) {
				some[k].AtLeast = one.atLeast
			}
		}
		rows = append(rows, some...)
		if err := result.Write(b.flags.out, rows); err != nil {
			return rows, err
		}
		if err := result.Table(b.out, some, i == 0); err != nil {
			return rows, err
		}
	}
	return rows, nil
}
