package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/esgen/esgen/bench/internal/server"
)

const usage = `usage: bench run [flags]
`

type runFlags struct {
	run, dsn, out string
	quick         bool
	pool          int
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var f runFlags
	set := flag.NewFlagSet("bench run", flag.ContinueOnError)
	set.StringVar(&f.run, "run", ".", "measure the rows whose names match this `regexp`")
	set.BoolVar(&f.quick, "quick", false, "measure the first rows only, each for a short time")
	set.StringVar(&f.dsn, "dsn", "", "measure on this `server` instead of one of our own")
	set.StringVar(&f.out, "o", "bench/out/latest.json", "write the results to this `file`")
	set.IntVar(&f.pool, "pool", 10, "connections of the store's pool")
	if err := set.Parse(args); err != nil {
		return err
	}
	pattern, err := regexp.Compile(f.run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	bouts := chosen(catalog(), pattern, f.quick)
	if len(bouts) == 0 {
		return fmt.Errorf("no row is named like %q", f.run)
	}
	b := &bench{flags: f, dsn: f.dsn, plan: full, id: os.Getpid(), out: out}
	if f.quick {
		b.plan = quick
	}
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
	_, err = b.all(ctx, bouts)
	return err
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
