package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWatchShowsEventsAsTheyHappen watches from one program while others work, and
// ends with an interrupt.
func TestWatchShowsEventsAsTheyHappen(t *testing.T) {
	t.Parallel()
	dsn := "sqlite:" + t.TempDir() + "/bank.db"
	bankOK(t, dsn, "open", "a-1", "Ada")

	fromNow := watch(t, dsn, "watch")
	fromTheFirst := watch(t, dsn, "watch", "-from", "1")
	bankOK(t, dsn, "open", "b-2", "Bob")
	bankOK(t, dsn, "deposit", "a-1", "1000")
	bankOK(t, dsn, "transfer", "a-1", "b-2", "250.25")
	bankOK(t, dsn, "withdraw", "b-2", "250.25")
	bankOK(t, dsn, "close", "b-2")

	want := []string{
		"     2  TIME  b-2           opened for Bob in EUR",
		"     3  TIME  a-1           deposit                                +1 000.00",
		"     4  TIME  a-1           transfer to b-2                          -250.25",
		"     5  TIME  b-2           transfer from a-1                        +250.25",
		"     6  TIME  b-2           withdrawal                               -250.25",
		"     7  TIME  b-2           closed",
	}
	if diff := cmp.Diff(want, fromNow.lines(t, 6)); diff != "" {
		t.Errorf("watched from now on (-want +got):\n%s", diff)
	}
	want = append([]string{"     1  TIME  a-1           opened for Ada in EUR"}, want...)
	if diff := cmp.Diff(want, fromTheFirst.lines(t, 7)); diff != "" {
		t.Errorf("watched from the first (-want +got):\n%s", diff)
	}
	if errors := fromNow.interrupt(t); !strings.HasSuffix(errors, "watched 6 events\n") {
		t.Errorf("watching ended with %q", errors)
	}
	if errors := fromTheFirst.interrupt(t); !strings.HasSuffix(errors, "watched 7 events\n") {
		t.Errorf("watching ended with %q", errors)
	}
}

// watcherProgram is a bank that watches.
type watcherProgram struct {
	stop   context.CancelFunc
	out    *bufio.Scanner
	errors *bytes.Buffer
	ended  chan int
}

// watch starts one and returns when it says that it watches.
func watch(t *testing.T, dsn string, args ...string) *watcherProgram {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	outReader, outWriter := io.Pipe()
	started := make(chan struct{})
	p := &watcherProgram{stop: stop, out: bufio.NewScanner(outReader), errors: new(bytes.Buffer), ended: make(chan int, 1)}
	s := shell{
		stdout: outWriter,
		stderr: writerFunc(func(b []byte) (int, error) {
			if p.errors.Write(b); bytes.Contains(b, []byte("interrupt to end")) {
				close(started)
			}
			return len(b), nil
		}),
		getenv: func(string) string { return dsn },
	}
	go func() {
		p.ended <- s.run(ctx, args)
		outWriter.Close()
	}()
	select {
	case <-started:
	case code := <-p.ended:
		t.Fatalf("watching ended with %d: %s", code, p.errors)
	}
	return p
}

var stamp = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)

// lines returns the next n lines.
func (p *watcherProgram) lines(t *testing.T, n int) []string {
	t.Helper()
	lines := make([]string, 0, n)
	for range n {
		if !p.out.Scan() {
			t.Fatalf("the output ended after %q", lines)
		}
		lines = append(lines, stamp.ReplaceAllString(p.out.Text(), "TIME"))
	}
	return lines
}

// interrupt ends the program, which must be content, and returns its errors.
func (p *watcherProgram) interrupt(t *testing.T) string {
	t.Helper()
	p.stop()
	// A line that nobody expects must not keep the program from ending.
	for p.out.Scan() {
		t.Errorf("one more line: %s", p.out.Text())
	}
	if code := <-p.ended; code != done {
		t.Errorf("watching ended with %d", code)
	}
	return p.errors.String()
}
