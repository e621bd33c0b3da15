package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() { os.Exit(start()) }

//go:embed doc.go
var doc string

// usageError is a call that makes no sense, whatever was measured.
type usageError struct{ reason string }

func (e usageError) Error() string { return e.reason }

// start runs the program; the first interrupt asks it to end, a second one ends it.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	err := command(ctx, os.Args[1:], os.Stdin, os.Stdout)
	_, wrong := errors.AsType[usageError](err)
	switch {
	case err == nil:
		return 0
	case wrong:
		_, _ = fmt.Fprintf(os.Stderr, "bench: %v\nSee: bench -h\n", err)
		return 2
	default:
		_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
}

func command(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	var err error
	switch verb {
	case "run":
		err = run(ctx, args, out)
	case "compare":
		err = compare(args, out)
	case "report":
		err = render(args)
	case "work":
		err = work(ctx, args, in, out)
	case "help", "-h", "-help", "--help":
		err = flag.ErrHelp
	case "":
		err = usageError{"no command; there are run, compare and report"}
	default:
		err = usageError{fmt.Sprintf("unknown command %q; there are run, compare and report", verb)}
	}
	if errors.Is(err, flag.ErrHelp) {
		_, err = fmt.Fprint(out, manual())
	}
	return err
}

// manual is the package comment.
func manual() string {
	_, text, _ := strings.Cut(doc, "/*\n")
	text, _, _ = strings.Cut(text, "*/")
	return text
}

// newFlags are those of a command. They say nothing by themselves.
func newFlags(name string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	return set
}

// parse is set.Parse with an error of ours.
func parse(set *flag.FlagSet, args []string) error {
	err := set.Parse(args)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return usageError{set.Name() + ": " + err.Error()}
}
