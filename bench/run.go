package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/bench/internal/result"
	"github.com/esgen/esgen/bench/internal/server"
)

type runFlags struct {
	run, dsn, out, profile string
	quick                  bool
	pool, rounds           int
	length, long           time.Duration
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var f runFlags
	set := newFlags("run")
	// Their texts are in the manual.
	set.StringVar(&f.run, "run", ".", "")
	set.BoolVar(&f.quick, "quick", false, "")
	set.StringVar(&f.dsn, "dsn", "", "")
	set.StringVar(&f.out, "o", "bench/out/latest.json", "")
	set.StringVar(&f.profile, "cpuprofile", "", "")
	set.IntVar(&f.pool, "pool", 10, "")
	set.IntVar(&f.rounds, "rounds", 0, "")
	set.DurationVar(&f.length, "length", 0, "")
	set.DurationVar(&f.long, "long", 10*time.Second, "")
	if err := parse(set, args); err != nil {
		return err
	}
	pattern, err := regexp.Compile(f.run)
	if err != nil {
		return usageError{fmt.Sprintf("-run: %v", err)}
	}
	bouts := chosen(catalog(), pattern, f.quick)
	if len(bouts) == 0 {
		return usageError{fmt.Sprintf("no row is named like %q", f.run)}
	}
	b := &bench{flags: f, dsn: f.dsn, plan: full, out: out, began: time.Now()}
	if f.quick {
		b.plan = quick
	}
	b.plan.rounds = cmp.Or(f.rounds, b.plan.rounds)
	b.plan.length = cmp.Or(f.length, b.plan.length)
	b.plan.warm = min(b.plan.warm, b.plan.length)
	if b.dsn == "" {
		s, err := server.Start(ctx)
		if err != nil {
			return err
		}
		defer s.Stop()
		b.dsn = s.DSN()
	}
	if b.on, err = machine(ctx, b.dsn); err != nil {
		return err
	}
	if f.profile != "" {
		end, err := profile(f.profile)
		if err != nil {
			return err
		}
		defer end()
	}
	rows, err := b.all(ctx, bouts)
	if err != nil || len(rows) == 0 {
		return err
	}
	return b.keep(rows)
}

// keep writes the results once more under the time of the run, to be compared with
// later ones, and the page.
func (b *bench) keep(rows []result.Row) error {
	base, _ := strings.CutSuffix(b.flags.out, filepath.Ext(b.flags.out))
	if err := writePage(base+".html", rows); err != nil {
		return err
	}
	kept := filepath.Join(filepath.Dir(b.flags.out), b.began.UTC().Format("2006-01-02T150405")+".json")
	b.sayf("results: %s, kept as %s; page: %s", b.flags.out, kept, base+".html")
	return result.Write(kept, rows)
}

// profile writes a CPU profile of this process until end is called.
func profile(path string) (end func(), _ error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close()
	}, nil
}

// machine says what the figures were measured on.
func machine(ctx context.Context, dsn string) (string, error) {
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close(ctx) }()
	var version, buffers, sync string
	err = c.QueryRow(ctx, "SELECT current_setting('server_version'), current_setting('shared_buffers'), current_setting('synchronous_commit')").
		Scan(&version, &buffers, &sync)
	version, _, _ = strings.Cut(version, " ")
	return fmt.Sprintf("%d cores, %s/%s, %s, PostgreSQL %s, shared_buffers %s, synchronous_commit %s",
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), version, buffers, sync), err
}
