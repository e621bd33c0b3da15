package main

import (
	"errors"
	"flag"
	"io"
	"strings"
)

func newFlags(verb string) *flag.FlagSet {
	f := flag.NewFlagSet(verb, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f
}

// parse returns the arguments that are no flags. Flags may stand between them if
// mixed is set. An amount such as -5.00 is an argument: it is refused as an amount,
// which says more than an unknown flag.
func parse(f *flag.FlagSet, args []string, mixed bool) ([]string, error) {
	var rest []string
	for len(args) > 0 {
		if negative(args[0]) {
			rest, args = append(rest, args[0]), args[1:]
			continue
		}
		if args[0] == "--" {
			return append(rest, args[1:]...), nil
		}
		before := len(args)
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usageError{f.Name(), err.Error()}
		}
		args = f.Args()
		if !mixed {
			return args, nil
		}
		// What stopped the flags is an argument; after a "--" all are.
		if consumed := before - len(args); consumed > 0 && len(args) == 0 {
			return rest, nil
		}
		if len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	return rest, nil
}

func negative(arg string) bool {
	return strings.HasPrefix(arg, "-") && len(arg) > 1 && strings.ContainsRune("0123456789.,", rune(arg[1]))
}
