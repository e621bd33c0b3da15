package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
)

// Exit codes.
const (
	exitOK       = 0
	exitProblems = 1
	exitTool     = 2
)

func main() {
	// A run is short and holds some 30 MB for 500 events. Collecting garbage less
	// often takes a tenth off its time.
	debug.SetGCPercent(400)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// verb is one thing that esgen does.
type verb struct {
	name string
	run  func(ctx context.Context, args []string, stdout, stderr io.Writer) int
}

// verbs lists them. The first runs when none is named.
func verbs() []verb {
	return []verb{
		{"gen", generate},
		{"check", check},
		{"docs", describe},
		{"new", create},
	}
}

// run calls the verb that args name and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	list := verbs()
	chosen := list[0]
	if len(args) > 0 {
		if i := slices.IndexFunc(list, func(v verb) bool { return v.name == args[0] }); i >= 0 {
			chosen, args = list[i], args[1:]
		}
	}
	return chosen.run(ctx, args, stdout, stderr)
}

//go:embed doc.go
var source string

// manual is the package comment.
func manual() string {
	_, text, _ := strings.Cut(source, "/*\n")
	text, _, _ = strings.Cut(text, "*/")
	return text
}

const hint = "esgen -h prints the manual"

// usage reports wrong arguments.
func usage(stderr io.Writer, message string) int {
	fmt.Fprintf(stderr, "esgen: %s\n%s\n", message, hint)
	return exitTool
}
