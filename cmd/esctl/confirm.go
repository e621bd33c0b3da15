package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// asked lets the operator type a word before something is done that cannot be undone.
// Anything else is an error that says what was not done.
func (s shell) asked(want, otherwise string) error {
	fmt.Fprintf(s.stderr, "This cannot be undone. To go on, type %s: ", printable(want))
	answer, err := bufio.NewReader(s.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	if terminal(s.stdin) == nil {
		s.notef("") // nobody has typed the end of the line
	}
	if strings.TrimSuffix(strings.TrimSuffix(answer, "\n"), "\r") != want {
		return errors.New("not confirmed; " + otherwise)
	}
	return nil
}
